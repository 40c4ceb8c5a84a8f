"""What one system holds, read once and past damage: run records, task records, manifests. A snapshot."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from munet.analysis.children import read_runs
from munet.analysis.model_history import ALONE
from munet.analysis.timeline import Shape, best_so_far, parent_steps, shapes
from munet.errors import DamagedError
from munet.store.consistent import consistent
from munet.store.derived import owners
from munet.store.objects import MissingObject
from munet.store.run_files import CONFIG, FINISHED
from munet.store.schema import TaskRecord

if TYPE_CHECKING:
    from munet.store import Store

Progress = Callable[[int, int], None]  # done, in all
_FACTS = ("task", "parent", "method", "generation")
_MAPPINGS = ("sizes", "hyperparameters", "mutation_probabilities", "metrics")


@dataclass(frozen=True, slots=True)
class Model:
    """A stored manifest, without what the analysis never asks for."""

    id: str
    task: str | None
    parent: str | None
    method: str | None
    generation: int | None
    layers: Mapping[str, str]  # slot -> layer id
    sizes: Mapping[str, int]  # slot -> parameters
    hyperparameters: Mapping[str, Any]
    mutation_probabilities: Mapping[str, float]
    metrics: Mapping[str, Any]


class Snapshot:
    """One system. `notes` say in a line each what is damaged or missing; no such thing raises."""

    def __init__(self, label: str, store: "Store", progress: Progress | None = None) -> None:
        self.label = label
        self.store = store
        self.root = store.root
        self.notes: list[str] = []
        self._known_makers: dict[str, Mapping[str, str]] = {}
        tick = _ticking(store, progress) if progress else lambda: None
        self.sampled = read_runs(store, self.notes.append, tick)
        found = consistent(store, lambda: _read(store, tick), _lacking)
        self.records, self.models, self.stored_layers = found.records, found.models, found.layers
        self.notes += found.notes
        self._check()

    @cached_property
    def architecture(self) -> dict[str, Any]:
        """What all models of the system have in common; empty where the root cannot be read."""
        try:
            return self.store.get_model(self.root).get("architecture") or {}
        except DamagedError:
            return {}

    @cached_property
    def retained(self) -> dict[str, Model]:
        """Task -> its retained model, of the tasks that have one and whose manifest can be read."""
        chosen = {record["name"]: record.get("model") for record in self.records}
        return {task: self.models[model] for task, model in chosen.items() if model in self.models}

    @cached_property
    def owners(self) -> dict[str, set[str]]:
        """Layer id -> tasks whose retained model uses it."""
        return owners({task: model.layers for task, model in self.retained.items()})

    @cached_property
    def parent_steps(self) -> list[int | None]:
        return parent_steps(self.sampled)

    @cached_property
    def shapes(self) -> list[Shape | None]:
        layers = {id: model.layers for id, model in self.models.items()}
        return shapes(self.sampled, self.parent_steps, layers, self.root)

    @cached_property
    def marks(self) -> tuple[list[bool], list[bool]]:
        """(best, retained) of every child."""
        return best_so_far(self.sampled)

    @cached_property
    def step_of(self) -> dict[str, int]:
        """Model id -> the step at which it was sampled."""
        return {model: step for step, model in enumerate(self.sampled.columns["model"]) if model is not None}

    @cached_property
    def trunks(self) -> dict[str, tuple[str, ...]]:
        """Id of each layer that several tasks trained together, in their models or their ancestors -> these tasks."""
        makers: dict[str, dict[str, None]] = {}
        for model in self.retained.values():
            for current in self.lineage(model):
                known = self._makers(current.id)
                for slot, layer in current.layers.items():
                    if slot not in ALONE and known[layer] != "root":
                        makers.setdefault(layer, {})[known[layer]] = None
        return {layer: tuple(tasks) for layer, tasks in makers.items() if len(tasks) > 1}

    @cached_property
    def tests(self) -> dict[str, float]:
        """Model id -> accuracy on its task's test split, of every model that was ever retained."""
        tests = [end.get("test") for end in self.sampled.ends.values()]
        tests += [record.get("test") for record in self.records]
        return {test["model"]: test["accuracy"] for test in tests if test}

    def alive(self, model: Model) -> bool:
        """Whether all layers of a model are still there."""
        return self.stored_layers.issuperset(model.layers.values())

    def lineage(self, model: Model) -> Iterator[Model]:
        """A model and its ancestors, newest first, as far as they can be read."""
        current: Model | None = model
        while current is not None:
            yield current
            current = self.models.get(current.parent) if current.parent is not None else None

    def trained_by(self, model: str) -> dict[str, str]:
        """Slot -> name of the task that trained the model's layer there, or `root`."""
        makers = self._makers(model)
        return {slot: makers[layer] for slot, layer in self.models[model].layers.items()}

    def _makers(self, model: str) -> Mapping[str, str]:
        """Layer id -> who trained it, of a model's layers: the oldest of its ancestors that has the layer."""
        known = self._known_makers
        line, current = list[Model](), self.models.get(model)
        while current is not None and current.id not in known:
            line.append(current)
            current = self.models.get(current.parent) if current.parent is not None else None
        for current in reversed(line):
            known[current.id] = {layer: self._maker(current, layer, known) for layer in current.layers.values()}
        return known[model]

    def _maker(self, model: Model, layer: str, known: Mapping[str, Mapping[str, str]]) -> str:
        ancestor = model.parent
        while ancestor is not None and ancestor in self.models:
            if layer in known[ancestor]:
                return known[ancestor][layer]
            ancestor = self.models[ancestor].parent
        return model.task or "root"

    def _check(self) -> None:
        for record in self.records:
            task, model = record["name"], record.get("model")
            if model is None:
                continue
            if model not in self.models:
                self.notes.append(f"the model of task '{task}' cannot be read: {model[:10]}")
            elif not self.alive(self.models[model]):
                gone = [slot for slot, id in self.models[model].layers.items() if id not in self.stored_layers]
                self.notes.append(f"layers of task '{task}' are missing: {', '.join(gone)}")


def _ticking(store: "Store", progress: Progress) -> Callable[[], None]:
    """Tells `progress` how many of the records and manifests have been read."""
    records = sum(file not in (CONFIG, FINISHED) for run in store.runs() for file in store.run_files(run))
    total = records + sum(1 for _ in store.models.ids())
    done = 0

    def tick() -> None:
        nonlocal done
        done = min(done + 1, total)  # while somebody evolves the system, there come to be more
        progress(done, total)

    return tick


@dataclass(frozen=True)
class _Found:
    """What a system held at a time, as far as it can be read."""

    records: list[TaskRecord]
    models: dict[str, Model]
    layers: set[str]
    damaged: set[str]  # ids of manifests that are there and cannot be read
    notes: list[str]


def _read(store: "Store", tick: Callable[[], None]) -> _Found:
    notes: list[str] = []
    damaged: set[str] = set()
    records, models = _task_records(store, notes.append), _models(store, notes.append, damaged.add, tick)
    return _Found(records, models, {*store.layers.ids(), *store.promises.layers()}, damaged, notes)


def _lacking(found: _Found) -> set[str]:
    """Ids of what the tasks' retained models lack: damage, or one was superseded while this was read."""
    chosen = {model for record in found.records if (model := record.get("model"))}
    layers = {layer for model in chosen & found.models.keys() for layer in found.models[model].layers.values()}
    return (chosen - found.models.keys() - found.damaged) | (layers - found.layers)


def _task_records(store: "Store", note: Callable[[str], None]) -> list[TaskRecord]:
    records = []
    for name in store.task_names():
        try:
            records.append(store.read_task(name))
        except DamagedError as error:
            note(str(error))
    return sorted(records, key=lambda record: (record.get("added", 0), record["name"]))


def _models(
    store: "Store", note: Callable[[str], None], spoiled: Callable[[str], None], tick: Callable[[], None]
) -> dict[str, Model]:
    """Every stored manifest by its id."""
    found = {}
    for id in store.models.ids():
        tick()
        try:
            manifest = store.local_model(id)
        except MissingObject:  # collected a moment ago
            continue
        except DamagedError as error:
            note(str(error))
            spoiled(id)
            continue
        layers = {sys.intern(slot): sys.intern(layer) for slot, layer in manifest["layers"].items()}
        facts: dict[str, Any] = {name: manifest.get(name) for name in _FACTS}
        for name in _MAPPINGS:
            facts[name] = {sys.intern(key): value for key, value in (manifest.get(name) or {}).items()}
        found[sys.intern(id)] = Model(id=id, layers=layers, **facts)
    return found
