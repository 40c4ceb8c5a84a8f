"""What an evolution asks of an executor, and the choice among them."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from munet.data import Splits
from munet.errors import InputError, suggest
from munet.jobs import Litter, Result
from munet.nursery import Setting

if TYPE_CHECKING:
    from munet.system import System

Told = Callable[[int, int, float], None]  # (child, cycle, validation accuracy)
Note = Callable[[str], None]

EXECUTORS = ("auto", "local", "processes", "ray")


class Executor(Protocol):
    """Trains litters. An executor owns its workers from its making to `close`."""

    workers: int  # litters in training at a time, at most

    def run(self, litters: Sequence[Litter], on_cycle: Told, note: Note) -> Iterator[Result]:
        """Results as children finish, in any order. All that is called back is called in the caller's thread."""
        ...

    def close(self) -> None:
        """Stop the workers, whatever they do."""
        ...


@dataclass(frozen=True)
class Team:
    """Who will train: which executor, how many workers, threads of each unless a run has recorded others."""

    executor: str
    workers: int
    threads: int
    address: str | None = None  # of a Ray cluster
    gpus_per_child: float | None = None


def plan_workers(
    executor: str,
    *,
    workers: int | None,
    threads: int | None,
    device: str,
    children: int,
    address: str | None = None,
    gpus_per_child: float | None = None,
) -> Team:
    """Fill the machine: `auto` is a process for each core where a CPU trains several children, else this process.

    Small matrix products gain little from a second thread, while a second child costs the first one nothing. Raises
    InputError for what is unknown or contradicts itself.
    """
    if executor not in EXECUTORS:
        raise InputError(f"unknown executor '{executor}'{suggest(executor, EXECUTORS)}; known: {', '.join(EXECUTORS)}")
    if executor != "ray" and (address is not None or gpus_per_child is not None):
        raise InputError("an address and GPUs per child belong to the ray executor: add --executor ray")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if executor == "auto":
        several = device == "cpu" and min(cores // (threads or 1), children) > 1
        executor = "processes" if several and workers != 1 else "local"
    if executor == "local":
        if workers not in (None, 1):
            raise InputError(f"the local executor has 1 worker, not {workers}: add --executor processes")
        return Team(executor, 1, threads or cores)
    if workers is None:
        workers = max(1, min(cores // (threads or 1), children))
    return Team(executor, workers, threads or max(1, cores // workers), address, gpus_per_child)


def start_executor(team: Team, system: "System", setting: Setting, splits: Splits) -> Executor:
    """The executor of a team. `splits` are what this process has read already."""
    from munet.executors.local import LocalExecutor

    return LocalExecutor(system, setting, splits)
