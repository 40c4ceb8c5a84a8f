"""The split grammar: which examples of a source are for training, for selection (validation) and for the final test.

    train            all of it                    train[:800]      the first 800
    train[5%:]       all but the first 5 %        train[-10%:]     the last 10 %
    train[10:20]     the examples 10 to 19        train+extra[:5%] both, in this order

Bounds mean what they mean in TFDS and in Hugging Face datasets: a percent bound is the nearest whole number of
examples, halves to the even one; a negative bound counts from the end (also one of, say, -1 % that rounds to no
example, which theirs take for the beginning). What an expression selects is resolved once,
when a task is added, to ranges `(split, start, stop)`, and the ranges are what the task record keeps.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from munet.errors import InputError, suggest

Range = tuple[str, int, int]
"""Examples `start` to `stop - 1` of a split of the source."""

PARTS = ("train", "validation", "test")
ALIASES = {"val": "validation", "valid": "validation"}

_DIGITS = 15
_SLICE = re.compile(r"(?P<split>[\w.-]+)(?P<slice>\[(?P<start>-?[0-9_]*[0-9]%?)?:(?P<stop>-?[0-9_]*[0-9]%?)?\])?")


@dataclass(frozen=True)
class Bound:
    """One end of a slice: a number of examples or a percentage of the split; negative ones count from the end."""

    value: int
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.value}%" if self.percent else str(self.value)

    def resolve(self, count: int) -> int:
        """Index in [0, count]; ValueError where the bound lies outside the split."""
        index = round(Fraction(self.value * count, 100)) if self.percent else self.value
        if abs(index) > count or (self.percent and abs(self.value) > 100):
            raise ValueError(f"{self} lies outside")
        return index + count if self.value < 0 else index


@dataclass(frozen=True)
class Slice:
    """One term of an expression, such as `train[5%:]`."""

    split: str
    start: Bound | None = None
    stop: Bound | None = None

    def __str__(self) -> str:
        if self.start is None and self.stop is None:
            return self.split
        start, stop = ("" if bound is None else str(bound) for bound in (self.start, self.stop))
        return f"{self.split}[{start}:{stop}]"


def parse(expression: str) -> tuple[Slice, ...]:
    """The terms of a split expression; InputError where it does not follow the grammar."""
    return tuple(_parse_term(term.strip(), expression) for term in expression.split("+"))


def _parse_term(term: str, expression: str) -> Slice:
    match = _SLICE.fullmatch("".join(term.split()))
    if match is None or term.split("[")[0].strip().count(" "):
        raise InputError(
            f"cannot read the split '{expression}': write for instance train, train[5%:], train[:800], "
            "train[10:20], train[-10%:] or train[:5%]+test"
        )
    bounds = [_parse_bound(match[end]) for end in ("start", "stop")]
    if None not in bounds and bounds[0].percent != bounds[1].percent:  # type: ignore[union-attr]
        raise InputError(f"the split '{expression}' mixes a percentage with a number of examples: use one of them")
    return Slice(ALIASES.get(match["split"], match["split"]), *bounds)


def _parse_bound(text: str | None) -> Bound | None:
    if not text:
        return None
    digits = text.rstrip("%").replace("_", "")
    if len(digits) > _DIGITS:
        raise InputError(f"the bound {digits[:_DIGITS]}… of a split has {len(digits)} digits: no split is so large")
    return Bound(int(digits), text.endswith("%"))


def format_slices(slices: Sequence[Slice]) -> str:
    """The expression that `parse` reads back as `slices`."""
    return "+".join(str(term) for term in slices)


def format_ranges(ranges: Sequence[Range], counts: Mapping[str, int]) -> str:
    """An expression in whole numbers that selects exactly `ranges`."""
    whole = {name: (0, count) for name, count in counts.items()}
    return "+".join(name if whole.get(name) == (i, j) else f"{name}[{i}:{j}]" for name, i, j in ranges)


def resolve(expression: str, counts: Mapping[str, int]) -> list[Range]:
    """Ranges that `expression` selects of splits with `counts` examples; InputError that lists what there is."""
    return [_resolve_slice(term, expression, counts) for term in parse(expression)]


def _resolve_slice(term: Slice, expression: str, counts: Mapping[str, int]) -> Range:
    if term.split not in counts:
        hint = suggest(term.split, counts)
        raise InputError(f"'{expression}': there is no split '{term.split}'{hint}; there is {describe(counts)}")
    count = counts[term.split]
    try:
        start = 0 if term.start is None else term.start.resolve(count)
        stop = count if term.stop is None else term.stop.resolve(count)
    except ValueError as error:
        raise InputError(f"'{expression}': {error} the split {term.split}; there is {describe(counts)}") from error
    if start >= stop:
        raise InputError(f"'{expression}' selects no example of {term.split}; there is {describe(counts)}")
    return term.split, start, stop


def describe(counts: Mapping[str, int]) -> str:
    """`train (57000 examples), test (10000)`."""
    if not counts:
        return "no split"
    first, *others = counts.items()
    return ", ".join([f"{first[0]} ({first[1]} examples)", *(f"{name} ({count})" for name, count in others)])


def size(ranges: Sequence[Range]) -> int:
    """Number of examples in `ranges`."""
    return sum(stop - start for _, start, stop in ranges)


def overlap(a: Sequence[Range], b: Sequence[Range]) -> Range | None:
    """The first range of examples that both hold, or None."""
    for name, start, stop in a:
        for other, first, last in b:
            if name == other and max(start, first) < min(stop, last):
                return name, max(start, first), min(stop, last)
    return None


def subtract(ranges: Sequence[Range], taken: Sequence[Range]) -> list[Range]:
    """What `taken` leaves of `ranges`, in the same order."""
    left = list(ranges)
    for name, first, last in taken:
        pieces = []
        for other, start, stop in left:
            if name != other or last <= start or stop <= first:
                pieces.append((other, start, stop))
                continue
            pieces += [(other, i, j) for i, j in ((start, first), (last, stop)) if i < j]
        left = pieces
    return left


def part(ranges: Sequence[Range], first: int, last: int) -> list[Range]:
    """The examples number `first` to `last - 1` of all that `ranges` hold, counted in their order."""
    found, seen = [], 0
    for name, start, stop in ranges:
        i, j = max(start, start + first - seen), min(stop, start + last - seen)
        if i < j:
            found.append((name, i, j))
        seen += stop - start
    return found
