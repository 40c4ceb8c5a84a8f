"""Whose turn it is: any number of processes evolve a system at once, each other tasks than the rest."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from munet.fs import locks
from munet.fs.lock_holders import is_held
from munet.store.task_files import task_file

LOCK = ".evolving"  # of the system: shared by all who evolve tasks of it, and held alone while it is made


def is_lock(name: str) -> bool:
    """Whether a file beside the folders of a system is the lock of a task, also of one that is gone."""
    return name.startswith(f"{LOCK}-")


@contextmanager
def evolving(system: Path, tasks: Iterable[str]) -> Iterator[None]:
    """Hold the locks of tasks, all or none. StoreError names the process that has one of them.

    Older versions know only the lock of the system, which they hold alone: they and this one never evolve side by side.
    """
    with ExitStack() as held:
        held.enter_context(locks.among(system / LOCK, "evolving"))
        for task in sorted(set(tasks)):
            held.enter_context(locks.alone(_lock(system, task), f"evolving task '{task}' of"))
        yield


def is_evolving(system: Path, tasks: Iterable[str]) -> bool:
    """Whether a process of this machine holds the lock of one of these tasks, as far as this user may see."""
    return any(is_held(_lock(system, task)) for task in tasks)


def _lock(system: Path, task: str) -> Path:
    return system / f"{LOCK}-{task_file(task).removesuffix('.json')}"
