"""The trie: what is shared is computed once, whoever asks, and rows go only where they are wanted."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from munet.training import FeatureCache, ImageSet, Preprocessing
from munet.training.inputs import FixedInputs
from munet.training.memory import Parts
from munet.training.trie import Target, Trie, walk
from training_toys import stripes

X = torch.arange(12.0).reshape(6, 2)


class Counting:
    """Stages that add 10 to the power of a digit and say how many rows they saw."""

    def __init__(self):
        self.rows: dict[str, int] = {}

    def step(self, name: str):
        def function(x):
            self.rows[name] = self.rows.get(name, 0) + len(x)
            return x * 2 + int(name, 36)

        return name, function

    def path(self, names: str):
        return [self.step(name) for name in names]


def plain(names: str, x: torch.Tensor) -> torch.Tensor:
    for name in names:
        x = x * 2 + int(name, 36)
    return x


def test_a_shared_beginning_is_computed_once():
    counting, trie = Counting(), Trie("images")
    nodes = [trie.add(counting.path(names)) for names in ("abc", "abd", "ab", "e", "")]
    assert trie.add(counting.path("ab")) is nodes[2]
    results = walk([Target(node) for node in nodes], lambda: X)
    for names, result in zip(("abc", "abd", "ab", "e", ""), results, strict=True):
        assert torch.equal(result, plain(names, X))
    assert counting.rows == dict.fromkeys("abcde", 6)


def test_other_images_make_another_trie():
    assert Trie("train").add(Counting().path("a")).key != Trie("test").add(Counting().path("a")).key


@given(
    st.lists(
        st.tuples(st.text("abc", max_size=4), st.none() | st.sets(st.integers(0, 5), min_size=1)),
        min_size=1,
        max_size=6,
    )
)
def test_every_target_gets_its_rows_and_no_stage_sees_more_than_it_must(wanted):
    counting, trie = Counting(), Trie("images")
    targets = [
        Target(trie.add(counting.path(names)), None if rows is None else torch.tensor(sorted(rows)))
        for names, rows in wanted
    ]
    for (names, rows), result in zip(wanted, walk(targets, lambda: X), strict=True):
        assert torch.equal(result, plain(names, X if rows is None else X[sorted(rows)]))
    prefixes: dict[str, set[int]] = {}
    for names, rows in wanted:
        for end in range(1, len(names) + 1):
            prefixes.setdefault(names[:end], set()).update(range(6) if rows is None else rows)
    for name in "abc":
        assert counting.rows.get(name, 0) == sum(len(rows) for p, rows in prefixes.items() if p[-1] == name)


def test_what_is_known_is_not_computed_and_nothing_below_it():
    counting, trie = Counting(), Trie("images")
    middle, end = trie.add(counting.path("ab")), trie.add(counting.path("abc"))
    known = {middle.key: plain("ab", X)}
    result = walk([Target(end)], lambda: pytest.fail("images were read"), lambda node: known.get(node.key))
    assert torch.equal(result[0], plain("abc", X))
    assert counting.rows == {"c": 6}


# Fixed inputs ----------------------------------------------------------------------------------------------------

PRE = Preprocessing(8)
DATA = ImageSet.of(stripes(50, 1), "cpu")


def inputs(cache: FeatureCache | None, name: str = "split", **options) -> FixedInputs:
    return FixedInputs(DATA, PRE, name=name, cache=cache, parts=Parts(), **options)


def test_any_rows_in_any_order_are_what_a_plain_pass_gives():
    fixed = inputs(FeatureCache(1 << 20))
    counting = Counting()
    node = fixed.trie.add(counting.path("ab"))
    everything = plain("ab", fixed.read(np.arange(50), [fixed.trie.root])[0])
    rng = np.random.default_rng(0)
    for _ in range(5):
        rows = rng.choice(50, 17)  # with repeats
        assert torch.equal(fixed.read(rows, [node])[0], everything[torch.from_numpy(rows)])
    whole = counting.rows["a"]
    for _ in range(5):
        fixed.read(np.arange(50), [node])
    assert counting.rows["a"] <= whole + 64  # what the first reads left out, and never again


def test_another_reader_of_the_same_content_finds_it_and_goes_on_from_there():
    cache, counting = FeatureCache(1 << 20), Counting()
    first = inputs(cache)
    first.read(np.arange(50), [first.trie.add(counting.path("ab"))])
    before = dict(counting.rows)
    second = inputs(cache)
    second.read(np.arange(50), [second.trie.add(counting.path("ab"))])
    assert counting.rows == before
    second.read(np.arange(50), [second.trie.add(counting.path("abc"))])
    assert {name: counting.rows[name] for name in "ab"} == before
    other = inputs(cache, name="other split")
    other.read(np.arange(50), [other.trie.add(counting.path("ab"))])
    assert counting.rows["a"] > before["a"]


def test_a_longer_path_beside_one_that_is_complete():
    cache, order = FeatureCache(1 << 20), np.arange(300)  # more than one whole chunk, so rows are views of the table
    data = ImageSet.of(stripes(300, 1), "cpu")
    for names in (["a"], ["a", "ab"]):
        fixed = FixedInputs(data, PRE, name="split", cache=cache, parts=Parts())
        found = fixed.read(order, [fixed.trie.add(Counting().path(path)) for path in names])
        images = fixed.read(order, [fixed.trie.root])[0]
        assert all(torch.equal(x, plain(path, images)) for x, path in zip(found, names, strict=True))


def test_rows_that_depend_on_their_neighbours_are_not_kept():
    def shifted(x):
        return x + torch.arange(len(x)).reshape(-1, 1, 1, 1)

    for in_order in (False, True):
        cache = FeatureCache(1 << 20)
        fixed = inputs(cache, in_order=in_order)
        fixed.read(np.arange(50), [fixed.trie.add([("shifted", shifted)])])
        assert (cache.held > 0) == in_order
        assert list(cache.row_invariant.values()) == ([] if in_order else [False])


def test_a_budget_is_kept_and_the_least_used_table_goes():
    table = 50 * 3 * 8 * 8 * 4
    cache, counting = FeatureCache(2 * table), Counting()
    for names in ("a", "b", "a", "c"):
        cache.begin_session()
        fixed = inputs(cache)
        fixed.read(np.arange(50), [fixed.trie.add(counting.path(names))])
        assert cache.held <= 2 * table
    keys = {name: inputs(cache).trie.add(counting.path(name)).key for name in "abc"}
    assert [cache.get(keys[name]) is not None for name in "abc"] == [True, False, True]


def test_tables_of_one_session_do_not_push_each_other_out():
    table = 50 * 3 * 8 * 8 * 4
    cache, counting = FeatureCache(table), Counting()
    cache.begin_session()
    fixed = inputs(cache)
    a, b = (fixed.trie.add(counting.path(name)) for name in "ab")
    for _ in range(2):
        fixed.read(np.arange(50), [a, b])
    x, y = fixed.read(np.arange(50), [a, b])
    assert torch.equal(x, plain("a", fixed.read(np.arange(50), [fixed.trie.root])[0]))
    assert torch.equal(y, plain("b", fixed.read(np.arange(50), [fixed.trie.root])[0]))
    assert cache.held == table
    assert cache.get(b.key) is None


def test_a_budget_of_nothing_works():
    fixed = inputs(FeatureCache(0))
    assert fixed.read(np.array([3, 1]), [fixed.trie.add(Counting().path("a"))])[0].shape == (2, 3, 8, 8)
