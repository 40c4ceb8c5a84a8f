"""Checking a whole system: every object against its id, every record against its checksum, every ref to the end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from munet.store.gc import temporary_files
from munet.store.objects import Objects
from munet.store.reachability import Reach, Use, reach
from munet.store.records import DamagedFile
from munet.store.run_files import generation_of, listings_of_task
from munet.store.store import Store
from munet.store.task_files import is_task_file

Progress = Callable[[int, int], None]  # objects checked, objects in all


@dataclass(frozen=True)
class Damage:
    """One object or record that is missing or does not hold what it should."""

    path: str  # relative to the system
    kind: str  # "layer", "model", "listing", "task" or "run"
    id: str  # of the object; of a record, the task or run it belongs to
    reason: str
    tasks: tuple[str, ...]  # tasks that it hurts
    root: bool  # it hurts the root, from which new tasks start
    weights: bool  # a model cannot be loaded; otherwise only its history is cut

    def __str__(self) -> str:
        hurt = [f"task {name}" for name in self.tasks] + ["the root"] * self.root
        if not hurt:
            return f"{self.path} {self.reason}; hurts no task" + (
                "" if self.kind == "run" else " (`munet gc` removes it)"
            )
        what = "only `munet update` of " if self.kind == "listing" else "" if self.weights else "only the history of "
        return f"{self.path} {self.reason}; hurts {what}{', '.join(hurt)}"


@dataclass
class Report:
    """What a check found. `strays` are no damage: temporary files of killed writers, and files of others."""

    tasks: int = 0
    models: int = 0
    layers: int = 0
    listings: int = 0
    bytes: int = 0
    damaged: list[Damage] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.damaged

    @property
    def hurt(self) -> list[str]:
        """Tasks that the damage touches."""
        return sorted({task for damage in self.damaged for task in damage.tasks})

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "hurt": self.hurt, **asdict(self)}


def fsck(store: Store, progress: Progress | None = None) -> Report:
    """Re-hash everything and check that each ref reaches all it needs. Repairs and removes nothing.

    Others may evolve meanwhile; only gc waits, for it could remove what this has listed and not yet read.
    """
    with store.commit():
        found = reach(store)
        report = Report(tasks=len(store.task_names()))
        faults = _check_objects(store, found, report, progress)
        report.damaged = [_damage(store, *fault, found) for fault in faults]
        report.damaged += _damaged_records(store, found)
        report.strays = _strays(store)
    return report


def _check_objects(
    store: Store, found: Reach, report: Report, progress: Progress | None
) -> list[tuple[Objects, str, str]]:
    """(kind, id, reason) of each object that is wrong or missing."""
    kinds = (store.models, store.layers, store.listings)
    stored = [(objects, id) for objects in kinds for id in objects.ids()]
    reached = [(store.models, id) for id in found.models] + [(store.layers, id) for id in found.layers]
    faults = []
    unreadable = {hidden.path: hidden.reason for hidden in found.unreadable}
    here = {(objects.kind, id) for objects, id in stored}
    every = stored + [(objects, id) for objects, id in reached if (objects.kind, id) not in here]
    for number, (objects, id) in enumerate(every, start=1):
        fault = objects.fault(id)
        if fault is None and objects is store.models:
            fault = unreadable.get(objects.path(id))  # whole, and yet no manifest
        if fault is not None:
            faults.append((objects, id, fault))
        if progress is not None:
            progress(number, len(every))
    report.models = sum(objects is store.models for objects, _ in stored)
    report.layers = sum(objects is store.layers for objects, _ in stored)
    report.listings = len(stored) - report.models - report.layers
    report.bytes = sum(objects.path(id).stat().st_size for objects, id in stored)
    return faults


def _damage(store: Store, objects: Objects, id: str, reason: str, found: Reach) -> Damage:
    if objects is store.listings:
        use = _listing_use(store, id)
    else:
        use = (found.models if objects is store.models else found.layers).get(id, Use())
    path = str(objects.path(id).relative_to(store.path))
    return Damage(path, objects.kind, id, reason, tuple(sorted(use.tasks)), use.root, use.weights)


def _listing_use(store: Store, id: str) -> Use:
    """The tasks whose splits had these images; what can be read of them, for other damage is told elsewhere."""
    tasks = set[str]()
    for name in store.task_names():
        with suppress(DamagedFile):
            tasks |= {name} if id in listings_of_task(store.read_task(name)) else set()
    return Use(tasks)


def _damaged_records(store: Store, found: Reach) -> list[Damage]:
    hiding = {hidden.path for hidden in found.unreadable}
    damaged = []
    for kind, name, task, read in _records(store):
        try:
            read()
        except DamagedFile as error:
            # A record that no ref depends on any more still tells what was tried.
            hurts = error.path in hiding
            path = _relative(store, error.path)
            damaged.append(Damage(path, kind, name, error.reason, (task,) if hurts and task else (), False, hurts))
    return damaged


def _records(store: Store) -> Iterator[tuple[str, str, str | None, Callable[[], object]]]:
    """(kind, name, task, how to read it) of each mutable record."""
    for name in store.task_names():
        yield "task", name, name, partial(store.read_task, name)
    for run in store.runs():
        for file in store.run_files(run):
            place = generation_of(file)
            yield "run", f"{run}/{file}", place and place.task, partial(store.read_run, run, file)


def _strays(store: Store) -> list[str]:
    kinds = (store.models, store.layers, store.listings)
    strangers = [*(file for objects in kinds for file in objects.strangers()), *_beside_tasks(store)]
    strays = {*strangers, *temporary_files(store, strangers)}
    return sorted(_relative(store, file) for file in strays)


def _beside_tasks(store: Store) -> list[Path]:
    """Files among the records of tasks that no task can have the name of."""
    files = (store.path / "tasks").iterdir()
    return [file for file in files if not (file.suffix == ".json" and is_task_file(file.stem)) and file.name[0] != "."]


def _relative(store: Store, path: Path) -> str:
    return str(path.relative_to(store.path))
