"""The examples of a table: one for each image, with its file, class and split; why other rows are none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from munet.errors import InputError
from munet.tasks.sources.split_column import splits_of, told_of_unused
from munet.tasks.sources.table.columns import Columns
from munet.tasks.sources.table.labels import labels_of, tags_among
from munet.tasks.sources.table.paths import Finder
from munet.tasks.sources.table.read import Table
from munet.text import counted


@dataclass(frozen=True)
class Example:
    """One image: where the table names it, its name there, its file if there is one, its class."""

    place: str
    name: str
    path: Path | None
    label: str


@dataclass
class Examples:
    """Examples of each split, and a note for each kind of row that is none."""

    splits: dict[str, list[Example]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[Example]:
        """Those of all splits."""
        return [example for part in self.splits.values() for example in part]


def collect(table: Table, columns: Columns, finder: Finder, *, as_written: bool = True) -> Examples:
    """The examples of `table`, labels `as_written` or not (`labels_of`). InputError where an image has two labels or
    two splits, or its name is not clear."""
    labels, notes = labels_of(table, columns, as_written=as_written)
    splits, written = _splits_of(table, columns)
    labelled = {split for split, label in zip(splits, labels, strict=True) if label}
    found, seen, left_out = Examples(notes=notes), dict[str, tuple[str, str]](), Counter[str]()
    for row, name in enumerate(table.columns[columns.image]):
        label, split = labels[row], splits[row]
        reason = _lacks(name, label, split, labelled)
        path = None if reason else finder.find(name, (written[row], label))
        if not reason and (before := seen.get(str(path or name))) is not None:
            _refuse_other(f"{table.place(row)}: '{name}'", before, (label, split))
            reason = "name an image that another row names"
        if reason:
            left_out[reason] += 1
            continue
        seen[str(path or name)] = label, split
        found.splits.setdefault(split, []).append(Example(table.place(row), name, path, label))
    found.notes += [f"{counted(count, 'row')} {reason}: left out" for reason, count in left_out.items()]
    found.notes += [note for note in (tags_among(labels), *_unused(table, columns)) if note]
    return found


def _splits_of(table: Table, columns: Columns) -> tuple[list[str], list[str]]:
    """The split of each row by munet's names, and as the table has it."""
    if not columns.split:
        return ["train"] * table.rows, [""] * table.rows
    written = table.columns[columns.split]
    names = splits_of(columns.split, written)
    return [names[value] for value in written], written


def _unused(table: Table, columns: Columns) -> list[str]:
    """Notes of columns that may hold splits or folds, where none is used."""
    if columns.split:
        return []
    used = {columns.image, columns.label, *columns.classes}
    return told_of_unused({name: values for name, values in table.columns.items() if name not in used})


def _lacks(name: str, label: str, split: str, labelled: set[str]) -> str:
    """Why a row is no example; empty if it is one."""
    if not name:
        return "name no image"
    if not split:
        return "name no split"
    if label:
        return ""
    return "have no label" if split in labelled else f"of {split} have no label, nor has any other of it"


def _refuse_other(what: str, before: Sequence[str], now: Sequence[str]) -> None:
    """InputError where a row that names an image again says something else of it."""
    if before[0] != now[0]:
        raise InputError(
            f"{what} is of class '{now[0]}' here and of '{before[0]}' above: one label for each image is needed, "
            "keep one of its rows"
        )
    if before[1] != now[1]:
        raise InputError(f"{what} is in {now[1]} here and in {before[1]} above: keep one of its rows")
