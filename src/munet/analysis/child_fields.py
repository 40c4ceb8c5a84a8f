"""The fields of a child in one list, from which reading, the table of children and the page take their columns.

A new field of a child's record is a line here; `docs/analysis.md` says what each means.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from munet.analysis.columns import ANY, FLAG, NUMBER, SETTING, TEXT, WHOLE, Schema

Record = Mapping[str, Any]


class Source(NamedTuple):
    """Where a child stands: its run and the run's method, the record of its generation, its own record in that."""

    run: str
    method: str | None
    generation: Record
    child: Record


@dataclass(frozen=True)
class Field:
    """A column of the table of children.

    `read` takes the value from the records, None where that follows from other columns; `on_page`: the report's page
    gets the column as it is.
    """

    name: str
    kind: str
    read: Callable[[Source], Any] | None = None
    on_page: bool = False


def _text(name: str) -> Field:
    def read(source: Source) -> str | None:
        value = source.child.get(name)
        return sys.intern(value) if isinstance(value, str) else None

    return Field(name, TEXT, read)


def _number(name: str, *, on_page: bool = False) -> Field:
    return Field(name, NUMBER, lambda source: source.child.get(name), on_page)


def _part(name: str, record: str, key: str) -> Field:
    """A number out of a record within the child's."""
    return Field(name, NUMBER, lambda source: (source.child.get(record) or {}).get(key))


def _cycle(source: Source) -> int | None:
    cycle = source.child.get("cycle")
    return cycle if cycle is not None and 0 <= cycle < len(_accuracies(source)) else None


def _accuracies(source: Source) -> tuple[float, ...]:
    return tuple(source.child.get("accuracies") or ())


def _together(source: Source) -> tuple[str, ...]:
    return tuple(map(sys.intern, source.child.get("together") or ()))


def _cloned(source: Source) -> tuple[str, ...] | None:
    cloned = source.child.get("cloned")
    return None if cloned is None else tuple(map(sys.intern, cloned))


def _mutations(source: Source) -> tuple[tuple[str, str | None, Any, Any], ...]:
    """(kind, slot or name of a hyperparameter, old value, new value) of each"""
    found = []
    for mutation in source.child.get("mutations") or ():
        name = mutation.get("name") or mutation.get("slot")
        kind = sys.intern(mutation["kind"])
        found.append((kind, None if name is None else sys.intern(name), mutation.get("old"), mutation.get("new")))
    return tuple(found)


FIELDS = (
    Field("run", TEXT, lambda source: source.run),
    Field("method", TEXT, lambda source: source.method),
    Field("task", TEXT, lambda source: sys.intern(source.generation["task"])),
    Field("iteration", WHOLE, lambda source: source.generation["iteration"], on_page=True),
    Field("generation", WHOLE, lambda source: source.generation["generation"], on_page=True),
    Field("child", WHOLE, lambda source: source.child["child"]),
    _text("model"),
    _text("parent"),
    _text("parent_task"),
    Field("parent_step", NUMBER),
    Field("accepted", FLAG, lambda source: bool(source.child.get("accepted"))),
    _text("reason"),
    Field("retained", FLAG),
    Field("best", FLAG),
    _number("accuracy", on_page=True),
    _number("score", on_page=True),
    _number("parent_score"),
    _number("parameters", on_page=True),
    _number("trainable_parameters"),
    _number("accounted_parameters"),
    _number("flops", on_page=True),
    _part("image_size", "hyperparameters", "image_size"),
    Field("num_blocks", NUMBER),
    Field("cloned", ANY, _cloned),
    _number("samples"),
    Field("cycle", NUMBER, _cycle),
    Field("cycles", WHOLE, lambda source: len(_accuracies(source))),
    _part("train_seconds", "seconds", "train"),
    _part("validation_seconds", "seconds", "validation"),
    _part("other_seconds", "seconds", "other"),
    _part("train_flops", "flops_spent", "train"),
    _part("validation_flops", "flops_spent", "validation"),
    _text("started"),
    _text("finished"),
    _text("device"),
)
# Columns that only help to make others: what imported children are called, and what tables of their own are made of.
HELPERS = (
    Field("path", TEXT, lambda source: source.child.get("path")),
    Field("parent_path", TEXT, lambda source: source.child.get("parent_path")),
    Field("accuracies", ANY, _accuracies),
    Field("together", ANY, _together),
    Field("mutations", ANY, _mutations),
)
CHILDREN: Schema = {"system": TEXT, "step": WHOLE, **{field.name: field.kind for field in FIELDS}}
ON_PAGE = tuple(field.name for field in FIELDS if field.on_page)
RECORDED = tuple((field.name, field.read) for field in (*FIELDS, *HELPERS) if field.read is not None)


def read_child(source: Source) -> dict[str, Any]:
    """The value of each recorded column, and of one for each hyperparameter, named `hp.NAME`."""
    settings: Record = source.child.get("hyperparameters") or {}
    row = {SETTING + name: value for name, value in settings.items()}
    return row | {name: read(source) for name, read in RECORDED}
