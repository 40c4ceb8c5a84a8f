"""Files in a system that are none of its own: fsck tells of them, and nothing else reads them."""

import stat
from collections.abc import Iterator
from pathlib import Path

from munet.fs.atomic import explained, is_temporary
from munet.store import promised, task_list
from munet.store.creation import FOLDERS, LOCKS, MARKER, OPTIONS, REMOTES
from munet.store.records import DamagedFile
from munet.store.relations import FILE
from munet.store.run_files import CHECKPOINT
from munet.store.store import Store
from munet.store.turns import is_lock

_KNOWN = (*FOLDERS, *LOCKS, MARKER, OPTIONS, REMOTES, FILE, task_list.FILE, promised.FILE)


def strays(store: Store) -> list[Path]:
    """Everything in a system that docs/format.md does not list, and what killed writers left."""
    beside = [store.path / name for name in _names(store, store.path) if not (name in _KNOWN or is_lock(name))]
    kinds = (store.models, store.layers, store.listings)
    objects = [file for objects in kinds for file in objects.strangers()]
    return sorted([*beside, *objects, *_beside_tasks(store), *_beside_runs(store)])


def temporary_files(store: Store) -> list[Path]:
    """What killed writers left, wherever they wrote."""
    left = [file for file in strays(store) if is_temporary(file) or file.name == CHECKPOINT]
    return [file for file in left if store.files.has_file(file)]


def linked_runs(store: Store) -> list[DamagedFile]:
    """Links in the place of runs: what the records of these would reach is not known."""
    runs = [store.path / "runs" / name for name in store.names("runs") if name.isdecimal()]
    links = [run for run in runs if (found := store.files.state(run)) and stat.S_ISLNK(found.st_mode)]
    return [DamagedFile(run, "is a link, which munet never follows", store.path) for run in links]


def _beside_tasks(store: Store) -> Iterator[Path]:
    records = {f"{name}.json" for name in store.task_names()}
    return (store.path / "tasks" / name for name in store.names("tasks") if name not in records)


def _beside_runs(store: Store) -> Iterator[Path]:
    for name in store.names("runs"):
        run = store.path / "runs" / name
        if not (name.isdecimal() and store.files.has_folder(run)):
            yield run
        else:
            yield from (run / file for file in _names(store, run) if not _belongs(store, name, file))


def _belongs(store: Store, run: str, file: str) -> bool:
    """Whether a file is one of a run: a record, or the checkpoint of a trunk that is in training."""
    return (file.endswith(".json") and file[0] != ".") or (file == CHECKPOINT and not store.is_finished(run))


def _names(store: Store, folder: Path) -> list[str]:
    with explained("list", folder):
        return store.files.names(folder)
