"""Options of a figure, and the error where the history lacks what it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest

if TYPE_CHECKING:
    from munet.analysis import History

Frame = Any  # a pandas data frame; what pandas declares of its parts is wider than what they are here


@dataclass(frozen=True)
class Options:
    """What `munet plot` and Python can choose; each figure reads those that concern it."""

    task: str | None = None
    model: str | None = None
    column: str | None = None
    step: int | None = None


def one_system(history: "History", figure: str) -> None:
    """InputError where there are several systems."""
    if len(history.systems) > 1:
        named = ", ".join(history.systems)
        raise InputError(f"{figure} draws one system, not {len(history.systems)} ({named}): leave --with away")


def some(frame: Frame, figure: str, what: str, way: str = "`munet evolve` makes some") -> Frame:
    """The frame, if it has rows. InputError otherwise."""
    if len(frame) == 0:
        raise InputError(f"{figure} needs {what}, and the history has none: {way}")
    return frame


def evolved(history: "History", figure: str) -> Frame:
    """The rows of tasks that have a model, in the order in which they were added. InputError where none has."""
    tasks = history.tasks
    if len(tasks) == 0:
        raise InputError(f"{figure} needs tasks, and the system has none: add one with `munet add` and evolve it")
    return some(tasks[tasks["model"].notna()], figure, "a task with a model")


def readable(history: "History", figure: str) -> Frame:
    """The same, if the layers of at least one of these models are known. InputError otherwise."""
    rows = evolved(history, figure)
    some(history.layers, figure, "a model that can be read", "`munet fsck` says what is damaged")
    return rows


def chosen_tasks(options: Options, tasks: Sequence[str], figure: str) -> list[str]:
    """The task of the options, or all. InputError for one that is not among them."""
    if options.task is None:
        return list(tasks)
    if options.task not in tasks:
        there = ", ".join(list(tasks)[:8]) + (", …" if len(tasks) > 8 else "")
        raise InputError(f"--task {options.task}{suggest(options.task, list(tasks))}: {figure} has {there}")
    return [options.task]
