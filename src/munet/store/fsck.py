"""Checking a whole system: every object against its id, every record against its checksum, every ref to the end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from shlex import quote
from typing import Any

from munet.errors import InputError
from munet.store.absent import absent
from munet.store.consistent import damage_among
from munet.store.creation import MARKER
from munet.store.layer_file import LayerFormatError, refuse_infinite
from munet.store.manifests import layers_of
from munet.store.objects import MISSING, MissingObject, Objects
from munet.store.reachability import Reach, Use, reach
from munet.store.records import DamagedFile, marker_of
from munet.store.run_files import generation_of, listings_of_task
from munet.store.store import ModelCheck, Store
from munet.store.strays import linked_runs, strays

Progress = Callable[[int, int], None]  # objects checked, objects in all
_REMOVED = ("layer", "model", "listing")  # kinds that are collected


@dataclass(frozen=True)
class Damage:
    """One object or record that is missing or does not hold what it should."""

    path: str  # relative to the system
    kind: str  # "layer", "model", "listing", "task", "run" or "system"
    id: str  # of the object; of a record, the task or run it belongs to
    reason: str
    tasks: tuple[str, ...]  # tasks that it hurts
    root: bool  # it hurts the root, from which new tasks start
    weights: bool  # a model cannot be loaded; otherwise only its history is cut

    @property
    def hides(self) -> bool:
        """Whether it may hide what else has to stay, so that nothing can be collected before it is mended."""
        if self.kind == "model":
            return bool(self.tasks) or self.root
        return self.kind in ("task", "run") and self.weights

    def __str__(self) -> str:
        hurt = [f"task {name}" for name in self.tasks] + ["the root"] * self.root
        if not hurt:
            return f"{self.path} {self.reason}; hurts no task"
        what = "only `munet update` of " if self.kind == "listing" else "" if self.weights else "only the history of "
        return f"{self.path} {self.reason}; hurts {what}{', '.join(hurt)}"


@dataclass
class Report:
    """What a check found. `strays` are no damage: temporary files of killed writers, and files of others."""

    tasks: int = 0
    models: int = 0
    layers: int = 0
    listings: int = 0
    elsewhere: int = 0  # layers that come when they are used
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

    def lines(self, system: str) -> list[str]:
        """One for each damage, with what helps where nobody needs what is damaged. `system` is its path or address."""
        hiding = any(damage.hides for damage in self.damaged)
        way = f"`munet gc {quote(system)}` removes it{', when the other damage is mended' if hiding else ''}"
        loose = [not (damage.tasks or damage.root) and damage.kind in _REMOVED for damage in self.damaged]
        return [f"{damage} ({way})" if one else str(damage) for damage, one in zip(self.damaged, loose, strict=True)]

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "hurt": self.hurt, **asdict(self)}


def fsck(store: Store, progress: Progress | None = None, check: ModelCheck | None = None) -> Report:
    """Re-hash everything and check that each ref reaches all it needs. Repairs and removes nothing.

    `check` says whether a model can be used, as in `Store.put_model`. It is asked of the models that a ref keeps, for
    the layers of their ancestors may be gone.

    Holds no lock. What others let go meanwhile is no damage, and of what they add not all is seen.
    """
    found = reach(store)
    report = Report(tasks=len(store.task_names()))
    faults = _check_objects(store, found, report, progress)
    damaged = damage_among(store, {id for _, id, fault in faults if fault == MISSING})
    report.damaged = [_damage(store, *fault, found) for fault in faults if fault[2] != MISSING or fault[1] in damaged]
    report.damaged += [*_damaged_records(store, found), *_damaged_marker(store)]
    if check is not None:
        report.damaged += _useless_models(store, found, {damage.id for damage in report.damaged}, check)
    report.strays = [_relative(store, file) for file in strays(store)]
    return report


def _damaged_marker(store: Store) -> Iterator[Damage]:
    """The marker has no checksum. It is short, and can be compared with what it should be."""
    if store.files.read(store.path / MARKER) != marker_of(store.root):
        reason = "is not byte for byte what munet wrote, though it says the same: take it from a backup"
        yield Damage(MARKER, "system", store.root, reason, tasks=(), root=False, weights=False)


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
    missing = [(objects, id) for objects, id in reached if (objects.kind, id) not in here]
    lost = [(objects, id) for objects, id in missing if objects is not store.layers or id not in store.promises]
    report.elsewhere = len(missing) - len(lost)
    every = stored + lost
    for number, (objects, id) in enumerate(every, start=1):
        data, fault = objects.examined(id)
        if fault is None and objects is store.layers:
            fault = _not_finite(data)
        if fault is None and objects is store.models:
            fault = unreadable.get(objects.path(id))  # whole, and yet no manifest
        if fault is not None:
            faults.append((objects, id, fault))
        if progress is not None:
            progress(number, len(every))
    report.models = sum(objects is store.models for objects, _ in stored)
    report.layers = sum(objects is store.layers for objects, _ in stored)
    report.listings = len(stored) - report.models - report.layers
    sizes = (store.files.state(objects.file(id)) for objects, id in stored)
    report.bytes = sum(size.st_size for size in sizes if size is not None)
    return faults


def _not_finite(data: bytes) -> str | None:
    try:
        refuse_infinite(data)
    except LayerFormatError as error:
        return f"cannot be used: {error}"
    return None


def _useless_models(store: Store, found: Reach, damaged: set[str], check: ModelCheck) -> list[Damage]:
    """Models that are whole and cannot be loaded all the same."""
    faults, header = [], lru_cache(maxsize=None)(store.layer_header)
    for id, use in found.models.items():
        if not use.weights or id in damaged:
            continue
        try:
            manifest = store.get_model(id)
            layers = {layer for _, layer in layers_of(manifest)}
            if not damaged & layers and all(map(store.layers.has, layers)):
                check(manifest, header)
        except MissingObject:  # let go in the meantime
            continue
        except InputError as error:
            if error.kind != "newer-format":  # a reader that does not know a kind of network keeps it all the same
                faults.append(_damage(store, store.models, id, f"cannot be used: {error}", found))
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
        with suppress(DamagedFile, InputError):
            tasks |= {name} if id in listings_of_task(store.read_task(name)) else set()
    return Use(tasks)


def _damaged_records(store: Store, found: Reach) -> list[Damage]:
    hiding = {hidden.path for hidden in found.unreadable}
    damaged = [
        Damage(_relative(store, link.path), "run", link.path.name, link.reason, (), False, True)
        for link in linked_runs(store)
    ]
    for record in absent(store):
        hurts = (record.task,) if record.task and (record.hides or _is_open(store, record.task)) else ()
        path = _relative(store, record.fault.path)
        damaged.append(Damage(path, record.kind, record.id, record.fault.reason, hurts, False, record.hides))
    for kind, name, task, read in _records(store):
        try:
            read()
        except InputError:  # the task was removed meanwhile
            continue
        except DamagedFile as error:
            # A record that no ref depends on any more still tells what was tried.
            hurts = error.path in hiding
            path = _relative(store, error.path)
            if any(damage.path == path for damage in damaged):
                continue
            damaged.append(Damage(path, kind, name, error.reason, (task,) if hurts and task else (), False, hurts))
    return damaged


def _is_open(store: Store, task: str) -> bool:
    """Whether a task is in the middle of a task iteration."""
    try:
        return store.read_task(task).get("active") is not None
    except (DamagedFile, InputError):
        return False


def _records(store: Store) -> Iterator[tuple[str, str, str | None, Callable[[], object]]]:
    """(kind, name, task, how to read it) of each mutable record."""
    for name in store.task_names():
        yield "task", name, name, partial(store.read_task, name)
    for run in store.runs():
        for file in store.run_files(run):
            place = generation_of(file)
            yield "run", f"{run}/{file}", place and place.task, partial(store.read_run, run, file)


def _relative(store: Store, path: Path) -> str:
    return str(path.relative_to(store.path))
