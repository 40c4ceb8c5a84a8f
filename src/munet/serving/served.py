"""The tasks that a server answers for: their retained models on a device, as one tree of stages for each input size."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from munet.errors import InputError, MunetError, suggest
from munet.inference.asked import classes_of, form_of, temperature_of
from munet.inference.prepared import preprocessing_of
from munet.model.loader import ModelLoader
from munet.model.staged import stage_names
from munet.serving.settled import Settled
from munet.store.schema import TaskRecord
from munet.tasks.form import Form
from munet.training import Preprocessing
from munet.training.trie import Node, Step, Trie


@dataclass(frozen=True)
class Loaded:
    """A retained model, ready to answer."""

    task: str
    model: str
    classes: tuple[str, ...]
    temperature: float  # logits are divided by it
    images: str  # the fingerprint of the task's
    form: Form  # of the task's images
    preprocessing: Preprocessing
    layers: Mapping[str, str]  # slot -> layer
    steps: tuple[Step, ...]

    def is_other(self, record: TaskRecord) -> bool:
        """Whether the task has another model now, or other images, which its answers are prepared by."""
        now = record["model"] or "", record["fingerprint"]
        return (self.model, self.images) != now or self.temperature != temperature_of(record, self.model)


@dataclass(frozen=True)
class Tasks:
    """All tasks at one moment. A request is answered by those it began with, whatever is retained meanwhile."""

    loaded: Mapping[str, Loaded]
    nodes: Mapping[str, Node]  # task -> the end of its path

    @classmethod
    def of(cls, loaded: Mapping[str, Loaded]) -> "Tasks":
        tries = {size: Trie(f"images {size}") for size in {one.preprocessing.image_size for one in loaded.values()}}
        nodes = {name: tries[one.preprocessing.image_size].add(one.steps) for name, one in loaded.items()}
        return cls(loaded, nodes)

    def named(self, names: Sequence[str]) -> list[Loaded]:
        """The models of these tasks, each once. InputError for one that is not served."""
        for name in names:
            if name not in self.loaded:
                known = ", ".join(sorted(self.loaded)[:20]) or "none yet"
                text = (
                    f"no model for task '{name[:100]}'{suggest(name[:100], self.loaded)}; tasks with a model: {known}"
                )
                raise InputError(text, kind="unknown-task")
        return [self.loaded[name] for name in dict.fromkeys(names)]

    def shared_with(self, task: str) -> dict[str, int]:
        """How many layers a task's model shares with each other task's."""
        mine = set(self.loaded[task].layers.values())
        common = {name: len(mine & set(one.layers.values())) for name, one in self.loaded.items() if name != task}
        return {name: count for name, count in common.items() if count}


class Served:
    """The tasks of a system, `names` of them or all that have a model, on a device."""

    def __init__(self, models: ModelLoader, device: torch.device | str, names: Sequence[str] | None = None) -> None:
        self._models, self._device, self._names = models, torch.device(device), names
        self._lock = threading.Lock()
        self._records = Settled(models.store.path / "tasks")
        self.now = Tasks({}, {})
        self.fault: str | None = None  # why the last look at the system failed; what was loaded is served on

    def load(self) -> None:
        """Load what there is now. Raises what `refresh` only notes."""
        self._take_up()

    def refresh(self) -> list[str]:
        """Take up what was retained since; returns the tasks whose model is another one or gone.

        Where the system cannot be read, what was loaded before stays, and `fault` says why.
        """
        if self._records.is_so() and self.fault is None:
            return []
        try:
            changed = self._take_up()
        except (MunetError, OSError) as error:
            self.fault = str(error)
            return []
        self.fault = None
        return changed

    def _take_up(self) -> list[str]:
        with self._lock:
            found, before = self._retained(), self.now.loaded
            changed = [name for name, record in found.items() if name not in before or before[name].is_other(record)]
            gone = [name for name in before if name not in found]
            if changed or gone:
                kept = {name: one for name, one in before.items() if name in found}
                loaded = kept | {name: self._load(found[name]) for name in changed}
                self.now = Tasks.of({name: loaded[name] for name in found})
            return changed + gone

    def _retained(self) -> dict[str, TaskRecord]:
        store = self._models.store
        names = store.tasks() if self._names is None else self._names
        records = {name: store.read_task(name) for name in names}
        return {name: record for name, record in records.items() if record["model"] is not None}

    def _load(self, record: TaskRecord) -> Loaded:
        model = record["model"]
        assert model is not None
        manifest = self._models.manifest(model)
        network = self._models.network(model).on(self._device)
        stages = [stage for _, stage in network.stages()]
        return Loaded(
            task=record["name"],
            model=model,
            classes=tuple(classes_of(record, model)),
            temperature=temperature_of(record, model),
            images=record["fingerprint"],
            form=form_of(self._models, model),
            preprocessing=preprocessing_of(self._models, manifest),
            layers=manifest["layers"],
            steps=tuple(zip(stage_names(network, manifest["layers"]), stages, strict=True)),
        )
