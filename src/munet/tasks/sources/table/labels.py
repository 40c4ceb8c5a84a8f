"""Class names and labels of the rows of a table: from one column, or from a column of 0 and 1 for each class."""

import re
from collections import Counter
from collections.abc import Sequence

from munet.errors import InputError
from munet.tasks.sources.missing import without_missing
from munet.tasks.sources.table.columns import Columns
from munet.tasks.sources.table.read import Table

_NUMBER = re.compile(r"0|-?[1-9]\d*")
_DECIMAL = re.compile(r"-?\d*\.\d+(e-?\d+)?|-?\d+e-?\d+", re.IGNORECASE)
_SIGNS = "|;, "


def labels_of(table: Table, columns: Columns, *, as_written: bool = False) -> tuple[list[str], list[str]]:
    """The class of each row, "" where it has none, and notes. InputError for several labels of a row, and for measures.

    With `as_written` a word such as NaN is a class, as it was in tasks of before.
    """
    if columns.classes:
        return _from_many(table, columns.classes), []
    labels = _from_one(table, columns)
    return (labels, []) if as_written else without_missing(labels)


def _from_one(table: Table, columns: Columns) -> list[str]:
    if (odd := table.several.get(columns.label)) is not None:
        what = "objects" if odd.startswith("{") else "several labels for an image"
        raise InputError(f"{table.path}: column '{columns.label}' holds {what} ({odd}): {_ONE}")
    values = [re.fullmatch(r"(-?\d+)\.0+", value) for value in table.columns[columns.label]]
    names = [m[1] if m else value for m, value in zip(values, table.columns[columns.label], strict=True)]
    decimal = next((name for name in names if _DECIMAL.fullmatch(name)), None)
    if decimal is not None:
        raise InputError(
            f"{table.path}: column '{columns.label}' holds measures such as {decimal}, not classes: "
            "say ?label=COLUMN for another column"
        )
    if (example := _several_in_one(set(names))) is not None:
        raise InputError(
            f"{table.path}: column '{columns.label}' seems to hold several labels for an image ('{example}'): {_ONE}"
        )
    return names


_ONE = "one label for each image is needed, say ?label=COLUMN for another column or keep the main label"


def class_names(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes that occur: whole numbers by value, other names by letters."""
    names = {label for label in labels if label}
    if all(_NUMBER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


def tags_among(labels: Sequence[str]) -> str:
    """A note where the names of classes are few words put together in many ways, as lists of tags are; else nothing."""
    names = {label for label in labels if label}
    lists = [name.split() for name in names]
    words = {word for words in lists for word in words}
    if len({len(words) for words in lists}) < 2 or 2 * len(words) > len(names):
        return ""
    return (
        f"{len(words):,} words make {len(names):,} classes, as if these were tags: a task has one class for each image"
    )


def _from_many(table: Table, classes: Sequence[str]) -> list[str]:
    """Labels from columns of 0 and 1, of which each row has exactly one 1."""
    labels = []
    for row in range(table.rows):
        held = [name for name in classes if table.columns[name][row] in ("1", "1.0")]
        if len(held) > 1:
            raise InputError(
                f"{table.place(row)}: is of the classes {' and '.join(held[:3])} (columns of 0 and 1): {_ONE}"
            )
        labels.append(held[0] if held else "")
    return labels


def _several_in_one(names: set[str]) -> str | None:
    """A value that lists several labels (`a|b`), judged by all of them together."""
    for sign in _SIGNS:
        lists = {name: [part.strip() for part in name.split(sign)] for name in names if sign in name}
        if not lists:
            continue
        enough = any if sign in "|;" else all  # a comma or a space may be part of a name
        for name, parts in lists.items():  # `a` and `b` are values as well
            if len(set(parts)) > 1 and enough(part in names for part in parts):
                return name
        if sign == " ":
            continue  # words of names repeat: "red rose", "red tulip"
        seen = Counter(part for parts in lists.values() for part in parts)
        if len(lists) > 2 and len(seen) < len(lists):
            return next(iter(sorted(lists)))
    return None
