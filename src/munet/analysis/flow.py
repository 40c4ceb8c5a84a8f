"""Knowledge flow: from which tasks' models those of other tasks descend (A15, A16), summed over systems."""

from typing import TYPE_CHECKING

from munet.analysis.columns import NUMBER, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.lineage import descent

if TYPE_CHECKING:
    import pandas as pd

EDGES: Schema = {"ancestor": TEXT, "task": TEXT, "count": WHOLE, "share": NUMBER, "width": NUMBER}


def ancestor_counts(history: History) -> "pd.DataFrame":
    """Row: a task; column: a task of its model's ancestors; value: how many ancestors, over all systems.

    The root is not counted, ancestors of the task itself are. Tasks stand in the order in which they were added.
    """
    import pandas as pd

    tasks = list(dict.fromkeys(record["name"] for one in history.readings.values() for record in one.records))
    counts: dict[str, dict[str, int]] = {task: {} for task in tasks}
    for one in history.readings.values():
        for task, model in one.retained.items():
            for ancestor in list(descent(one, model.id))[1:]:
                if ancestor.task is not None:
                    counts[task][ancestor.task] = counts[task].get(ancestor.task, 0) + 1
    # a task that was given up by the published system may still be an ancestor
    columns = list(dict.fromkeys([*tasks, *(name for row in counts.values() for name in row)]))
    rows = [[counts[task].get(name, 0) for name in columns] for task in tasks]
    return pd.DataFrame(rows, index=tasks, columns=columns, dtype="int64")


def ancestor_shares(history: History) -> "pd.DataFrame":
    """`ancestor_counts` with each row divided by its sum: 1 in a row, or 0 where a task has no counted ancestor."""
    counts = ancestor_counts(history)
    return counts.div(counts.sum(axis=1).clip(lower=1), axis=0)


def edges(history: History) -> "pd.DataFrame":
    """Edges of the graph, from `ancestor` to `task`: `count`, `share`, and how wide to draw them, from 1/3 to 1 (A15).

    The width is (count + T/2) / (T + T/2), with T all counted ancestors of the task. An edge from a task to itself
    stands for ancestors of the same task.
    """
    rows = []
    counts = ancestor_counts(history)
    for task, row in zip(counts.index, counts.to_numpy().tolist(), strict=True):
        total = sum(row)
        for ancestor, count in zip(counts.columns, row, strict=True):
            if count:
                rows.append((ancestor, task, count, count / total, (count + 0.5 * total) / (1.5 * total)))
    return table(EDGES, rows)
