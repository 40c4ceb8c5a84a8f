"""Rows of a Hugging Face set by the column that says which split each is of."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.tasks.sources.split_column import may_hold_splits, splits_of
from munet.text import counted

if TYPE_CHECKING:
    import datasets

_PLAIN = ("Value", "ClassLabel")  # features that hold one word or number


def split_columns(split: "datasets.Dataset", used: Collection[str]) -> dict[str, list[str]]:
    """The columns that may say which split a row is of, as text, but for those that are `used` otherwise."""
    names = [name for name in split.column_names if name not in used and may_hold_splits(name)]
    return {name: _texts(split, name) for name in names if type(split.features[name]).__name__ in _PLAIN}


def divide(
    splits: Mapping[str, "datasets.Dataset"], column: str, address: str
) -> tuple[dict[str, "datasets.Dataset"], list[str]]:
    """The rows of the only split by what stands in `column`, in their order, and notes of those that are left out.
    InputError where there is no such column, or there are several splits already."""
    if len(splits) > 1:
        raise InputError(f"{address}: there are the splits {', '.join(splits)} already: leave out split={column}")
    [whole] = splits.values()
    if column not in whole.column_names:
        names = whole.column_names
        raise InputError(
            f"{address}: there is no column '{column}'{suggest(column, names)}: say ?split=COLUMN, one of "
            f"{', '.join(names)}"
        )
    values = _texts(whole, column)
    names = splits_of(column, values)
    rows: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        rows.setdefault(names[value], []).append(row)
    lost = rows.pop("", [])
    if not rows:
        raise InputError(f"{address}: column '{column}' names no split in any row: leave out split={column}")
    notes = [f"{counted(len(lost), 'row')} name no split: left out"] if lost else []
    return {name: whole.select(there) for name, there in rows.items()}, notes


def _texts(split: "datasets.Dataset", name: str) -> list[str]:
    """A column as text, "" where nothing stands; classes by their names."""
    feature: Any = split.features[name]
    known = getattr(feature, "names", None)
    values = list(split.select_columns([name])[:][name])
    if known:
        values = [known[value] if isinstance(value, int) and 0 <= value < len(known) else None for value in values]
    return ["" if value is None else str(value).strip() for value in values]
