"""Parent policies on examples worked by hand."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from munet.search import Candidate, load_method, sample_parent, seed_parent

MUNET, PLUS, BASELINE = load_method("munet"), load_method("mu2net-plus"), load_method("finetune-full")
DRAWS = 6000
TOLERANCE = 4 * (0.25 / DRAWS) ** 0.5
A, B = Candidate("a", 0.9, 0), Candidate("b", 0.8, 1)


class Scripted:
    """A random generator that returns given values, and fails when it is asked for more or fewer."""

    def __init__(self, *draws, order=None, choice=None):
        self.draws, self.order, self.choice = list(draws), order, choice

    def random(self):
        return self.draws.pop(0)

    def permutation(self, count):
        assert len(self.order or ()) == count
        return np.array(self.order)

    def integers(self, count):
        assert self.choice < count
        return self.choice


def scripted(*draws, **others) -> Any:
    return Scripted(*draws, **others)


def shares(method, active, others, selections, seed=0):
    rng = np.random.default_rng(seed)
    counts = Counter(sample_parent(method, active, others, selections, rng, root="root") for _ in range(DRAWS))
    return {model: count / DRAWS for model, count in counts.items()}


@pytest.mark.parametrize("method", [MUNET, PLUS])
def test_best_model_without_children_is_taken(method):
    rng = scripted(0.999)
    assert sample_parent(method, [B, A], ["root"], {}, rng) == "a"
    assert rng.draws == []


@pytest.mark.parametrize("method", [MUNET, PLUS])
@pytest.mark.parametrize(("selections", "bound"), [(1, 0.5), (2, 0.25), (3, 0.125), (10, 0.5**10)])
def test_a_candidate_is_accepted_below_a_half_to_the_number_of_its_children(method, selections, bound):
    assert sample_parent(method, [A, B], ["root"], {"a": selections}, scripted(np.nextafter(bound, 0))) == "a"
    assert sample_parent(method, [A, B], ["root"], {"a": selections}, scripted(bound, 0.999)) == "b"


@pytest.mark.parametrize("method", [MUNET, PLUS])
def test_equal_scores_are_visited_by_age(method):
    same = [Candidate("young", 0.9, 5), Candidate("old", 0.9, 2)]
    assert sample_parent(method, same, [], {}, scripted(0.0)) == "old"


def test_munet_falls_back_to_all_models_alike():
    rng = scripted(0.6, 0.6, choice=2)
    assert sample_parent(MUNET, [A, B], ["root", "other"], {"a": 1, "b": 1}, rng) == "root"
    assert rng.draws == []
    # a: 1/2 + 1/4 * 1/4; b: 1/2 * 1/2 + 1/16; each of the others: 1/4 * 1/4
    drawn = shares(MUNET, [A, B], ["root", "other"], {"a": 1, "b": 1})
    expected = {"a": 9 / 16, "b": 5 / 16, "root": 1 / 16, "other": 1 / 16}
    assert drawn == pytest.approx(expected, abs=TOLERANCE)


def test_plus_visits_the_others_in_random_order_before_the_fallback():
    selections = {"a": 1, "x": 1, "y": 2}
    assert sample_parent(PLUS, [A], ["x", "y"], selections, scripted(0.6, 0.2, order=[1, 0])) == "y"
    assert sample_parent(PLUS, [A], ["x", "y"], selections, scripted(0.6, 0.3, 0.4, order=[1, 0])) == "x"
    rng = scripted(0.6, 0.3, 0.5, order=[1, 0], choice=0)
    assert sample_parent(PLUS, [A], ["x", "y"], selections, rng) == "a"
    assert rng.draws == []


def test_shares_of_plus():
    # refused by a: 1/2. Then x first: 1/2 x, 1/8 y, 3/8 nobody; y first: 1/4 y, 3/8 x, 3/8 nobody
    drawn = shares(PLUS, [A], ["x", "y"], {"a": 1, "x": 1, "y": 2})
    nobody = 0.5 * 0.375 / 3
    expected = {"a": 0.5 + nobody, "x": 0.5 * (0.5 + 0.375) / 2 + nobody, "y": 0.5 * (0.125 + 0.25) / 2 + nobody}
    assert sum(expected.values()) == pytest.approx(1)
    assert drawn == pytest.approx(expected, abs=TOLERANCE)


def test_first_children_of_a_new_task_have_distinct_parents_with_plus():
    others = ["root", "t1", "t2", "t3"]
    # nobody has a child yet, so the first of the permutation accepts: uniform
    assert shares(PLUS, [], others, {}) == pytest.approx(dict.fromkeys(others, 0.25), abs=TOLERANCE)
    # and the one that was taken is refused where the draw allows it
    assert sample_parent(PLUS, [], others, {"t1": 1}, scripted(0.5, 0.999, order=[1, 3, 0, 2])) == "t3"


def test_munet_draws_uniformly_when_the_task_is_new():
    assert shares(MUNET, [], ["root", "x"], {}) == pytest.approx({"root": 0.5, "x": 0.5}, abs=TOLERANCE)


def test_root_policy_draws_nothing():
    assert sample_parent(BASELINE, [A, B], ["x", "root"], {"root": 99}, scripted(), root="root") == "root"
    with pytest.raises(ValueError, match=r"^parents = 'root' needs the id of the root$"):
        sample_parent(BASELINE, [A], ["root"], {}, scripted())


def test_nothing_to_choose_from():
    with pytest.raises(ValueError, match=r"^no model to choose a parent from$"):
        sample_parent(PLUS, [], [], {}, np.random.default_rng(0))


def test_seed_pass_visits_the_newest_first_and_the_root_last():
    method = load_method("munet", {"seed_pass": "true"})
    for others in (["root", "old", "new"], ["old", "new", "root"]):
        visits = [seed_parent(method, others, position, root="root") for position in range(5)]
        assert visits == ["new", "old", "root", None, None]
    assert seed_parent(MUNET, ["old", "root"], 0, root="root") is None
