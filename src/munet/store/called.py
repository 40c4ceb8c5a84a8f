"""Which task of a system a model belongs to, where tasks were given other names.

A manifest names the task that its model was trained for, as it was called then and there, and its id depends on that.
The record of a task lists what else it was `called`. So a manifest is read here as one of the task that it is of here,
which its record tells by the models that it has retained, and never by the old name alone: another task may have that
name by now. Bytes, ids and what is sent to others stay as they are.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from munet.errors import MunetError
from munet.store.retained import history_of
from munet.store.schema import Manifest, TaskRecord

if TYPE_CHECKING:
    from munet.fs.tree import Tree

Withheld = Callable[[str, Manifest], str | None]
"""From a model to the private task that it is of, if it is of one."""


class Models(Protocol):
    """What is asked of a store."""

    path: Path

    @property
    def files(self) -> "Tree": ...
    def task_names(self) -> list[str]: ...
    def read_task(self, name: str) -> TaskRecord: ...
    def has_model(self, id: str) -> bool: ...
    def get_model(self, id: str) -> Manifest: ...


def names_of(record: TaskRecord) -> set[str]:
    """What a task is called and was called: manifests of its models have one of these."""
    return {record["name"], *record.get("called", ())}


class Called:
    """The models of a store that have another name of their task. Looked for again when a record changes."""

    def __init__(self, store: Models) -> None:
        self._store = store
        self._seen: int | None = None
        self._tasks: dict[str, str] = {}  # model -> its task here

    def local(self, model: str, manifest: Manifest) -> Manifest:
        """A manifest with the name that the task of its model has here."""
        task = self._now().get(model)
        return manifest if task is None else {**manifest, "task": task}

    def task_of(self, model: str | None) -> str | None:
        """The task that a model is of here, where its manifest may name it otherwise."""
        return None if model is None else self._now().get(model)

    def _now(self) -> dict[str, str]:
        state = self._store.files.state(self._store.path / "tasks")
        seen = None if state is None else state.st_mtime_ns
        if seen is None or seen != self._seen:
            records = _records(self._store)
            found = {
                model: record["name"]
                for record in records
                if record.get("called")
                for model in line_of(self._store, record, records)
            }
            self._tasks, self._seen = found, seen
        return self._tasks


def withheld(store: Models, unreadable: Collection[str]) -> Withheld:
    """By the records as they are now. Of a task that is `unreadable` nobody knows whether it is private."""
    records = _records(store)
    private = [record for record in records if record["private"]]
    names = {name: record["name"] for record in private for name in names_of(record)}
    names |= {name: name for name in unreadable}
    # Where a public task has, or had, the name of a private one, only what its own record tells of is not withheld, and
    # nothing that the private one's tells of too, whatever others have put into the public one.
    open_too = [record for record in records if not record["private"] and names_of(record) & names.keys()]
    public = {model for record in open_too for model in line_of(store, record, records)}
    if public:
        public -= {model for record in private for model in {*history_of(record), *line_of(store, record, records)}}

    def private_task(model: str, manifest: Manifest) -> str | None:
        return None if model in public else names.get(manifest.get("task") or "")

    return private_task


def line_of(store: Models, record: TaskRecord, records: Iterable[TaskRecord]) -> set[str]:
    """Models that are of a task: those that it has retained, and of each those before it that have the same name of the
    task, unless another task retained them that has this name, or had it and they are not retained here too."""
    mine, names = history_of(record), names_of(record)
    theirs = set[str]()
    for other in records:
        if other["name"] != record["name"] and names_of(other) & names:
            # What comes from others cannot say of models of a task here that they are of another.
            theirs |= history_of(other).keys() - (set() if other["name"] in names else mine.keys())
    found = set[str]()
    for model in mine:
        current, newer = model, None
        while current is not None and current not in found and current not in theirs and store.has_model(current):
            manifest = store.get_model(current)
            if manifest["task"] not in names or (current not in mine and manifest["task"] != newer):
                break
            found.add(current)
            newer, current = manifest["task"], manifest["parent"]
    return found


def _records(store: Models) -> list[TaskRecord]:
    """Those that can be read."""
    found = list[TaskRecord]()
    for name in store.task_names():
        try:
            found.append(store.read_task(name))
        except MunetError:
            continue
    return found
