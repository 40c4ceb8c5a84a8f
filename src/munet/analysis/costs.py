"""Where time, FLOPs and parameters went, and why children were rejected."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from munet.analysis.child_fields import CHILDREN
from munet.analysis.columns import ANY, NUMBER, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.snapshot import Snapshot
from munet.errors import InputError, suggest

if TYPE_CHECKING:
    import pandas as pd

_SUMMED = (
    *("accepted", "retained", "samples"),
    *("train_seconds", "validation_seconds", "other_seconds", "train_flops", "validation_flops"),
)
SPENT: Schema = {
    "children": WHOLE,
    "accepted": WHOLE,
    "retained": WHOLE,
    **dict.fromkeys((*_SUMMED[2:], "seconds", "flops"), NUMBER),
}
REJECTED: Schema = {"system": TEXT, "task": TEXT, "reason": TEXT, "children": WHOLE}
PARAMETERS: Schema = {
    "system": TEXT,
    "task": TEXT,
    "parameters": WHOLE,
    "alone": WHOLE,
    "shared": WHOLE,
    "accounted": NUMBER,
    "trained": NUMBER,
    "reused": NUMBER,
}
_KINDS = (
    (re.compile(r"score .* is not better than"), "not better than its parent"),
    (re.compile(r"non-finite (\w+)"), r"non-finite \1"),
)
NOT_RECORDED = "not recorded"


def spent(history: History, by: str | Sequence[str] = "task") -> "pd.DataFrame":
    """What all children took, by any columns of theirs such as task, method, run, device: one row for each group.

    children, accepted, retained, samples; seconds and FLOPs of training, of validation and together, seconds also for
    the rest. What was not recorded counts as nothing.
    """
    names = [by] if isinstance(by, str) else list(by)
    children = history.children
    for name in names:
        if name not in children:
            raise InputError(f"no column '{name}' of children{suggest(name, children.columns)}")
    groups: dict[tuple[Any, ...], list[float]] = {}
    keys = zip(*(children[name].tolist() for name in names), strict=True)
    numbers = zip(*(children[name].fillna(0).tolist() for name in _SUMMED), strict=True)
    for group, values in zip(keys, numbers, strict=True):
        key = tuple(None if value != value else value for value in group)  # NaN never equals NaN
        sums = groups.setdefault(key, [0] * (1 + len(_SUMMED)))
        for place, value in enumerate((1, *values)):
            sums[place] += value
    schema = {**{name: CHILDREN.get(name, ANY) for name in names}, **SPENT}
    rows = ((*key, *sums, sum(sums[4:7]), sum(sums[7:9])) for key, sums in groups.items())
    return table(schema, rows)


def rejected(history: History) -> "pd.DataFrame":
    """How many children of each task were rejected, by why: system, task, reason, children."""
    columns = [history.children[name].tolist() for name in ("system", "task", "accepted", "reason")]
    rows = zip(*columns, strict=True)
    counts = Counter((system, task, kind_of(reason)) for system, task, accepted, reason in rows if not accepted)
    return table(REJECTED, ((*key, count) for key, count in counts.items()))


def kind_of(reason: str | None) -> str:
    """A reason of rejection without its numbers."""
    if not isinstance(reason, str):
        return NOT_RECORDED
    for pattern, kind in _KINDS:
        found = pattern.search(reason)
        if found:
            return found.expand(kind)
    return reason


def parameters(history: History) -> "pd.DataFrame":
    """Where the parameters of the retained models are, by task, and one row `root` for what the root holds of them.

    `parameters` of its model, `alone` and `shared` by whether another task uses the layer, `accounted`, each layer
    divided by its users; `trained`: of the layers in use, those that this task trained, each once and divided by those
    who trained it together, and of these `reused` those that another task uses. All `trained` of a system are its
    unique parameters.
    """
    rows = []
    for one in history.readings.values():
        users, sizes, trainers = one.owners, dict[str, int](), dict[str, tuple[str, ...]]()
        for model in one.retained.values():
            makers = one.trained_by(model.id)
            for slot, layer in model.layers.items():
                sizes[layer] = model.sizes.get(slot, 0)
                trainers.setdefault(layer, _known(one.trunks.get(layer, ()), one) or (makers[slot],))
        for task in [*one.retained, "root"]:
            mine = one.retained[task].layers.values() if task in one.retained else ()
            alone = sum(sizes[layer] for layer in mine if len(users[layer]) == 1)
            shared = sum(sizes[layer] for layer in mine if len(users[layer]) > 1)
            trained = {layer: sizes[layer] / len(names) for layer, names in trainers.items() if task in names}
            reused = sum(size for layer, size in trained.items() if users[layer] - {task})
            accounted = sum(sizes[layer] / len(users[layer]) for layer in mine)
            place = (one.label, task, alone + shared, alone, shared, accounted)
            rows.append((*place, sum(trained.values()), reused))
    return table(PARAMETERS, rows)


def _known(together: Sequence[str], one: Snapshot) -> tuple[str, ...]:
    return tuple(task for task in together if task in one.retained)
