"""Whose turn it is: any number of processes evolve a system at once, each other tasks than the rest."""

import resource
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from munet.fs import locks
from munet.fs.lock_holders import is_held
from munet.store.task_files import task_file

LOCK = ".evolving"  # of the system: shared by all who evolve tasks of it, and held alone while it is made
_OTHERS = 768  # files that a process has open beside


def is_lock(name: str) -> bool:
    """Whether a file beside the folders of a system is the lock of a task, also of one that is gone."""
    return name.startswith(f"{LOCK}-")


@contextmanager
def evolving(system: Path, tasks: Iterable[str]) -> Iterator[None]:
    """Hold the locks of tasks, all or none. StoreError names the process that has one of them.

    Older versions know only the lock of the system, which they hold alone: they and this one never evolve side by side.
    """
    names = sorted(set(tasks))
    _allow_files(len(names))
    with ExitStack() as held:
        held.enter_context(locks.among(system / LOCK, "evolving"))
        for task in names:
            held.enter_context(locks.alone(_lock(system, task), f"evolving task '{task}' of"))
        yield


def is_evolving(system: Path, tasks: Iterable[str]) -> bool:
    """Whether a process of this machine holds the lock of one of these tasks, as far as this user may see."""
    return any(is_held(_lock(system, task)) for task in tasks)


def _allow_files(count: int) -> None:
    """Let this process have so many more files open than most need, as far as it may: each lock is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _lock(system: Path, task: str) -> Path:
    return system / f"{LOCK}-{task_file(task).removesuffix('.json')}"
