"""How accuracy rose along the lineage of each task's model, over validations (A20)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from munet.analysis.columns import FLAG, NUMBER, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.lineage import Ancestor, descent
from munet.analysis.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

CURVES: Schema = {
    "system": TEXT,
    "task": TEXT,
    "method": TEXT,
    "validation": WHOLE,
    "accuracy": NUMBER,
    "step": NUMBER,
    "selected": FLAG,
}
GAPS: Schema = {
    "system": TEXT,
    "task": TEXT,
    "method": TEXT,
    "validations": WHOLE,
    "validation_accuracy": NUMBER,
    "test_accuracy": NUMBER,
    "gap": NUMBER,
}


def curves(history: History) -> "pd.DataFrame":
    """One row for each validation: system, task, method, validation (from 1), accuracy, step, selected.

    A curve goes through the model's ancestors of the same task, the oldest first. Each contributes its validations up
    to the cycle whose parameters were selected. A model whose parent is the root, such as that of a baseline, shows all
    of its validations. `selected` marks the validation whose parameters the task has now.
    """
    rows = []
    for one in history.readings.values():
        for task, model in one.retained.items():
            count, selected = 0, None
            for ancestor, values, chosen in _parts(one, task, model.id):
                for cycle, accuracy in enumerate(values):
                    count += 1
                    selected = len(rows) if cycle == chosen else selected
                    rows.append([one.label, task, model.method, count, accuracy, ancestor.step, False])
            if selected is not None:
                rows[selected][-1] = True
    return table(CURVES, rows)


def _parts(one: Snapshot, task: str, model: str) -> list[tuple[Ancestor, Sequence[float], int | None]]:
    """(model, accuracies shown, index of the selected one) of each model of the task, the oldest first."""
    line = list(descent(one, model))
    whole = len(line) > 1 and line[1].task is None
    parts = []
    for number, ancestor in enumerate(line):
        if ancestor.task == task:
            values, chosen = _accuracies(one, ancestor)
            end = len(values) if (number == 0 and whole) or chosen is None else chosen + 1
            parts.append((ancestor, values[:end], chosen))
    return parts[::-1]


def _accuracies(one: Snapshot, model: Ancestor) -> tuple[Sequence[float], int | None]:
    """(accuracies of all cycles, index of the selected one)"""
    if model.step is not None:
        values, chosen = (one.sampled.columns[name][model.step] for name in ("accuracies", "cycle"))
    else:
        metrics = one.models[model.model].metrics if model.model in one.models else {}
        values, chosen = metrics.get("accuracies") or (), metrics.get("cycle")
    if chosen is None and values:
        chosen = max(range(len(values)), key=lambda index: (values[index], index))
    return values, chosen


def gaps(history: History) -> "pd.DataFrame":
    """One row for each retained model: validations up to the selected one, accuracy there and on the test split."""
    tasks = history.tasks[["system", "task", "test_accuracy"]].itertuples(index=False)
    tests = {(system, task): accuracy for system, task, accuracy in tasks}
    validations = curves(history)
    rows = []
    for system, task, method, validation, accuracy, _, _ in validations[validations["selected"]].itertuples(
        index=False
    ):
        test = tests[system, task]
        rows.append((system, task, method, validation, accuracy, test, accuracy - test))
    return table(GAPS, rows)
