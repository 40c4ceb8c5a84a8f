"""A task under another name there than here: what `--as` and `--theirs` ask, and what they leave.

A name is of one place: two people may give one name to two tasks. What is joined are tasks of the same data, whatever
they are called on either side; nothing of this is part of the join (`munet.sharing.task`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from munet.errors import InputError, suggest
from munet.sharing.place import Place
from munet.sharing.task import SharedTask
from munet.store import Store
from munet.tasks.names import free_name

Ways = Callable[[str, str], str]
"""From a task's name at the source and at the target to what a person can do where these are two tasks."""


class Aside(Protocol):
    """How a task of the target gives up its name."""

    def wanted(self, told: SharedTask, name: str) -> bool:
        """Whether the target has another task of this name than the one that is told of, which is to make room."""
        ...

    def make_room(self, task: str) -> str:
        """Let the task of the target have another name; which one."""
        ...


@dataclass(frozen=True)
class Naming:
    """What each task of the source is called at the target: as at the source, unless it is `renamed`."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    aside: Aside | None = None
    giving: bool = False  # the source is who asks, as in a push
    ways: Ways = lambda task, name: f"leave it out with --skip {task}"

    def at_target(self, task: str) -> str:
        return self.renamed.get(task, task)


def refuse_impossible(
    renamed: Mapping[str, str], theirs: Collection[str], source: Place, known: Mapping[str, str], skip: Collection[str]
) -> None:
    """InputError where a task that is named for `--as` or `--theirs` is not shared at the source, or a new name is that
    of another task there. `known` are the names at the target that are remembered."""
    there = source.tasks() if renamed or theirs else []
    for option, task in [*(("--as", task) for task in renamed), *(("--theirs", task) for task in theirs)]:
        if task not in there:
            raise InputError(
                f"{option} {task}: {source.name} shares no such task{suggest(task, there)}", kind="unknown-task"
            )
    twice = next((task for task in renamed if task in theirs), None)
    if twice is not None:
        raise InputError(f"--as {twice}={renamed[twice]} and --theirs {twice} contradict each other: leave one out")
    names = {**known, **renamed}
    for task, name in renamed.items():
        if name in set(there) - {task, *skip} and names.get(name, name) == name:
            raise InputError(
                f"--as {task}={name}: {source.name} has a task '{name}' too: choose another name", kind="exists"
            )


def under(told: SharedTask, name: str, source: Place) -> SharedTask:
    """A task as it is told under another name. Signatures bind the name, so they stay where they were put."""
    before = told.data["name"]
    if name == before:
        return told
    # Only a name that manifests have: a task that comes home brings no name of the way back.
    borne = any((found := source.manifest(model)) is not None and found["task"] == before for model in told.retained)
    called = {*told.called, *([before] if borne else [])} - {name}
    return SharedTask({**told.data, "name": name}, told.retained, told.iterations, {}, frozenset(called))


class Theirs:
    """Tasks of a store that make room for those of others, and stay under another name."""

    def __init__(self, store: Store, tasks: Iterable[str]) -> None:
        self._store = store
        self._tasks = set(tasks)
        self.moved: dict[str, str] = {}  # tasks that made room, and what they are called now

    def wanted(self, told: SharedTask, name: str) -> bool:
        if name not in self._tasks or not self._store.has_task(name):
            return False
        mine = self._store.read_task(name)
        return mine["private"] or SharedTask.of(mine).other_data(told) is not None

    def make_room(self, task: str) -> str:
        from munet.tasks.changing import put_aside  # which reads images, and with them numpy

        self.moved[task] = put_aside(self._store, task)["name"]
        return self.moved[task]


def ways_to_take(command: str, mine: Store) -> Ways:
    """What `command` (all words but the tasks') can do where a task of mine and theirs have one name."""

    def ways(task: str, name: str) -> str:
        new = free_name(f"{name}-theirs", mine.task_names())
        return (
            f"`{command} --as {task}={new}` takes theirs beside yours, `{command} --theirs {task}` takes theirs and "
            f"keeps yours under another name, `{command} --ours {task}` leaves theirs out"
        )

    return ways


def ways_to_give(command: str, there: Callable[[], Sequence[str]]) -> Ways:
    """What a push can do where a task of mine and one that is there have one name."""

    def ways(task: str, name: str) -> str:
        new = free_name(f"{name}-2", there())
        return f"`{command} --as {task}={new}` shares yours under another name, `{command} --skip {task}` leaves it out"

    return ways
