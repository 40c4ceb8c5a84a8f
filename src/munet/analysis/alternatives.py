"""What each task would have otherwise: its head alone, fine-tuning, models of other systems beside its own.

Nothing is trained for this: it is what the runs measured on their way.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from munet.analysis.snapshot import Snapshot
from munet.store.schema import TaskRecord

HEAD, TUNED, RETAINED = "head alone", "fine-tuned", "retained"
Way = dict[str, Any]  # way, model, validation_accuracy, test_accuracy, trained (parameters), seconds


def alternatives(one: Snapshot, others: Sequence[Snapshot] = ()) -> list[list[Way]]:
    """For each task the ways that were measured, in the order of the tasks.

    `head alone` is the best child of which nothing but the head was made, `fine-tuned` the best of which all layers
    were trained, `retained` what the task has now, with the seconds of all its children. `others` are systems that have
    a task of the same name and images: what they retain is called by its method.
    """
    return [list(_ways(one, record, others)) for record in one.records]


def _ways(one: Snapshot, record: TaskRecord, others: Sequence[Snapshot]) -> Iterator[Way]:
    task, columns = record["name"], one.sampled.columns
    mine = [step for step, name in enumerate(columns["task"]) if name == task]
    heads = [step for step in mine if tuple(columns["cloned"][step] or ()) == ("head",)]
    sizes = zip(columns["trainable_parameters"], columns["parameters"], strict=True)
    trained_whole = [trained is not None and trained == size for trained, size in sizes]
    whole = [step for step in mine if trained_whole[step]]
    for way, steps in ((HEAD, heads), (TUNED, whole)):
        if known := [step for step in steps if columns["accuracy"][step] is not None]:
            best = max(known, key=lambda step: columns["accuracy"][step])
            yield _way(one, way, best, [best])
    if (retained := _retained(one, task)) is not None:
        yield _way(one, RETAINED, retained, mine)
    for other in others:
        same = any(theirs["name"] == task and _images(theirs) == _images(record) for theirs in other.records)
        if same and (step := _retained(other, task)) is not None:
            spent = [k for k, name in enumerate(other.sampled.columns["task"]) if name == task]
            yield _way(other, other.sampled.columns["method"][step] or other.label, step, spent)


def _way(one: Snapshot, way: str, step: int, spent: Sequence[int]) -> Way:
    columns = one.sampled.columns
    parts = [columns[f"{part}_seconds"][k] for part in ("train", "validation", "other") for k in spent]
    return {
        "way": way,
        "model": columns["model"][step],
        "validation_accuracy": columns["accuracy"][step],
        "test_accuracy": one.tests.get(columns["model"][step] or ""),
        "trained": columns["trainable_parameters"][step],
        "seconds": sum(part for part in parts if part is not None),
    }


def _retained(one: Snapshot, task: str) -> int | None:
    model = one.retained.get(task)
    return one.step_of.get(model.id) if model else None


def _images(record: TaskRecord) -> Any:
    return {split: part.get("fingerprint") for split, part in record["splits"].items()}
