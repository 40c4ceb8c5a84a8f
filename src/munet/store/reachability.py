"""What the refs reach. Everything else is garbage, and who reaches a thing is who is hurt when it is damaged.

Refs are the root, each task's retained model and active population, and the accepted children of a run whose task
iteration is not over. Of these models the layers and momentum are kept. Of their ancestors only the manifests are:
history stays, weights that no ref needs do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from munet.store.manifests import Manifest, layers_of, parent_of
from munet.store.records import DamagedFile
from munet.store.refs import FINISHED, generation_of, is_over, models_of_generation, models_of_task
from munet.store.store import Record, Store


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
class Reach:
    """Everything that the refs reach, by id. Complete only when `unreadable` is empty."""

    models: dict[str, Use] = field(default_factory=dict)
    layers: dict[str, Use] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


def reach(store: Store) -> Reach:
    """Follow every ref of a system, past damage as far as that is possible."""
    return _Walk(store).run()


class _Walk:
    def __init__(self, store: Store):
        self.store = store
        self.found = Reach()
        self.manifests: dict[str, Manifest | None] = {}
        self.told: set[tuple[str | None, str]] = set()  # (task, model) whose lineage is done

    def run(self) -> Reach:
        self.follow(None, self.store.root)
        tasks = {name: record for name in self.store.task_names() if (record := self.read_task(name)) is not None}
        for name, record in tasks.items():
            for model in models_of_task(record):
                self.follow(name, model)
        for run in self.store.runs():
            if FINISHED not in self.store.run_files(run):
                for task, model in self.refs_of_run(run, tasks):
                    self.follow(task, model)
        return self.found

    def refs_of_run(self, run: str, tasks: dict[str, Record]) -> Iterator[tuple[str, str]]:
        for file in self.store.run_files(run):
            place = generation_of(file)
            if place is None or (place[0] in tasks and is_over(tasks[place[0]], run, place[1])):
                continue
            try:
                record = self.store.read_run(run, file)
            except DamagedFile as error:
                self.hidden(error, place[0])
                continue
            yield from ((place[0], model) for model in models_of_generation(record))

    def follow(self, task: str | None, model: str) -> None:
        """Mark a model with its layers, then its ancestors without theirs."""
        manifest = self.mark_model(task, model, weights=True)
        for _, layer in layers_of(manifest) if manifest else ():
            _mark(self.found.layers.setdefault(layer, Use()), task, weights=True)
        ancestor = parent_of(manifest) if manifest else None
        while ancestor is not None and (task, ancestor) not in self.told:
            self.told.add((task, ancestor))
            manifest = self.mark_model(task, ancestor, weights=False)
            ancestor = parent_of(manifest) if manifest else None

    def mark_model(self, task: str | None, model: str, weights: bool) -> Manifest | None:
        _mark(self.found.models.setdefault(model, Use()), task, weights)
        if model not in self.manifests:
            try:
                self.manifests[model] = self.store.get_model(model)
            except DamagedFile as error:
                self.manifests[model] = None
                self.hidden(error, task)
        return self.manifests[model]

    def read_task(self, name: str) -> Record | None:
        try:
            return self.store.read_task(name)
        except DamagedFile as error:
            self.hidden(error, name)
            return None

    def hidden(self, error: DamagedFile, task: str | None) -> None:
        self.found.unreadable.append(Unreadable(error.path, error.reason, task))


def _mark(use: Use, task: str | None, weights: bool) -> None:
    use.root |= task is None
    use.weights |= weights
    if task is not None:
        use.tasks.add(task)
