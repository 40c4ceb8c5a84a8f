"""The columns of every table but that of children (`child_fields`), with types; docs/analysis.md explains them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TEXT = "object"  # str, None where it is not known
WHOLE = "int64"
NUMBER = "float64"  # NaN where it is not known
FLAG = "bool"
ANY = "object"

Columns = dict[str, list[Any]]
Schema = Mapping[str, str]

TASKS: Schema = {
    "system": TEXT,
    "task": TEXT,
    "order": WHOLE,
    "private": FLAG,
    "classes": WHOLE,
    "train_examples": NUMBER,
    "validation_examples": NUMBER,
    "test_examples": NUMBER,
    "iterations": WHOLE,
    "model": TEXT,
    "by": TEXT,
    "signed_by": TEXT,
    "claimed": FLAG,
    "validation_accuracy": NUMBER,
    "test_accuracy": NUMBER,
    "score": NUMBER,
    "parameters": NUMBER,
    "accounted_parameters": NUMBER,
    "flops": NUMBER,
    "num_blocks": NUMBER,
    "image_size": NUMBER,
}
CYCLES: Schema = {"system": TEXT, "step": WHOLE, "task": TEXT, "cycle": WHOLE, "accuracy": NUMBER}
MUTATIONS: Schema = {
    "system": TEXT,
    "step": WHOLE,
    "task": TEXT,
    "kind": TEXT,
    "name": TEXT,
    "old": ANY,
    "new": ANY,
}
MODELS: Schema = {
    "system": TEXT,
    "model": TEXT,
    "task": TEXT,
    "parent": TEXT,
    "method": TEXT,
    "generation": NUMBER,
    "validation_accuracy": NUMBER,
    "test_accuracy": NUMBER,
    "score": NUMBER,
    "alive": FLAG,
    "retained": FLAG,
    "step": NUMBER,
}
LAYERS: Schema = {
    "system": TEXT,
    "task": TEXT,
    "model": TEXT,
    "slot": TEXT,
    "layer": TEXT,
    "kind": TEXT,
    "block": NUMBER,
    "parameters": NUMBER,
    "trained_by": TEXT,
    "together": ANY,
    "users": WHOLE,
    "shared_with": ANY,
}
PROBABILITIES: Schema = {
    "system": TEXT,
    "task": TEXT,
    "model": TEXT,
    "mutation": TEXT,
    "kind": TEXT,
    "block": NUMBER,
    "probability": NUMBER,
}
ITERATIONS: Schema = {
    "system": TEXT,
    "step": NUMBER,
    "run": TEXT,
    "task": TEXT,
    "iteration": WHOLE,
    "order": WHOLE,
    "model": TEXT,
    "validation_accuracy": NUMBER,
    "test_accuracy": NUMBER,
    "samples": NUMBER,
    "tasks": NUMBER,
    "mean_validation_accuracy": NUMBER,
    "mean_test_accuracy": NUMBER,
    "unique_parameters": NUMBER,
    "parameters_per_task": NUMBER,
    "flops_per_task": NUMBER,
    "finished": TEXT,
}
RUNS: Schema = {
    "system": TEXT,
    "run": TEXT,
    "method": TEXT,
    "imported": FLAG,
    "tasks": WHOLE,
    "seed": NUMBER,
    "precision": TEXT,
    "device": TEXT,
    "threads": NUMBER,
    "started": TEXT,
    "finished": TEXT,
    "abandoned": FLAG,
    "seconds": NUMBER,
    "children": WHOLE,
    "machine": ANY,
    "versions": ANY,
}
SETTING = "hp."  # begins the columns of hyperparameters in the table of children


def frame(schema: Schema, parts: Iterable[Mapping[str, Sequence[Any]]], *, more: str | None = None) -> "pd.DataFrame":
    """A table of parts one below the other, with the schema's columns and types.

    Columns that begin with `more` may differ from part to part: they come last, and their types follow from the values.
    """
    import pandas as pd

    parts = list(parts)
    columns = {name: _series([part[name] for part in parts], kind) for name, kind in schema.items()}
    if more is not None:
        names = sorted({name for part in parts for name in part if name.startswith(more)})
        for name in names:
            lists = [part.get(name) or [None] * len(part["step"]) for part in parts]
            columns[name] = _series(lists, _kind(lists))
    return pd.DataFrame(columns)


def filled(schema: Schema, rows: Iterable[Sequence[Any]]) -> Columns:
    """Columns from rows, whose values stand in the order of the schema."""
    found: Columns = {name: [] for name in schema}
    lists = list(found.values())
    for row in rows:
        for values, value in zip(lists, row, strict=True):
            values.append(value)
    return found


def table(schema: Schema, rows: Iterable[Sequence[Any]]) -> "pd.DataFrame":
    """A table from rows."""
    return frame(schema, [filled(schema, rows)])


def _series(lists: Iterable[Sequence[Any]], kind: str) -> "pd.Series":
    import pandas as pd

    return pd.Series([value for part in lists for value in part], dtype=kind)  # type: ignore[call-overload]


def _kind(lists: Iterable[Sequence[Any]]) -> str:
    """The narrowest type of values that no schema tells."""
    kinds = {type(value) for part in lists for value in part}
    if kinds == {bool}:
        return FLAG
    if kinds == {int}:
        return WHOLE
    return NUMBER if kinds and kinds <= {int, float, type(None)} and kinds != {type(None)} else ANY
