"""The record of a task iteration that is over: what was retained, and what the system came to with it."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from munet.store.records import FORMAT
from munet.store.schema.task import ModelTest


class Totals(TypedDict):
    """What a system comes to; a mean over nothing is None."""

    mean_validation_accuracy: float | None
    mean_test_accuracy: float | None
    unique_parameters: int  # each layer counted once
    parameters_per_task: float | None
    flops_per_task: float | None


class SystemTotals(Totals):
    """The totals with the number of tasks that have a model."""

    tasks: int


class IterationRecord(TypedDict):
    """`<task>-<iteration>.end.json`: written before the task's record says the same."""

    format: int
    task: str
    iteration: int
    order: int  # place in the run
    model: str | None
    validation_accuracy: float | None
    test: ModelTest | None
    system: SystemTotals
    finished: str  # UTC
    children: NotRequired[dict[str, int]]  # of each generation that has a record; not in records of older versions


def iteration_record(
    task: str,
    iteration: int,
    *,
    order: int,
    model: str | None,
    validation_accuracy: float | None,
    test: ModelTest | None,
    tasks: int,
    totals: Totals,
    finished: str,
    children: Mapping[int, int] | None = None,
) -> IterationRecord:
    """Say what a task iteration retains. `tasks` that have a model, and the `totals` over them; `children` of each
    generation."""
    made: IterationRecord = {
        "format": FORMAT,
        "task": task,
        "iteration": iteration,
        "order": order,
        "model": model,
        "validation_accuracy": validation_accuracy,
        "test": test,
        "system": {"tasks": tasks, **totals},
        "finished": finished,
    }
    if children is not None:
        made["children"] = {str(generation): count for generation, count in children.items()}
    return made
