"""The names of all tasks, in a sealed record of their own, so that a task whose record vanished is missed.

It follows the records: a task is listed after its record was made, and taken off before that is removed. So a crash in
between leaves a task that is not listed, which is listed with the next, and never one that seems to have vanished.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Protocol, TypedDict

from munet.errors import DamagedError, StoreError
from munet.fs import locks
from munet.fs.tree import Tree
from munet.store.reading import read_record
from munet.store.records import FORMAT, DamagedFile, seal

FILE = "tasks.json"
LOCK = ".tasks"


class TaskList(TypedDict):
    """`tasks.json`"""

    format: int
    tasks: list[str]


class HasFiles(Protocol):
    """A store, or what there is of one."""

    path: Path
    files: Tree


class Tasks(HasFiles, Protocol):
    """What is asked of a store."""

    def task_names(self) -> list[str]: ...


def listed(store: HasFiles) -> set[str]:
    """Names of the tasks that should have a record; none where an older version wrote all. Raises DamagedError."""
    try:
        record = read_record(store.files, store.path / FILE, TaskList, lambda record: [])
    except DamagedFile as error:
        raise DamagedFile(error.path, f"{error.reason}: {_way(store.path)}", store.path) from error
    return set() if record is None else set(record["tasks"])


def _way(system: Path) -> str:
    """What helps where the list is damaged. Only a person can say that no task is missing, so munet never mends it."""
    list_of_all, list_file = f"munet status {quote(str(system))}", quote(str(system / FILE))
    return f"where `{list_of_all}` names all tasks, `rm {list_file}` helps; else take it from a backup"


def vanished(store: Tasks) -> list[str]:
    """Tasks whose records are gone, and nobody removed them. Raises DamagedError."""
    gone = listed(store) - set(store.task_names())
    return sorted(gone & listed(store)) if gone else []  # one of them may be removed just now


def note_tasks(store: Tasks, removed: Sequence[str] = ()) -> None:
    """List all tasks that have a record, and keep on the list what vanished."""
    # What only helps to find damage must not fail anything: the list is written again with the next task or run. But a
    # task that could not be taken off would seem to have vanished.
    passed = (DamagedError,) if removed else (StoreError, DamagedError)
    with suppress(*passed), locks.exclusive(store.path / LOCK):
        before = listed(store)
        tasks = (before | set(store.task_names())) - set(removed)
        if tasks != before:
            store.files.write(store.path / FILE, seal({"format": FORMAT, "tasks": sorted(tasks)}, "the list of tasks"))


def missing_record(path: Path, system: Path) -> DamagedFile:
    """What to say of a task that vanished."""
    way = f"take it from a backup, or give the task up with `munet task remove {system} {path.stem} --yes`"
    return DamagedFile(path, f"is missing: {way}", system)
