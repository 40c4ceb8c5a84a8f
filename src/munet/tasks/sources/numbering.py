"""Class numbers for labels as people store them: names, whole numbers of any size, numbers beside a list of names."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from munet.errors import InputError

NO_CLASS = -1
"""Label of an example without one: it counts, and is unusable."""

Label = str | int | None
"""A class as it is stored; None where there is none."""


@dataclass(frozen=True)
class Numbered:
    """Names of the classes, and for each split the labels int64 (N,), in `range(len(classes))` or NO_CLASS."""

    classes: tuple[str, ...]
    labels: dict[str, np.ndarray]

    def as_in(self, recorded: Sequence[str]) -> "Numbered":
        """The same labels as a record of before has them: every whole number up to the largest was a class, also one
        that no example has. As they are where the record is none of those."""
        if list(recorded) == [str(name.encode()) for name in self.classes]:  # names stored as bytes were not decoded
            return replace(self, classes=tuple(recorded))
        if list(recorded) != [str(number) for number in range(len(recorded))]:
            return self
        known = set(recorded)
        if not set(self.classes) <= known:
            return self
        to_recorded = np.array([int(name) for name in self.classes] + [NO_CLASS], np.int64)
        return replace(
            self,
            classes=tuple(recorded),
            labels={split: to_recorded[labels] for split, labels in self.labels.items()},
        )


def plain_labels(values: Iterable[Any], place: Callable[[int], str], column: str) -> list[Label]:
    """Stored values as names and whole numbers.

    An empty text, NaN and a negative number are none; a list of one is what it holds; 2.0 is 2. InputError that names
    the `place` of what is no single class: a measure such as 0.5, a list, a dictionary.
    """
    return [_plain(value, row, place, column) for row, value in enumerate(values)]


def why_none(values: Iterable[Any]) -> str:
    """What to say of an example without a label, where some of the stored `values` are numbers below 0."""
    below = [value for value in values if isinstance(value, int | float) and value < 0]
    if not below:
        return "no label"
    return f"no label (a number below 0, such as {min(below):g}, is none: store numbers from 0)"


def _plain(value: Any, row: int, place: Callable[[int], str], column: str) -> Label:
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if value is None or value == "" or value != value:  # NaN is not itself
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode() or None
        except UnicodeDecodeError as error:
            raise InputError(f"{place(row)}: '{column}' holds the name {value!r}, which is not UTF-8") from error
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, int):  # True and False too
        return None if value < 0 else int(value)
    if isinstance(value, float):
        raise InputError(f"{place(row)}: '{column}' holds measures such as {value:g}, not classes")
    if isinstance(value, dict):
        raise InputError(f"{place(row)}: '{column}' holds objects ({', '.join(map(str, value))[:60]}), not one class")
    shown = f"{value!r:.60}" if isinstance(value, list | tuple) else f"a {type(value).__name__}"
    raise InputError(
        f"{place(row)}: '{column}' holds several labels for an image ({shown}): a task has one class for each image"
    )


def number_labels(columns: Mapping[str, Sequence[Label]], where: str, classes: Sequence[str] = ()) -> Numbered:
    """Number the labels of all splits together: names by letters, behind the `classes` that come first whatever occurs;
    whole numbers by value, only those that occur. InputError where some are names and others are numbers."""
    values = {value for column in columns.values() for value in column if value is not None}
    names = {value for value in values if isinstance(value, str)}
    numbers = {value for value in values if isinstance(value, int)}
    if numbers and (names or classes):
        name = min(names) if names else classes[0]
        raise InputError(
            f"{where}: labels are names, such as '{name}', and numbers, such as {min(numbers)}: use one kind"
        )
    ordered: list[Label] = [*sorted(numbers), *classes, *sorted(names - set(classes))]
    number = {value: label for label, value in enumerate(ordered)}
    labels = {
        split: np.array([NO_CLASS if value is None else number[value] for value in column], np.int64)
        for split, column in columns.items()
    }
    return Numbered(tuple(map(str, ordered)), labels)


def name_labels(
    columns: Mapping[str, Sequence[Label]], names: Mapping[str, Sequence[str]], place: Callable[[str, int], str]
) -> dict[str, list[Label]]:
    """Labels that are places in the list of `names` of their split, as those names; names stay.

    InputError for a place that the list does not have.
    """

    def named(split: str, row: int, value: Label) -> Label:
        if not isinstance(value, int):
            return value
        listed = names[split]
        if value < len(listed):
            return listed[value]
        raise InputError(
            f"{place(split, row)}: label {value}, but there are {len(listed)} class names: 0 to {len(listed) - 1}"
        )

    return {
        split: [named(split, row, value) for row, value in enumerate(column)] if split in names else list(column)
        for split, column in columns.items()
    }
