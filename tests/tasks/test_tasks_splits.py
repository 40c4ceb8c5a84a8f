"""The split grammar against Hugging Face's own parser, and the rules for missing and overlapping splits."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from munet.errors import InputError
from munet.tasks.planning import plan_splits
from munet.tasks.splits import Bound, Slice, format_ranges, format_slices, overlap, parse, part, resolve, size, subtract


@st.composite
def slices(draw: st.DrawFn) -> Slice:
    percent = draw(st.booleans())
    numbers = st.integers(-100, 100) if percent else st.integers(-10_000, 10_000)
    bounds = [
        Bound(value, percent) if value is not None else None for value in draw(st.tuples(*[st.none() | numbers] * 2))
    ]
    return Slice(draw(st.sampled_from(["train", "test", "a-b.c_1"])), *bounds)


@given(st.lists(slices(), min_size=1, max_size=4))
def test_what_is_formatted_is_read_back(terms: list[Slice]) -> None:
    assert parse(format_slices(terms)) == tuple(terms)


@given(slices(), st.integers(1, 2_000))
def test_resolved_ranges_lie_inside(term: Slice, count: int) -> None:
    try:
        [(split, start, stop)] = resolve(str(term), {term.split: count})
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert f"{term.split} ({count} examples)" in str(error)  # noqa: PT017
        return
    assert split == term.split
    assert 0 <= start < stop <= count


@given(slices(), st.integers(1, 2_000))
def test_same_ranges_as_hugging_face_datasets(term: Slice, count: int) -> None:
    from datasets.arrow_reader import ReadInstruction

    term = Slice("train", term.start, term.stop)
    # They take a negative percentage that rounds to no example for the index 0; we for the end of the split.
    assume(not any(b and b.percent and b.value < 0 and -2 * b.value * count <= 100 for b in (term.start, term.stop)))
    try:
        ours = resolve(str(term), {"train": count})
    except InputError:
        return  # theirs clips what lies outside and allows empty slices; ours refuses both
    [theirs] = ReadInstruction.from_spec(str(term)).to_absolute({"train": count})
    whole = (theirs.from_ or 0, count if theirs.to is None else theirs.to)
    assert ours == [("train", *whole)]


def test_a_negative_percentage_that_rounds_to_nothing_is_the_end_of_the_split() -> None:
    assert resolve("train[:-1%]", {"train": 10}) == [("train", 0, 10)]
    with pytest.raises(InputError, match="selects no example"):
        resolve("train[-1%:]", {"train": 10})


@given(st.integers(0, 100), st.integers(1, 5_000))
def test_a_slice_and_its_complement_are_everything(percent: int, count: int) -> None:
    found = []
    for expression in (f"train[:{percent}%]", f"train[{percent}%:]"):
        try:
            found += resolve(expression, {"train": count})
        except InputError as error:
            assert "selects no example" in str(error)  # noqa: PT017
    rows = [row for _, start, stop in found for row in range(start, stop)]
    assert rows == list(range(count))


RANGES = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 20)).map(lambda r: (r[0], r[1], r[1] + r[2])),
    max_size=4,
)


def rows(ranges: list[tuple[str, int, int]]) -> list[tuple[str, int]]:
    return [(name, row) for name, start, stop in ranges for row in range(start, stop)]


@given(RANGES, RANGES, st.integers(0, 60), st.integers(0, 60))
def test_range_arithmetic_is_that_of_sets(a: list, b: list, first: int, last: int) -> None:
    assert rows(subtract(a, b)) == [row for row in rows(a) if row not in set(rows(b))]
    assert (overlap(a, b) is not None) == bool(set(rows(a)) & set(rows(b)))
    assert rows(part(a, first, last)) == rows(a)[first:last]
    assert size(a) == len(rows(a))
    counts = {"a": 100, "b": 100}
    if a:
        assert rows(resolve(format_ranges(a, counts), counts)) == rows(a)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("train", [("train", 0, 30)]),
        ("train[5%:]", [("train", 2, 30)]),  # 1.5 examples: halves go to the even number
        ("train[:-10%]", [("train", 0, 27)]),
        ("train[-1_0:]", [("train", 20, 30)]),
        ("train[10:20] + test", [("train", 10, 20), ("test", 0, 8)]),
        (" val[:3]", [("validation", 0, 3)]),
    ],
)
def test_examples(expression: str, expected: list[tuple[str, int, int]]) -> None:
    assert resolve(expression, {"train": 30, "validation": 5, "test": 8}) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("trian", "did you mean 'train'"),
        ("extra", "there is train (30 examples), test (8)"),
        ("train[:31]", "31 lies outside the split train"),
        ("train[-31:]", "-31 lies outside"),
        ("train[:101%]", "101% lies outside"),
        ("train[20:10]", "selects no example"),
        ("train[:0]", "selects no example"),
        ("train[5%:20]", "mixes a percentage"),
        ("train[::2]", "cannot read the split"),
        ("train[3]", "cannot read the split"),
        ("train[1.5%:]", "cannot read the split"),
        ("train+", "cannot read the split"),
        ("tr ain", "cannot read the split"),
        ("", "cannot read the split"),
        ("train[_:]", "cannot read the split"),
        ("train[٣:]", "cannot read the split"),
    ],
)
def test_refused_expressions(expression: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(expression, {"train": 30, "test": 8})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def plan(counts: dict[str, int], **given: str) -> dict[str, str]:
    return {name: selection.expression for name, selection in plan_splits(counts, given).items()}


@pytest.mark.parametrize(
    ("counts", "given", "expected"),
    [
        ({"train": 100}, {}, ("train[10%:]", "train[5%:10%]", "train[:5%]")),
        ({"train": 100, "test": 9}, {}, ("train[5%:]", "train[:5%]", "test")),
        ({"train": 100, "validation": 9}, {}, ("train[5%:]", "validation", "train[:5%]")),
        ({"train": 100, "validation": 9, "test": 7}, {}, ("train", "validation", "test")),
        ({"train": 100, "test": 7}, {"validation": "train[:10%]", "train": "train[10%:]"},
         ("train[10%:]", "train[:10%]", "test")),
        # train gets what the others leave
        ({"train": 100, "test": 7}, {"validation": "train[40:60]"},
         ("train[0:40]+train[60:100]", "train[40:60]", "test")),
        # a missing split is cut from what train selects
        ({"train": 100}, {"validation": "train[:20]", "train": "train[20:]"},
         ("train[24:100]", "train[:20]", "train[20:24]")),
        ({"test": 100}, {"train": "test[20:]", "validation": "test[10:20]", "test": "test[:10]"},
         ("test[20:]", "test[10:20]", "test[:10]")),
    ],
)  # fmt: skip
def test_missing_splits(counts: dict[str, int], given: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert tuple(plan(counts, **given).values()) == expected


@given(st.integers(1, 3_000), st.booleans(), st.booleans())
def test_the_cut_loses_and_repeats_nothing(count: int, validation: bool, test: bool) -> None:
    counts = {"train": count} | ({"validation": 5} if validation else {}) | ({"test": 6} if test else {})
    try:
        found = plan_splits(counts, {})
    except InputError as error:
        assert count < 20
        assert "too few" in str(error)  # noqa: PT017
        return
    everything = sorted(row for selection in found.values() for row in rows(list(selection.ranges)))
    assert everything == sorted(rows([(name, 0, n) for name, n in counts.items()]))
    for selection in found.values():
        assert resolve(selection.expression, counts) == list(selection.ranges)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train": "train[:50]", "validation": "train[40:60]"}, "overlap in train[40:50]"),
        ({"train": "train[:50]+train[10:60]"}, "holds train[10:50] twice"),
        ({"train": "test", "validation": "train[:10]"}, "train 'test' and test 'test' overlap"),
        ({"validation": "train"}, "leave nothing"),
    ],
)
def test_refused_plans(given: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$") as caught:
        plan({"train": 100, "test": 10}, **given)
    assert message in str(caught.value)


def test_overlap_can_be_allowed() -> None:
    found = plan_splits({"train": 100, "test": 10}, {"train": "train", "validation": "train[:9]"}, allow_overlap=True)
    assert found["train"].ranges == (("train", 0, 100),)
    assert found["validation"].ranges == (("train", 0, 9),)


def test_rule_none_cuts_nothing_and_a_missing_train_split_is_named() -> None:
    with pytest.raises(InputError, match="no test and no validation split is given"):
        plan_splits({"train": 100}, {}, rule="none")
    with pytest.raises(InputError, match="did you mean 'papers'"):
        plan_splits({"train": 100}, {}, rule="paper")
    with pytest.raises(InputError, match=r"no split 'train'; there is test \(9 examples\)"):
        plan_splits({"test": 9}, {})
