"""Accuracy of 20 tasks whose models share layers: munet's evaluation against 20 separate timm models.

    python benchmarks/shared_evaluation.py
    python benchmarks/shared_evaluation.py --clone 0.1

All tasks are asked about the same images. The lower half of the blocks is the root's in every model. Above it each
model descends from the root or from an earlier task's model, drawn evenly, and holds a clone of its own of each of its
parent's layers with probability --clone (0.2 is where mu2Net+ starts); norm and head are always its own. With --clone 1
nothing above the half is shared. The weights are random: the time does not depend on them.

The plain side has its 20 models built and the images in memory before the clock starts, and prepares each batch once
for all of them. The ceiling is the FLOPs of the separate models by those of every distinct stretch of layers, counted
once. Both sides must count the same right answers.
"""

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import plain
import torch
from common import Contender, Spread, compare, matmul_rate, parse, parser
from reporting import Report

import munet
from munet.model.cost import flops
from munet.model.weight_init import lecun_normal
from munet.rng import numpy_rng, torch_rng
from munet.store.layer_file import layer_size
from munet.store.schema.manifest import Manifest
from munet.training import Preprocessing

BATCH = 512


@dataclass(frozen=True)
class Scale:
    root: str
    depth: int
    image_size: int
    tasks: int
    images: int
    classes: int


FULL = Scale("random:vit_tiny_patch16_224", 12, 32, 20, 512, 10)
QUICK = Scale("random:vit_tiny_patch16_224", 4, 32, 3, 40, 4)


def make_system(folder: Path, scale: Scale, clone: float) -> munet.System:
    """A system whose every task has a retained model, made of layers as the module's page says."""
    system = munet.System.create(folder / "system", root=scale.root, depth=scale.depth, image_size=scale.image_size)
    write_images(folder / "images", scale)
    parents = [system.root]
    for number in range(scale.tasks):
        name = f"task{number:02d}"
        system.add_task(name, f"npz:{folder / 'images'}")
        stream = numpy_rng("benchmark", "shared-evaluation", number)
        parent = parents[int(stream.integers(len(parents)))]
        cloned = {f"block.{k}" for k in range(scale.depth // 2, scale.depth) if stream.random() < clone}
        parents.append(add_model(system, name, parent, cloned | {"norm"}, scale))
    return system


def add_model(system: munet.System, task: str, parent: str, own: set[str], scale: Scale, key: str = "") -> str:
    """Store and retain a model that shares all of its parent's layers but those in `own` and the head; its id.
    Another `key` makes another model."""
    start = system.store.get_model(parent)
    generator = torch_rng("benchmark", "shared-evaluation", key or task)
    width = system.architecture.width
    layers = {slot: _varied(system.models.layer(start["layers"][slot]), generator) for slot in sorted(own)}
    layers["head"] = {
        "weight": lecun_normal((scale.classes, width), width, generator),
        "bias": torch.zeros(scale.classes),
    }
    stored = {slot: system.store.put_layer(tensors) for slot, tensors in layers.items()}
    changes = {"task": task, "parent": parent, "layers": {**start["layers"], **stored}}
    manifest = {name: value for name, value in start.items() if name != "root"} | changes
    manifest["sizes"] = start["sizes"] | {slot: layer_size(tensors) for slot, tensors in layers.items()}
    with system.store.commit():
        model = system.store.put_model(cast(Manifest, manifest))
        system.store.write_task({**system.task(task), "model": model})
    return model


def _varied(layer: Mapping[str, torch.Tensor], generator: torch.Generator) -> dict[str, torch.Tensor]:
    """A clone that has learned something else."""
    return {name: t + 0.02 * torch.randn(t.shape, generator=generator) for name, t in layer.items()}


def write_images(folder: Path, scale: Scale) -> None:
    """Noise, at the models' own size."""
    folder.mkdir()
    for split, count in (("train", scale.classes), ("validation", scale.classes), ("test", scale.images)):
        stream = numpy_rng("benchmark", "shared-evaluation", split)
        images = stream.integers(0, 256, (count, scale.image_size, scale.image_size, 3), dtype=np.uint8)
        np.savez(folder / f"{split}.npz", image=images, label=np.arange(count) % scale.classes)


def evaluate_munet(system: munet.System, device: str) -> dict[str, int]:
    """Right answers of each task on its test split. The only place that calls what is measured."""
    results = system.evaluate(split="test", device=device, batch_size=BATCH)
    return {task: found["correct"] for task, found in results.items()}


class SeparateModels:
    """The plain side: one timm model a task, the images in memory."""

    def __init__(self, system: munet.System, folder: Path, device: str) -> None:
        with np.load(folder / "images" / "test.npz") as arrays:
            split = plain.Data(torch.from_numpy(arrays["image"]), torch.from_numpy(arrays["label"]))
        self.data, self.device = plain.Data.of(split, device), device
        self.models = {}
        for task in system.tasks:
            manifest = system.manifest(task)
            layers = {slot: system.models.layer(layer) for slot, layer in manifest["layers"].items()}
            size = manifest["hyperparameters"]["image_size"]
            self.models[task] = plain.build(system.architecture, layers, size, device)
            self.pre = Preprocessing(size, mean=system.architecture.mean, std=system.architecture.std)

    def evaluate(self) -> dict[str, int]:
        """Right answers of each task."""
        return plain.count_correct(self.models, self.data, self.pre, BATCH, self.device)


def count_flops(system: munet.System, scale: Scale) -> tuple[int, int]:
    """FLOPs of one image through all models: each by itself, and every distinct stretch of layers once."""
    a, size = system.architecture, scale.image_size
    empty = flops(a, 0, size, 0)  # embedding, and a norm that hardly counts
    block = flops(a, 1, size, 0) - empty
    head = flops(a, 0, size, scale.classes) - empty
    stretches = set()
    for task in system.tasks:
        layers = system.manifest(task)["layers"]
        stretches |= {tuple(layers[f"block.{j}"] for j in range(k + 1)) for k in range(scale.depth)}
    separate = scale.tasks * (empty + scale.depth * block + head)
    return separate, empty + len(stretches) * block + scale.tasks * head


def measure(clone: float, scale: Scale, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """Both sides in turns on one system."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as place:
        system = make_system(Path(place), scale, clone)
        separate = SeparateModels(system, Path(place), args.device)
        answers: dict[str, dict[str, int]] = {}

        def plainly(_: None) -> None:
            answers["plain"] = separate.evaluate()

        def ours(_: None) -> None:
            answers["munet"] = evaluate_munet(system, args.device)

        label = f"{scale.tasks} tasks, clone {clone}, {threads} threads"
        contenders = [Contender("plain", plainly), Contender("munet", ours)]
        result = compare(contenders, args.repeats, device=args.device, label=label)
        side = 256 if args.quick else 2048
        ceiling = matmul_rate("fp32", args.device, shape=(side, side, side))
        apart, shared = count_flops(system, scale)
    _check_equal(answers)
    rate = shared * scale.images / result.spread("munet").median
    facts = {"clone": clone, "threads": threads, "seconds": result.seconds, "ratio": result.ratio("plain", "munet")}
    return facts | {"flops_separate": apart, "flops_shared": shared, "flops": rate, "ceiling": ceiling}


def _check_equal(answers: dict[str, dict[str, int]]) -> None:
    """Both sides must have counted the same, but for an image whose two best logits are as good as equal."""
    gaps = [abs(answers["plain"][task] - count) for task, count in answers["munet"].items()]
    if set(answers["plain"]) != set(answers["munet"]) or max(gaps) > 1:
        raise RuntimeError(f"the contenders do not answer the same: {answers}")


def main() -> None:
    made = parser(__doc__ or "", repeats=5)
    made.add_argument("--clone", type=float, nargs="+", default=[0.2, 1.0], help="default 0.2 1.0")
    args = parse(made)
    scale = QUICK if args.quick else FULL
    report = Report("shared_evaluation", vars(args))
    rows = []
    for clone in args.clone:
        for threads in args.threads:
            one = measure(clone, scale, threads, args)
            report.facts.append(one | {"ratio": vars(one["ratio"])})
            times = [Spread.of(one["seconds"][name]).text() for name in ("plain", "munet")]
            ceiling = one["flops_separate"] / one["flops_shared"]
            use = f"{one['flops'] / 1e9:,.0f} of {one['ceiling'] / 1e9:,.0f}"
            rows.append([clone, threads, *times, one["ratio"].text(), f"{ceiling:.2f}", use])
    title = f"Evaluating {scale.tasks} tasks on the same {scale.images} images: median [quartiles] of the rounds"
    columns = ["clone probability", "threads", "separate models, s", "munet, s", "ratio", "ceiling", "munet, GFLOP/s"]
    report.add_table(title, columns, rows)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
