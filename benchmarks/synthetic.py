"""A synthetic system of any number of tasks, to measure the bookkeeping alone: real records, tiny tensors.

Objects and records are written straight to their files in the format of docs/format.md, without a flush each: a hundred
thousand layers take a minute. Every task has a lineage of 20 models, the last one retained, whose first parent is the
retained model of an earlier task or the root. Every model trained its head, its norm and one of 12 blocks, and keeps
momentum for two of them: 5 layers. It is a system from which nobody has collected: the weights of ancestors are there.
"""

import hashlib
import json
import random
import shutil
import struct
from pathlib import Path
from typing import Any

from munet.model.vit import ViTArchitecture
from munet.search import load_method
from munet.store.layer_file import id_of_bytes
from munet.store.records import canonical, seal

MODELS = 20  # of a task
LAYERS = 5  # of a model, momentum included
DEPTH = 12
CHILDREN = 4  # of a generation; each model stands for one accepted child
IMAGE_SIZE = 32
VALUES = 4  # of a tensor

ARCHITECTURE = ViTArchitecture(patch_size=4, width=8, heads=1, mlp_hidden=8)
_DONE = "synthetic.json"  # written last; a folder without it is built again


def build(path: Path, tasks: int) -> Path:
    """A system of `tasks` tasks at `path`; one that was built there before is used again."""
    what = {"tasks": tasks, "models": MODELS, "layers": LAYERS, "version": 1}
    done = path.parent / f"{path.name}-{_DONE}"
    if done.exists() and json.loads(done.read_text()) == what:
        return path
    done.unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    _Builder(path).build(tasks)
    done.write_text(json.dumps(what))
    return path


class _Builder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0  # of layers
        self.draw = random.Random(0)
        self.settings = dict(load_method("mu2net-plus").defaults) | {"image_size": IMAGE_SIZE}

    def build(self, tasks: int) -> None:
        for kind in ("layers", "models"):
            for shard in range(256):
                (self.path / kind / f"{shard:02x}").mkdir(parents=True, exist_ok=True)
        for name in ("tasks", "runs"):
            (self.path / name).mkdir()
        for name in (".lock", ".evolving"):
            (self.path / name).touch()
        slots = [slot for slot in ARCHITECTURE.slots(DEPTH) if slot != "head"]
        root = self.manifest(None, None, {slot: self.layer() for slot in slots}, {})
        root["root"] = {"source": "synthetic", "native_posembed": {"image_size": IMAGE_SIZE, "layer": self.layer()}}
        root |= {"metrics": {}, "stream": [], "mutations": [], "method": None, "mutation_probabilities": {}}
        root["hyperparameters"] = {"image_size": IMAGE_SIZE}
        retained = [(self.put_model(root), root)]
        for number in range(tasks):
            retained.append(self.task(number, *self.draw.choice(retained)))
        marker = canonical({"format": 1, "root": retained[0][0]}, "the marker") + b"\n"
        (self.path / "munet.json").write_bytes(marker)

    def task(self, number: int, parent: str, manifest: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """One task with its lineage and the run that made it; its retained model."""
        name, run, children, chosen = f"task-{number:04d}", f"{number + 1:04d}", [], {}
        for generation in range(1, MODELS + 1):
            block = f"block.{self.draw.randrange(DEPTH)}"
            trained = {slot: self.layer() for slot in ("head", "norm", block)}
            momentum = {slot: self.layer() for slot in ("norm", block)}
            chosen[parent] = chosen.get(parent, 0) + 1
            manifest = self.manifest(name, parent, manifest["layers"] | trained, momentum)
            manifest["generation"] = generation
            manifest["mutations"] = [{"kind": "clone", "slot": block}]
            model = self.put_model(manifest)
            children.append(self.child(generation, parent, model, manifest))
            parent = model
        folder = self.path / "runs" / run
        folder.mkdir()
        self.record(folder / "run.json", {"format": 1, "request": {"tasks": [name], "seed": 0}, "started": "2026"})
        for first in range(0, MODELS, CHILDREN):
            place = {"task": name, "iteration": 0, "generation": first // CHILDREN}
            record = {"format": 1, **place, "children": children[first : first + CHILDREN]}
            self.record(folder / f"{name}-0000-{place['generation']:04d}.json", record)
        self.record(folder / "finished.json", {"finished": "2026", "abandoned": False})
        self.record(self.path / "tasks" / f"{name}.json", task_record(name, number + 1, parent, run, chosen))
        return parent, manifest

    def manifest(
        self, task: str | None, parent: str | None, layers: dict[str, str], momentum: dict[str, str]
    ) -> dict[str, Any]:
        probabilities = {f"hyperparameter:{name}": 0.2 for name in self.settings}
        probabilities |= {f"clone:{slot}": 0.2 for slot in layers}
        metrics = {"validation_accuracy": self.draw.random(), "validation_examples": 500, "cycle": 1}
        metrics |= {"accuracies": [self.draw.random() for _ in range(4)], "score": self.draw.random()}
        metrics |= {"accounted_parameters": 40.0, "flops": 10**6}
        return {
            "format": 1,
            "task": task,
            "parent": parent,
            "architecture": ARCHITECTURE.to_json(),
            "layers": layers,
            "sizes": dict.fromkeys(layers, VALUES),
            "momentum": momentum,
            "hyperparameters": self.settings,
            "mutation_probabilities": probabilities,
            "mutations": [],
            "method": "mu2net-plus",
            "generation": 0,
            "stream": [0, task, 0, 0, 0],
            "precision": "fp32",
            "metrics": metrics,
        }

    def child(self, number: int, parent: str, model: str, manifest: dict[str, Any]) -> dict[str, Any]:
        copied = {key: manifest[key] for key in ("hyperparameters", "mutations", "stream")}
        facts = {"accepted": True, "reason": None, "accuracy": 0.5, "score": 0.5, "seconds": {"train": 1.0}}
        return {"child": number % CHILDREN, "parent": parent, "parent_task": None, "model": model, **copied, **facts}

    def layer(self) -> str:
        self.count += 1
        data = layer_bytes(self.count)
        identity = id_of_bytes(data)
        self.write("layers", identity, ".safetensors", data)
        return identity

    def put_model(self, manifest: dict[str, Any]) -> str:
        data = canonical(manifest, "a manifest")
        identity = hashlib.sha256(data).hexdigest()
        self.write("models", identity, ".json", data)
        return identity

    def write(self, kind: str, identity: str, suffix: str, data: bytes) -> None:
        with open(f"{self.path}/{kind}/{identity[:2]}/{identity[2:]}{suffix}", "wb") as file:
            file.write(data)

    def record(self, path: Path, record: dict[str, Any]) -> None:
        path.write_bytes(seal(record, path.name))


def task_record(name: str, added: int, model: str | None, run: str, selections: dict[str, int]) -> dict[str, Any]:
    """A task's record as `munet add` and an evolution leave it, of 100 classes."""
    splits = {"train": ("train[:90%]", 0, 9000), "validation": ("train[90%:]", 9000, 10000), "test": ("test", 0, 2000)}
    return {
        "format": 1,
        "name": name,
        "source": f"npz:/data/{name}",
        "private": False,
        "classes": [f"class {number}" for number in range(100)],
        "splits": {
            split: {"expression": text, "ranges": [[text[:5], first, end]], "examples": end - first}
            for split, (text, first, end) in splits.items()
        },
        "fingerprint": hashlib.sha256(name.encode()).hexdigest(),
        "skip_bad": False,
        "skipped": 0,
        "added": added,
        "model": model,
        "iterations": 1,
        "test": {"model": model, "accuracy": 0.5, "examples": 2000} if model else None,
        "selections": selections,
        "active": None,
        "last": {"run": run, "iteration": 0},
    }


def layer_bytes(number: int) -> bytes:
    """A safetensors file of one small tensor that no other number gives."""
    header = {"weight": {"dtype": "F32", "shape": [VALUES], "data_offsets": [0, 4 * VALUES]}}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + struct.pack("<qq", number, 0)
