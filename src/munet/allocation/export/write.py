"""A frozen allocation written as a system: the shared layers in its root, a model and a task for each row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from munet.allocation.export.freeze import Frozen, freeze, sample
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.training import measures
from munet.errors import InputError
from munet.model.pools.architecture import PoolsArchitecture
from munet.model.pools.network import PathNetwork
from munet.model.slots import is_shared_layer
from munet.model.validation import check_stored
from munet.store import Store
from munet.store.derived import totals
from munet.store.schema import Manifest, RootOrigin, TaskData, TaskRecord, manifest, model_test, task_record
from munet.store.staging import staged
from munet.tasks.reopen import NO_DATA

_TOLERANCE = (
    1e-4  # of logits on a device whose kernels may change with the shape of their input; on a CPU they are equal
)


@dataclass(frozen=True)
class Scored:
    """An accuracy and the number of examples it is of, as far as they are known."""

    accuracy: float | None = None
    examples: int | None = None


@dataclass(frozen=True)
class ExportedTask:
    """A task of the new system: the data part of its record, and how good its model is."""

    data: TaskData
    validation: Scored = Scored()
    test: Scored = Scored()

    @property
    def name(self) -> str:
        return self.data["name"]


@dataclass(frozen=True)
class Origin:
    """Where an allocation comes from: `source` and `facts` in the root, `method` and `mutation` in the models."""

    source: str
    method: str
    mutation: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Export:
    """A network and its allocation, checked and described; `tasks` in the order of the allocation's."""

    network: MultitaskNetwork
    allocation: Allocation
    architecture: PoolsArchitecture
    tasks: Sequence[ExportedTask]
    origin: Origin

    def write(self, system: Path) -> dict[str, Any]:
        """Make the system; returns what it came to. Nothing is at `system` before it is whole and its logits are equal.

        StoreError where something is there already.
        """
        paths = freeze(self.network, self.allocation)
        with staged(system.absolute()) as stage:
            ids: dict[str, str] = {}
            store = Store.create(stage, lambda store: self._root(store, paths, ids))
            manifests = self._models(store, paths, ids)
            with store.evolving():
                for added, task in enumerate(self.tasks, start=1):
                    store.create_task(_record(task, added, store.put_model(manifests[task.name], check_stored)))
            for number, task in enumerate(self.tasks):
                self._compare(store, number, manifests[task.name])
        return self._summary(system, store.root, manifests)

    def _root(self, store: Store, paths: Sequence[Frozen], ids: dict[str, str]) -> str:
        """Put every layer but the heads, and the root: what all tasks or several of them use."""
        layers = {slot: layer for path in paths for slot, layer in path.parts.items() if slot != "head"}
        ids |= {slot: store.put_layer(layer) for slot, layer in layers.items()}
        users = Counter(slot for path in paths for slot in path.parts)
        shared = [slot for slot in layers if users[slot] > 1 or is_shared_layer(slot)]
        sizes = {slot: size for path in paths for slot, size in path.sizes.items() if slot in shared}
        root: RootOrigin = {"source": self.origin.source, "allocation": dict(self.origin.facts)}
        return store.put_model(
            manifest(
                architecture=self.architecture.to_json(),
                layers={slot: ids[slot] for slot in shared},
                sizes=sizes,
                hyperparameters={"image_size": self.architecture.image_size},
                root=root,
            ),
            check_stored,
        )

    def _models(self, store: Store, paths: Sequence[Frozen], ids: Mapping[str, str]) -> dict[str, Manifest]:
        accounted = measures.accounted(self.network, self.allocation)
        inputs = sample(self.network, self.architecture.input_shape, 1)
        flops = measures.flops_by_task(self.network, self.allocation, inputs)
        manifests = {}
        for label, task, path in zip(self.allocation.tasks, self.tasks, paths, strict=True):
            head = store.put_layer(path.parts["head"])
            accuracy = task.validation.accuracy
            manifests[task.name] = manifest(
                architecture=replace(self.architecture, head=path.head).to_json(),
                hyperparameters={"image_size": self.architecture.image_size},
                task=task.name,
                parent=store.root,
                layers={slot: head if slot == "head" else ids[slot] for slot in path.parts},
                sizes=path.sizes,
                mutations=[dict(self.origin.mutation)],
                method=self.origin.method,
                generation=1,
                metrics={
                    "validation_accuracy": accuracy,
                    "validation_examples": task.validation.examples,
                    "cycle": None,
                    "accuracies": [] if accuracy is None else [accuracy],
                    "score": accuracy,
                    "accounted_parameters": accounted[label],
                    "flops": flops[label],
                },
            )
        return manifests

    @torch.no_grad()
    def _compare(self, store: Store, number: int, model: Manifest) -> None:
        """InputError unless a stored model computes what the network does, which hooks and the like would change."""
        architecture = PoolsArchitecture.from_json(model["architecture"])
        layers = {slot: store.get_layer(layer) for slot, layer in model["layers"].items()}
        x = sample(self.network, architecture.input_shape, 4)
        weights = [weight.to(x.device) for weight in self.allocation.evaluation_weights(number)]
        training = self.network.training
        self.network.eval()
        try:
            wanted = self.network(x, number, weights)
        finally:
            self.network.train(training)
        found = PathNetwork(architecture, layers).on(x.device)(x)
        if wanted.shape != found.shape or not torch.allclose(wanted, found, _TOLERANCE, _TOLERANCE, equal_nan=True):
            raise InputError(
                f"task {model['task']}: the exported model gives other logits than the network, whose modules do "
                "more than their types say: export one without hooks and changes in place"
            )

    def _summary(self, system: Path, root: str, manifests: Mapping[str, Manifest]) -> dict[str, Any]:
        tests = {task.name: task.test.accuracy for task in self.tasks if task.test.accuracy is not None}
        return {
            "system": str(system),
            "root": root,
            "tasks": len(manifests),
            "layers": len({layer for made in manifests.values() for layer in made["layers"].values()}),
            "parameters": sum(size for made in manifests.values() for size in made["sizes"].values()),
            **totals(manifests, tests),
            "unused_components": measures.unused_components(self.network, self.allocation),
            "without_data": [task.name for task in self.tasks if task.data["source"] == NO_DATA],
        }


def _record(task: ExportedTask, added: int, model: str) -> TaskRecord:
    test = task.test
    tested = None if test.accuracy is None else model_test(model, test.accuracy, test.examples)
    return task_record(task.data, added=added, model=model, iterations=1, test=tested)
