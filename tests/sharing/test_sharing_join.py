"""The join of what two systems know of a task, and which models are its heads."""

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from munet.sharing.task import SharedTask, accuracy_in, order_of
from munet.store.retained import History, beside, heads, history_of, noted
from munet.store.schema import RetainedModel, TaskRecord, model_test, task_data, task_record
from store_tools import changed, manifest

MODELS = tuple(letter * 64 for letter in "abcde")
TESTS = st.none() | st.builds(model_test, st.just(MODELS[0]), st.sampled_from([0.5, 0.6]), st.just(10))
ENTRIES = st.builds(
    lambda replaces, by, test: RetainedModel(replaces=sorted(replaces), by=sorted(by), test=test),
    st.sets(st.sampled_from(MODELS)), st.sets(st.sampled_from(["alice", "bob"])), TESTS,
)  # fmt: skip
HISTORIES = st.dictionaries(st.sampled_from(MODELS), ENTRIES)
DATA = task_data("flowers", "none:", private=False, classes=["a"], splits={}, fingerprint="same")
NAMES = st.frozensets(st.sampled_from(["tulips", "roses"]))
SHARED = st.builds(SharedTask, st.just(DATA), HISTORIES, st.integers(0, 9), called=NAMES)


@given(SHARED, SHARED, SHARED)
def test_the_join_is_commutative_associative_and_idempotent(a: SharedTask, b: SharedTask, c: SharedTask) -> None:
    joins = [x.joined(y).joined(z) for x, y, z in permutations((a, b, c))]
    assert all(joined == joins[0] for joined in joins)
    assert a.joined(b.joined(c)) == joins[0]
    assert a.joined(a) == a
    assert joins[0].joined(b) == joins[0]
    assert joins[0].knows(a)


def agree_after(merges: list[tuple[int, int]], known: list[SharedTask]) -> None:
    """After these merges, and then until all three know all, they hold the same record, whose model is one for all."""
    everything = known[0].joined(known[1]).joined(known[2])
    for here, there in [*merges, (0, 1), (0, 2), (1, 0), (2, 0)]:
        known[here] = known[here].joined(known[there])
    assert known == [everything] * 3
    records = [one.record(None, lambda model: (RANKS[model], model), 1) for one in known]
    assert records[0] == records[1] == records[2]
    assert records[0]["model"] in (heads(everything.retained) or [None])


MERGES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12)
RANKS = {model: rank for rank, model in enumerate(reversed(MODELS))}


@given(MERGES, st.lists(SHARED, min_size=3, max_size=3))
def test_three_agree_in_whatever_order_they_merge(merges: list[tuple[int, int]], known: list[SharedTask]) -> None:
    agree_after(merges, known)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MERGES, st.lists(SHARED, min_size=3, max_size=3))
def test_three_agree_after_ten_thousand_times(merges: list[tuple[int, int]], known: list[SharedTask]) -> None:
    agree_after(merges, known)


@given(SHARED, SHARED)
def test_a_join_forgets_nothing(a: SharedTask, b: SharedTask) -> None:
    joined = a.joined(b)
    for one in (a, b):
        for model, entry in one.retained.items():
            assert set(entry["replaces"]) <= set(joined.retained[model]["replaces"])
            assert set(entry["by"]) <= set(joined.retained[model]["by"])
    assert joined.iterations == max(a.iterations, b.iterations)


def slow_heads(known: History) -> list[str]:
    """The definition: a model is a head if whatever replaced it, directly or not, was replaced by it in turn."""

    def below(model: str) -> set[str]:
        found, waiting = set[str](), [model]
        while waiting:
            for other in known[waiting.pop()]["replaces"]:
                if other in known and other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    reach = {model: below(model) for model in known}
    return sorted(m for m in known if all(other in reach[m] for other in known if m in reach[other]))


@settings(max_examples=300)
@given(HISTORIES)
def test_heads_are_what_nothing_replaced_also_where_some_replaced_each_other(known: History) -> None:
    assert heads(known) == slow_heads(known)
    assert bool(heads(known)) == bool(known)
    assert noted(known, "f" * 64, None, "carol")["f" * 64]["replaces"] == heads(known)
    assert heads(noted(known, "f" * 64, None, None)) == ["f" * 64]


def test_a_long_history_takes_no_stack() -> None:
    known: History = {}
    for number in range(3000):
        known = noted(known, f"{number:064x}", None, None) if number < 2 else {
            **known, f"{number:064x}": {"replaces": [f"{number - 1:064x}"], "by": [], "test": None}
        }  # fmt: skip
    assert heads(known) == [f"{2999:064x}"]


def test_the_history_of_a_record_has_its_model_and_keeps_what_was_retained_beside_it() -> None:
    record: TaskRecord = task_record(DATA, added=1, model=MODELS[0], test=model_test(MODELS[0], 0.5, 3))
    assert (beside(record), list(history_of(record))) == ([], [MODELS[0]])
    both = {**history_of(record), MODELS[1]: RetainedModel(replaces=[], by=["bob"], test=None)}
    joined = changed(record, retained=both)
    assert beside(joined) == [MODELS[1]]
    evolved = changed(joined, model=MODELS[2])
    assert beside(evolved) == []
    assert history_of(evolved)[MODELS[2]]["replaces"] == [MODELS[0], MODELS[1]]


def test_the_order_of_models() -> None:
    def order(model: str, **metrics: float) -> tuple:
        return order_of(model, manifest({}, metrics=metrics, sizes={"head": int(metrics.pop("size", 1))}))

    nothing = order("0")
    weak = order("1", validation_accuracy=0.5, validation_examples=10)
    strong = order("2", validation_accuracy=0.6, validation_examples=10)
    large = order("0", validation_accuracy=0.6, validation_examples=10, size=2)
    same = order("3", validation_accuracy=0.6, validation_examples=10)
    assert sorted([nothing, weak, large, same, strong]) == [strong, same, large, weak, nothing]
    assert (accuracy_in(strong), accuracy_in(nothing)) == (0.6, None)
