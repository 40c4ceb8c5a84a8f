"""Statistics against values worked out by hand, and the bootstrap against what is known of it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.experiments.results.statistics import bootstrap, crossings, height, paired, summarise

FRACTIONS = st.floats(0, 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_mean_range_and_population_std_by_hand():
    found = summarise([0.2, 0.4, 0.9])
    assert (found.count, found.low, found.high) == (3, 0.2, 0.9)
    assert found.mean == pytest.approx(0.5, abs=1e-15)
    # deviations -0.3, -0.1, 0.4: squares 0.09 + 0.01 + 0.16 = 0.26, over 3 and not 2
    assert found.std == pytest.approx(math.sqrt(0.26 / 3), abs=1e-15)
    assert summarise([0.7]).std == 0
    with pytest.raises(ValueError, match="no values"):
        summarise([])


@given(st.lists(FRACTIONS, min_size=1, max_size=9))
def test_the_mean_lies_in_the_range_and_equal_values_do_not_spread(values: list[float]):
    found = summarise(values)
    assert found.low <= found.mean <= found.high
    assert 0 <= found.std <= (found.high - found.low) / 2 + 1e-12
    same = summarise([values[0]] * len(values))
    assert (same.mean, same.std) == (values[0], 0)


def scores(*rows: list[float], first: int = 0) -> dict[int, dict[str, float]]:
    return {seed: {f"t{k}": value for k, value in enumerate(row)} for seed, row in enumerate(rows, first)}


def test_paired_differences_by_hand():
    ours, theirs = scores([0.9, 0.5, 0.7], [0.8, 0.6, 0.7]), scores([0.8, 0.6, 0.7], [0.6, 0.6, 0.8])
    found = paired(ours, theirs, rng())
    assert found is not None
    # differences 0.1 -0.1 0 and 0.2 0 -0.1
    assert found.mean == pytest.approx(0.1 / 6)
    assert found.by_seed == pytest.approx((0.0, 0.1 / 3))
    assert (found.pairs, found.seeds, found.tasks) == (6, (0, 1), ("t0", "t1", "t2"))
    assert (found.ahead, found.behind) == (1, 2)  # by task: 0.15, -0.05, -0.05
    without = paired(ours, theirs, rng(), without=["t0"])
    assert without is not None
    assert without.mean == pytest.approx(-0.05)
    assert without.tasks == ("t1", "t2")


def test_only_what_both_have_is_compared():
    ours = scores([0.5, 0.5], [0.6, 0.7]) | {5: {"t0": 0.0, "t1": 0.0}}
    theirs = {1: {"t1": 0.5, "other": 1.0}, 2: {"t1": 0.9}}
    found = paired(ours, theirs, rng())
    assert found is not None
    assert (found.seeds, found.tasks) == ((1,), ("t1",))
    assert found.mean == pytest.approx(0.2)
    assert found.interval is None, "one pair does not say how it spreads"
    assert paired(ours, {7: {"t0": 0.5}}, rng()) is None
    assert paired(ours, {1: {"other": 0.5}}, rng()) is None


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 100))
def test_equal_methods_differ_by_nothing(seeds: int, tasks: int, seed: int):
    same = scores(*rng(seed).random((seeds, tasks)).tolist())
    found = paired(same, same, rng())
    assert found is not None
    assert (found.mean, found.ahead, found.behind) == (0, 0, 0)
    assert found.interval == ((0.0, 0.0) if seeds * tasks > 1 else None)


TABLES = st.tuples(st.integers(1, 5), st.integers(1, 9)).flatmap(
    lambda size: st.lists(
        st.lists(st.floats(-1, 1), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]
    )
)


@given(TABLES, st.integers(0, 1000))
def test_the_interval_holds_the_mean_stays_within_the_values_and_repeats(table: list[list[float]], seed: int):
    values = [value for row in table for value in row]
    low, high = bootstrap(table, rng(seed), resamples=500)
    assert min(values) - 1e-9 <= low <= math.fsum(values) / len(values) + 1e-9
    assert math.fsum(values) / len(values) - 1e-9 <= high <= max(values) + 1e-9
    assert bootstrap(table, rng(seed), resamples=500) == (low, high)
    wider = bootstrap(table, rng(seed), resamples=500, level=0.99)
    assert wider[0] <= low
    assert high <= wider[1]


@given(TABLES, st.floats(-1, 1), st.sampled_from([0.5, 2.0, 8.0]))
def test_the_interval_moves_and_stretches_with_the_values(table: list[list[float]], shift: float, stretch: float):
    low, high = bootstrap(table, rng(), resamples=200)
    moved = [[stretch * value + shift for value in row] for row in table]
    assert bootstrap(moved, rng(), resamples=200) == pytest.approx(
        (stretch * low + shift, stretch * high + shift), abs=1e-9
    )


def test_more_seeds_and_more_tasks_make_the_interval_narrower():
    widths = {}
    for seeds, tasks in ((3, 8), (12, 8), (12, 128)):
        draws = rng(4)
        table = draws.normal(0, 1, (seeds, 1)) + draws.normal(0, 1, (seeds, tasks)) + draws.normal(0, 1, tasks)
        low, high = bootstrap(table.tolist(), rng())
        widths[seeds, tasks] = high - low
    assert widths[3, 8] > widths[12, 8] > widths[12, 128]


def test_one_seed_is_the_plain_bootstrap_over_tasks():
    """Two tasks, 0 and 1: a resample's mean is 0, 1/2 or 1 with probability 1/4, 1/2, 1/4."""
    assert bootstrap([[0.0, 1.0]], rng(), level=0.4) == (0.5, 0.5)
    assert bootstrap([[0.0, 1.0]], rng(), level=0.95) == (0.0, 1.0)
    assert bootstrap([[0.0], [1.0]], rng(), level=0.4) == (0.5, 0.5), "and so are seeds with one task"


def test_three_equal_seeds_say_no_more_than_one():
    """Tasks are the same in every seed: to draw them anew for each would make this interval 1.7 times narrower."""
    row = rng(3).normal(0, 1, 40).tolist()
    one, three = (bootstrap([row] * seeds, rng(1)) for seeds in (1, 3))
    assert three[1] - three[0] == pytest.approx(one[1] - one[0], rel=0.05)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """20 tasks, 10 seeds, true difference 0.3: some 93 of 100 intervals should hold it, and not nearly all or half."""
    draws = rng(11)
    held = 0
    for _ in range(200):
        table = 0.3 + draws.normal(0, 1, (10, 1)) + draws.normal(0, 1, (1, 20)) + draws.normal(0, 0.5, (10, 20))
        low, high = bootstrap(table.tolist(), draws, resamples=300)
        held += low <= 0.3 <= high
    assert 0.85 <= held / 200 <= 0.99


def test_lines_cross_where_they_should():
    rising, falling = [(1.0, 0.0), (100.0, 1.0)], [(1.0, 1.0), (100.0, 0.0)]
    assert crossings(rising, falling) == pytest.approx([10.0]), "half way on a log scale"
    assert crossings(rising, rising) == []
    assert crossings(rising, [(1.0, 0.5), (100.0, 1.5)]) == []
    assert crossings([(1.0, 0.0), (2.0, 1.0)], [(3.0, 0.0), (4.0, 1.0)]) == [], "they are nowhere both"
    bent = [(1.0, 0.5), (10.0, 0.5), (100.0, 0.0)]
    assert crossings(rising, bent) == pytest.approx([10.0]), "at a point of both"
    touching = [(1.0, 1.0), (10.0, 0.5), (100.0, 2.0)]
    assert crossings(rising, touching) == [], "to touch is not to cross"
    twice = [(1.0, 0.2), (10.0, 0.3), (100.0, 2.0)]
    assert len(crossings([(1.0, 0.1), (10.0, 0.5), (100.0, 1.0)], twice)) == 2
    later = [(10.0, 0.9), (1000.0, 0.0)]
    assert len(crossings(rising, later)) == 1, "only where both are"


LINES = st.dictionaries(st.integers(1, 40), FRACTIONS, min_size=2, max_size=6).map(
    lambda points: [(float(x), y) for x, y in sorted(points.items())]
)


@given(LINES, LINES)
def test_at_a_crossing_both_lines_are_equally_high(first: list, second: list):
    for x in crossings(first, second):
        # rounding may have put a crossing at an end just beyond it
        inside = min(max(x, first[0][0], second[0][0]), first[-1][0], second[-1][0])
        assert inside == pytest.approx(x)
        assert height(first, inside) == pytest.approx(height(second, inside), abs=1e-6)
    assert crossings(first, second) == pytest.approx(crossings(second, first))
