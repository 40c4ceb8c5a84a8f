"""A made-up system of any size, written through the store: everything but the tensors is as evolution writes it.

The search is imitated: parents by rank, the mutations of mu2Net+, unlocked layers trained on, acceptance against the
parent, the best retained, superseded models collected. Accuracies are drawn. Layers hold one tiny tensor, `sizes` say
what a ViT-Ti would have.
"""

import hashlib
import json
import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import munet
from munet.model.cost import accounted_parameters, flops, slot_sizes
from munet.model.vit import ViTArchitecture
from munet.search import load_method
from munet.store import Store
from munet.store.derived import totals
from munet.store.layer_file import id_of_bytes
from munet.store.manifests import encode, id_of_manifest
from munet.store.run_files import generation_file, iteration_file
from munet.store.schema import IterationPlace, Manifest, ModelTest, TaskRecord, split_record, task_data, task_record

ARCHITECTURE = ViTArchitecture(patch_size=16, width=192, heads=3, mlp_hidden=768)
IMAGE_SIZE = 32
CHILDREN = 8  # of a generation
GENERATIONS = 4  # of a task iteration
ITERATIONS = 2  # of a run
CYCLES = 4
ADAPTER = 16  # hidden width
Draft = dict[str, Any]  # a manifest that is still in the making


def big_system(
    path: Path | str, tasks: int = 124, children: int = 20_000, *, blocks: int = 24, seed: int = 0
) -> munet.System:
    """Make a system at `path` in which `children` models were sampled for `tasks` tasks: 15 s of one core for these."""
    with patch.object(os, "fsync", lambda descriptor: None):
        _Builder(Path(path), tasks, children, blocks, seed).build()
    return munet.System.open(path)


@dataclass
class _Task:
    name: str
    added: int
    classes: int
    ease: float  # what its accuracies tend to
    private: bool = False
    model: str | None = None
    test: ModelTest | None = None
    iterations: int = 0
    selections: dict[str, int] = field(default_factory=dict)
    last: IterationPlace | None = None

    def record(self) -> TaskRecord:
        splits = {"train": ("train[:90%]", 0, 9000), "validation": ("train[90%:]", 9000, 10000)}
        splits |= {"test": ("test", 0, 2000)}
        data = task_data(
            self.name,
            f"npz:/data/{self.name}",
            private=self.private,
            classes=[f"class {number}" for number in range(self.classes)],
            splits={
                split: split_record(text, [[text[:5], first, end]], end - first)
                for split, (text, first, end) in splits.items()
            },
            fingerprint="sha256:" + hashlib.sha256(self.name.encode()).hexdigest(),
        )
        return task_record(
            data,
            added=self.added,
            model=self.model,
            iterations=self.iterations,
            test=self.test,
            selections=self.selections,
            last=self.last,
        )


class _Builder:
    def __init__(self, path: Path, tasks: int, children: int, blocks: int, seed: int) -> None:
        self.draw = random.Random(seed)
        self.method = load_method("mu2net-plus", {"children": CHILDREN, "generations": GENERATIONS, "cycles": CYCLES})
        self.children, self.blocks, self.clock = children, blocks, 0
        self.layers: dict[str, bytes] = {}
        self.models: dict[str, Draft] = {}
        self.store = Store.create(path, self._root)
        self.store.refuse_unknown = lambda models: None  # type: ignore[method-assign]  # superseded ones are never written
        root = self.models[self.store.root]
        self.locked_by_root = set(root["layers"].values())
        self.tasks = [
            _Task(
                name=f"task-{number:03d}",
                added=number + 1,
                classes=self.draw.choice((2, 10, 37, 100)),
                ease=self.draw.uniform(0.6, 0.98),
                private=number % 20 == 19,
            )
            for number in range(tasks)
        ]
        for task in self.tasks:
            self.store.create_task(task.record())

    def build(self) -> None:
        left, turns = self.children, list(self._plan())
        for first in range(0, len(turns), ITERATIONS):
            run = self.store.new_run(self._config())
            for turn, generations in enumerate(turns[first : first + ITERATIONS]):
                for place, task in enumerate(self.tasks):
                    if generations[place]:
                        order = turn * len(self.tasks) + place
                        left = self._iteration(run, task, turn, order, generations[place], left)
            self.store.write_run(run, "finished.json", {"finished": self._now(), "abandoned": False})
        self._write_models()
        for task in self.tasks:
            self.store.write_task(task.record())

    def _plan(self) -> Iterator[list[int]]:
        """Generations of each task in each task iteration."""
        whole, rest = divmod(-(-self.children // CHILDREN), max(1, len(self.tasks)))
        due = [whole + (number < rest) for number in range(len(self.tasks))]
        while any(due):
            now = [min(GENERATIONS, count) for count in due]
            due = [count - done for count, done in zip(due, now, strict=True)]
            yield now

    def _config(self) -> dict[str, Any]:
        request = {"method": self.method.model_dump(mode="json"), "tasks": [task.name for task in self.tasks]}
        request |= {"seed": 0, "image_size": None, "precision": "fp32", "threads": 1}
        machine = {"system": "none", "processor": "none", "cores": 1}
        versions = {"python": "3.11", "munet-ml": munet.__version__}
        more = {"threads": 1, "device": "cpu", "started": self._now(), "versions": versions, "machine": machine}
        return {"format": 1, "request": request, **more}

    def _now(self, seconds: int = 1) -> str:
        self.clock += seconds
        days, rest = divmod(self.clock, 86_400)
        return f"2024-01-{days + 1:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}+00:00"

    # A task iteration ------------------------------------------------------------------------------------------------

    def _iteration(self, run: str, task: _Task, iteration: int, order: int, generations: int, left: int) -> int:
        owned: dict[str, set[str]] = {}
        for other in self.tasks:
            if other is not task and other.model:
                for layer in self.models[other.model]["layers"].values():
                    owned.setdefault(layer, set()).add(other.name)
        population = [task.model] if task.model else []
        for generation in range(generations):
            born = [self._child(task, n, generation, population, owned) for n in range(min(CHILDREN, left))]
            left -= len(born)
            population += [record["model"] for record in born if record["model"]]
            place = {"task": task.name, "iteration": iteration, "generation": generation}
            self.store.write_run(run, generation_file(**place), {"format": 1, **place, "children": born})
        if population:
            scores = [self.models[model]["metrics"]["score"] for model in population]
            best = max(range(len(population)), key=lambda index: (scores[index], index))
            self._retain(task, population[best])
        task.iterations += 1
        task.last = {"run": run, "iteration": iteration}
        self._end(run, task, iteration, order)
        return left

    def _retain(self, task: _Task, model: str) -> None:
        if model != task.model:
            accuracy = self.models[model]["metrics"]["validation_accuracy"]
            tested = round(max(0.0, accuracy - self.draw.uniform(-0.005, 0.03)) * 2000) / 2000
            task.model, task.test = model, {"model": model, "accuracy": tested, "examples": 2000}

    def _end(self, run: str, task: _Task, iteration: int, order: int) -> None:
        retained = {other.name: _whole(self.models[other.model]) for other in self.tasks if other.model}
        tests = {other.name: other.test["accuracy"] for other in self.tasks if other.test}
        accuracy = retained[task.name]["metrics"]["validation_accuracy"] if task.model else None
        place = {"task": task.name, "iteration": iteration}
        ending = {"format": 1, **place, "order": order, "model": task.model, "validation_accuracy": accuracy}
        ending |= {
            "test": task.test,
            "system": {"tasks": len(retained), **totals(retained, tests)},
            "finished": self._now(),
        }
        self.store.write_run(run, iteration_file(**place), ending)

    # A child ---------------------------------------------------------------------------------------------------------

    def _child(
        self, task: _Task, number: int, generation: int, population: list[str], owned: dict[str, set[str]]
    ) -> dict[str, Any]:
        parent = self._parent(task, population)
        task.selections[parent] = task.selections.get(parent, 0) + 1
        manifest, trained = self._mutated(task, self.models[parent], owned)
        stream = [0, task.name, task.iterations, generation, number]
        manifest |= {"parent": parent, "stream": stream, "generation": self.models[parent]["generation"] + 1}
        sizes, failed = manifest["sizes"], self.draw.random() < 0.01
        rounds = [] if failed else self._accuracies(task, self.models[parent])
        accuracy = max(rounds, default=None)
        bar = self.models[parent]["metrics"]["score"] if parent in population else None
        accepted = accuracy is not None and (bar is None or accuracy >= bar)
        for slot in trained:
            manifest["layers"][slot] = self._layer() if accepted else ""
        accounted = accounted_parameters(sizes, manifest["layers"], owned, task.name)
        metrics = {"score": accuracy, "accounted_parameters": accounted, "flops": self._flops(manifest, task)}
        cycle = rounds.index(accuracy) if accuracy is not None else -1
        reason = "non-finite loss in cycle 0" if failed else None
        if not accepted and not failed:
            reason = f"score {accuracy:.4f} is not better than {bar:.4f} of its parent"
        model = None
        if accepted:
            more = {"validation_accuracy": accuracy, "validation_examples": 1000, "cycle": cycle, "accuracies": rounds}
            model = self._keep(manifest | {"metrics": metrics | more})
        seconds = self.draw.uniform(2, 9)
        samples = len(rounds) * self.method.samples_per_cycle
        return {
            "child": number,
            "parent": parent,
            "parent_task": self.models[parent]["task"],
            "model": model,
            "accepted": accepted,
            "reason": reason,
            "accuracy": accuracy,
            "parent_score": bar,
            "parameters": sum(sizes.values()),
            "trainable_parameters": sum(sizes[slot] for slot in trained),
            **metrics,
            "mutations": manifest["mutations"],
            "hyperparameters": manifest["hyperparameters"],
            "cloned": sorted(trained),
            "cycle": cycle,
            "accuracies": rounds,
            "samples": samples,
            "flops_spent": {"train": 3 * samples * metrics["flops"], "validation": 1000 * metrics["flops"]},
            "stream": stream,
            "device": "cpu",
            "seconds": {"train": seconds, "validation": seconds / 8, "other": 0.05},
            "started": self._now(0),
            "finished": self._now(int(seconds)),
        }

    def _parent(self, task: _Task, population: list[str]) -> str:
        if population and self.draw.random() < 0.75:
            ranked = sorted(population, key=lambda model: -self.models[model]["metrics"]["score"])
            return ranked[min(int(self.draw.expovariate(1.0)), len(ranked) - 1)]
        public = [other.model for other in self.tasks if other.model and not other.private and other is not task]
        return self.draw.choice([*public, self.store.root])

    def _mutated(self, task: _Task, parent: Draft, owned: dict[str, set[str]]) -> tuple[Draft, set[str]]:
        """The child without its new layers, and their slots."""
        chance, space = self.draw.random, self.method.space
        before = {**self.method.defaults, **parent["hyperparameters"]}
        before.pop("adapter_dim", None)
        settings, learned = dict(before), dict(parent["mutation_probabilities"])
        for name in sorted(space.keys() & settings.keys()):
            mu = self._moved(learned, f"hyperparameter:{name}", 0.02 if name == "image_size" else 0.2)
            if chance() < mu:
                settings[name] = self._neighbour(list(space[name]), settings[name])
        adapters = {slot for slot in parent["layers"] if slot.startswith("adapter.")}
        depth = sum(slot.startswith("block.") for slot in parent["layers"])
        wanted = depth - (depth > 2 and chance() < 0.2 * self._moved(learned, "remove:block", 0.2))
        inserted = {f"adapter.{k}" for k in range(wanted) if chance() < 0.003} - adapters
        ids = [int(slot[8:]) for slot in adapters | inserted]
        if ids:
            settings["adapter_dim"] = ADAPTER
        adapters_kept = [k for k in ids if k < wanted]
        trained, drawn = {"norm", "head", *inserted}, []
        for slot in ARCHITECTURE.slots(wanted, adapters_kept):
            if slot in trained:
                continue
            layer = parent["layers"][slot]
            mine = parent["task"] == task.name and layer not in self.locked_by_root and layer not in owned
            if mine or (slot == "posembed" and settings["image_size"] != before["image_size"]):
                trained.add(slot)
            elif chance() < self._moved(learned, f"clone:{slot}", 0.2) / 2:
                drawn.append(slot)
        changed = [name for name in sorted(settings) if settings[name] != before.get(name)]
        mutations = [{"kind": "set", "name": n, "old": before.get(n), "new": settings[n]} for n in changed]
        mutations += [{"kind": "remove_block", "slot": f"block.{k}"} for k in range(wanted, depth)]
        mutations += [{"kind": "insert_adapter", "slot": slot} for slot in sorted(inserted)]
        mutations += [{"kind": "clone", "slot": slot} for slot in drawn]
        dims = dict.fromkeys(adapters_kept, ADAPTER)
        sizes = slot_sizes(ARCHITECTURE, wanted, int(settings["image_size"]), task.classes, dims)
        layers = {slot: parent["layers"].get(slot, "") for slot in sizes}
        manifest = self._manifest(task.name, layers, sizes, settings, learned)
        return manifest | {"mutations": mutations}, trained | set(drawn)

    def _moved(self, learned: dict[str, float], decision: str, start: float) -> float:
        value = learned.get(decision, start)
        if self.draw.random() < 0.02:
            value = min(0.3, max(0.02, round(value + self.draw.choice((-0.02, 0.02)), 2)))
        learned[decision] = value
        return value

    def _neighbour(self, values: list[Any], value: Any) -> Any:
        place = values.index(value) if value in values else 0
        return values[min(max(0, place + self.draw.choice((-1, 1))), len(values) - 1)]

    def _accuracies(self, task: _Task, parent: Draft) -> list[float]:
        start = parent["metrics"].get("validation_accuracy", 0.0) if parent["task"] == task.name else task.ease - 0.3
        best = start + (task.ease - start) * self.draw.uniform(-0.15, 0.2)
        steps = [best - self.draw.uniform(0, 0.08) / (1 + cycle) for cycle in range(CYCLES - 1)]
        return [round(min(1.0, max(0.0, step)), 3) for step in (*steps, best)]

    def _flops(self, manifest: Draft, task: _Task) -> int:
        depth = sum(slot.startswith("block.") for slot in manifest["layers"])
        return flops(ARCHITECTURE, depth, int(manifest["hyperparameters"]["image_size"]), task.classes)

    # Objects ---------------------------------------------------------------------------------------------------------

    def _root(self, store: Store) -> str:
        sizes = slot_sizes(ARCHITECTURE, self.blocks, IMAGE_SIZE)
        layers = {slot: store.put_layer_bytes(self.layers[self._layer()]) for slot in sizes}
        root = self._manifest(None, layers, sizes, {"image_size": IMAGE_SIZE}, {}) | {"metrics": {}, "method": None}
        native = {"image_size": IMAGE_SIZE, "layer": layers["posembed"]}
        root |= {"parent": None, "generation": 0, "stream": [], "mutations": []}
        root |= {"root": {"source": "made up", "native_posembed": native}}
        model = store.put_model(_whole(root))
        self.models[model] = root
        return model

    def _manifest(
        self,
        task: str | None,
        layers: dict[str, str],
        sizes: dict[str, int],
        settings: dict[str, Any],
        learned: dict[str, float],
    ) -> Draft:
        return {
            "format": 1,
            "task": task,
            "architecture": ARCHITECTURE.to_json(),
            "layers": layers,
            "sizes": sizes,
            "momentum": {},
            "hyperparameters": settings,
            "mutation_probabilities": learned,
            "method": self.method.name,
            "precision": "fp32",
        }

    def _keep(self, manifest: Draft) -> str:
        model = id_of_manifest(encode(_whole(manifest)))
        self.models[model] = manifest
        return model

    def _layer(self) -> str:
        number = len(self.layers)
        head = json.dumps({"weight": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}).encode()
        head += b" " * (-len(head) % 8)
        data = struct.pack("<Q", len(head)) + head + struct.pack("<q", number)
        identity = id_of_bytes(data)
        self.layers[identity] = data
        return identity

    def _write_models(self) -> None:
        """The retained models with their layers, their ancestors without them: what a collection leaves."""
        living = [task.model for task in self.tasks if task.model]
        for layer in dict.fromkeys(layer for model in living for layer in self.models[model]["layers"].values()):
            self.store.put_layer_bytes(self.layers[layer])
        done = {self.store.root}
        for model in living:
            current = model
            while current not in done:
                done.add(current)
                self.store.models.put(encode(_whole(self.models[current])))
                current = self.models[current]["parent"]


def _whole(draft: Draft) -> Manifest:
    return cast("Manifest", draft)
