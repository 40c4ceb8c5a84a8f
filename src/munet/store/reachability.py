"""Which objects the refs reach. Everything else is garbage, and who reaches a thing is who is hurt when it is damaged.

Refs are the root, each task's retained model and active population, and the accepted children of a run whose task
iteration is not over. Of these models the layers and momentum are kept. Of their ancestors only the manifests are:
history stays, weights that no ref needs do not.
"""

from dataclasses import dataclass, field
from pathlib import Path

from munet.store.absent import hiding
from munet.store.manifests import layers_of, parent_of
from munet.store.records import DamagedFile
from munet.store.run_files import is_over, models_of_generation, models_of_task
from munet.store.run_records import generations, read_generation
from munet.store.schema import Manifest, TaskRecord
from munet.store.store import Store
from munet.store.strays import linked_runs


@dataclass
class Use:
    """Who needs an object, and for what."""

    tasks: set[str] = field(default_factory=set)
    root: bool = False  # the system's root needs it
    weights: bool = False  # it takes part in loading a model; otherwise it only tells a lineage


@dataclass(frozen=True)
class Unreadable:
    """A task record, run record or manifest that hides what it reaches."""

    path: Path
    reason: str
    task: str | None  # through whose ref it was found; None for the root's


@dataclass
class Refs:
    """(task, model) of every ref; task None for the root. Complete only when `unreadable` is empty."""

    models: list[tuple[str | None, str]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def hide(self, error: DamagedFile, task: str | None) -> None:
        self.unreadable.append(Unreadable(error.path, error.reason, task))


@dataclass
class Kept:
    """Ids of all that has to stay. Complete only when `unreadable` is empty."""

    models: set[str] = field(default_factory=set)
    layers: set[str] = field(default_factory=set)
    unreadable: list[Unreadable] = field(default_factory=list)


@dataclass
class Reach:
    """Everything that the refs reach, by id. Complete only when `unreadable` is empty."""

    models: dict[str, Use] = field(default_factory=dict)
    layers: dict[str, Use] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


def refs(store: Store) -> Refs:
    """Every ref of a system, past damaged records. Reads no manifest."""
    found = Refs([(None, store.root)])
    tasks: dict[str, TaskRecord] = {}
    for name in store.task_names():
        try:
            tasks[name] = store.read_task(name)
        except DamagedFile as error:
            found.hide(error, name)
    found.models += [(name, model) for name, record in tasks.items() for model in models_of_task(record)]
    for link in linked_runs(store):
        found.hide(link, None)
    for record in hiding(store):
        found.hide(record.fault, record.task)
    for run in store.unfinished_runs():
        _refs_of_run(store, run, tasks, found)
    return found


def _refs_of_run(store: Store, run: str, tasks: dict[str, TaskRecord], found: Refs) -> None:
    for file, place in generations(store, run):
        if place.task in tasks and is_over(tasks[place.task], run, place.iteration):
            continue
        try:
            record = read_generation(store, run, file)
        except DamagedFile as error:
            found.hide(error, place.task)
            continue
        found.models += [(place.task, model) for model in models_of_generation(record)]


def kept(store: Store) -> Kept:
    """What has to stay, without asking for whom: every manifest is read once, and none is held."""
    found = refs(store)
    result = Kept(unreadable=found.unreadable)
    owner = {model: task for task, model in reversed(found.models)}
    ancestors: list[tuple[str | None, str]] = []
    for model, task in owner.items():
        manifest = _read(store, model, task, found)
        if manifest is not None:
            result.layers.update(layer for _, layer in layers_of(manifest))
            parent = parent_of(manifest)
            ancestors += [(task, parent)] if parent is not None else []
    result.models = set(owner)
    seen = set(owner)
    for task, model in ancestors:
        current: str | None = model
        while current is not None and current not in seen:
            seen.add(current)
            result.models.add(current)
            manifest = _read(store, current, task, found)
            current = parent_of(manifest) if manifest else None
    return result


def _read(store: Store, model: str, task: str | None, found: Refs) -> Manifest | None:
    try:
        return store.get_model(model)
    except DamagedFile as error:
        found.hide(error, task)
        return None


def reach(store: Store) -> Reach:
    """Follow every ref of a system, past damage as far as that is possible, and note who needs what."""
    return _Walk(store).run()


class _Walk:
    def __init__(self, store: Store):
        self.store = store
        self.refs = refs(store)
        self.found = Reach(unreadable=self.refs.unreadable)
        self.manifests: dict[str, tuple[tuple[str, ...], str | None] | None] = {}  # id -> (layers, parent)
        self.walked: set[tuple[str | None, str]] = set()  # (task, model) whose lineage is done

    def run(self) -> Reach:
        for task, model in self.refs.models:
            self.follow(task, model)
        return self.found

    def follow(self, task: str | None, model: str) -> None:
        """Mark a model with its layers, then its ancestors without theirs."""
        layers, ancestor = self.mark_model(task, model, weights=True)
        for layer in layers:
            _mark(self.found.layers.setdefault(layer, Use()), task, weights=True)
        while ancestor is not None and (task, ancestor) not in self.walked:
            self.walked.add((task, ancestor))
            _, ancestor = self.mark_model(task, ancestor, weights=False)

    def mark_model(self, task: str | None, model: str, weights: bool) -> tuple[tuple[str, ...], str | None]:
        """(layers, parent) as far as the manifest can be read."""
        _mark(self.found.models.setdefault(model, Use()), task, weights)
        if model not in self.manifests:
            manifest = _read(self.store, model, task, self.refs)
            layers = tuple(layer for _, layer in layers_of(manifest)) if manifest else ()
            self.manifests[model] = (layers, parent_of(manifest)) if manifest else None
        return self.manifests[model] or ((), None)


def _mark(use: Use, task: str | None, weights: bool) -> None:
    use.root |= task is None
    use.weights |= weights
    if task is not None:
        use.tasks.add(task)
