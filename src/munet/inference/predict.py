"""Using the models of a system: predictions for a person's images, accuracies over whole splits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from munet.tasks.cache.splits import Splits
from munet.training.devices import choose_device
from munet.errors import InputError
from munet.evolution.origins import stage_names
from munet.tasks import decode_image
from munet.training import Examinee, Preprocessing, Step, check_precision, evaluate_together, prepare

if TYPE_CHECKING:
    from munet.system import System

_GROUP = 1 << 28  # parameters


@dataclass(frozen=True)
class Prediction:
    """Answers of one task's model for N images over C classes."""

    logits: torch.Tensor  # (N, C) float32
    probabilities: torch.Tensor  # (N, C) float32, rows sum to 1
    classes: list[str]

    def top(self, k: int = 1) -> list[list[tuple[str, float]]]:
        """For each image its `k` likeliest (class name, probability)."""
        values, indices = self.probabilities.topk(min(k, len(self.classes)), dim=1)
        rows = zip(values.tolist(), indices.tolist(), strict=True)
        return [[(self.classes[i], p) for p, i in zip(ps, ids, strict=True)] for ps, ids in rows]


def preprocessing_of(system: "System", manifest: dict[str, Any]) -> Preprocessing:
    """How a model sees images outside training: resized to its input size and normalised as its root was."""
    return Preprocessing.from_hyperparameters(
        {"image_size": manifest["hyperparameters"]["image_size"]},
        variant="mu2net-plus",
        mean=system.form.mean,
        std=system.form.std,
    )


def predict(system: "System", word: str, images: Any, *, device: str = "auto", batch_size: int = 64) -> Prediction:
    """Logits and probabilities of one task's model; see `System.predict`."""
    network = system.model(word)
    manifest = system.manifest(word)
    classes = system.task(manifest["task"])["classes"]
    pre = preprocessing_of(system, manifest)
    place = choose_device(device)
    network.to(place)
    pictures = as_pictures(images)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), batch_size):
            batch = [
                prepare(torch.from_numpy(image)[None].to(place), pre) for image in pictures[start : start + batch_size]
            ]
            parts.append(network(torch.cat(batch)).float().cpu())
    logits = torch.cat(parts)
    return Prediction(logits, logits.softmax(dim=1), classes)


def as_pictures(images: Any) -> list[np.ndarray]:
    """Any of the accepted forms as a list of uint8 arrays (H,W,C)."""
    if isinstance(images, torch.Tensor):
        images = images.cpu().numpy()
    if isinstance(images, np.ndarray):
        return _from_array(images)
    if isinstance(images, str | Path | bytes) or not isinstance(images, Sequence):
        images = [images]
    if len(images) == 0:
        raise InputError("no images to classify: give at least one")
    pictures: list[np.ndarray] = []
    for image in images:
        array = isinstance(image, torch.Tensor | np.ndarray)
        pictures += as_pictures(image) if array else [decode_image(image)]
    return pictures


def _from_array(images: np.ndarray) -> list[np.ndarray]:
    if images.dtype != np.uint8:
        raise InputError(f"images are {images.dtype}: give uint8 values from 0 to 255")
    if images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in (1, 3)):
        images = images[None]
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(f"images have shape {images.shape}: give (N,H,W,3), (N,H,W,1), (N,H,W) or (H,W,3)")
    return [np.ascontiguousarray(image) for image in images]


def evaluate(
    system: "System",
    tasks: Sequence[str] | None,
    split: str,
    *,
    device: str = "auto",
    batch_size: int = 512,
    precision: str = "fp32",
    progress: Callable[[int, int], None] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Any]]:
    """Accuracy of retained models on a whole split; see `System.evaluate`."""
    if split not in ("train", "validation", "test"):
        raise InputError(f"no split '{split}': choose train, validation or test")
    check_precision(precision)
    names = list(tasks) if tasks else [name for name in system.tasks if system.task(name)["model"]]
    place = choose_device(device)
    manifests = {name: system.manifest(name) for name in names}
    contents = {name: _content(system.task(name), split) for name in names}
    lengths = {contents[name]: system.task(name)["splits"][split]["examples"] for name in names}
    done, total = 0, sum(lengths.values())

    def report(images: int) -> None:
        nonlocal done
        done += images
        if progress:
            progress(min(done, total), total)  # images of several groups count once for each

    splits, results = Splits(), dict[str, dict[str, Any]]()
    for group in _groups(manifests):
        size = manifests[group[0]]["hyperparameters"]["image_size"]
        first = {contents[name]: system.task(name) for name in reversed(group)}  # tasks with the same images read once
        images = {content: splits.get(record, split, size) for content, record in first.items()}
        steps = {name: _steps(system, name, manifests[name], place, precision) for name in group}
        examinees = [Examinee(steps[name], images[contents[name]], contents[name]) for name in group]
        pre = preprocessing_of(system, manifests[group[0]])
        options = {"device": place, "batch_size": batch_size, "precision": precision, "note": note, "progress": report}
        for name, (correct, examples) in zip(group, evaluate_together(examinees, pre, **options), strict=True):
            found = {"split": split, "accuracy": correct / examples, "correct": correct, "examples": examples}
            results[name] = found | {"model": system.resolve(name)}
    for text in splits.notes:
        note(text)
    return {name: results[name] for name in names}


def _content(record: Mapping[str, Any], split: str) -> str:
    """What the images of a split are."""
    return f"{record['fingerprint']} {record['splits'][split]['ranges']}"


def _groups(manifests: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Tasks whose models have one input size, as many as hold about a GiB of layers, so that they share them."""
    groups: list[list[str]] = []
    held: dict[str, int] = {}  # layers of the last group, with their parameters
    size = None
    for name, manifest in sorted(manifests.items(), key=lambda item: item[1]["hyperparameters"]["image_size"]):
        mine = {layer: manifest["sizes"][slot] for slot, layer in manifest["layers"].items()}
        if size != manifest["hyperparameters"]["image_size"] or sum((held | mine).values()) > _GROUP:
            groups.append([])
            held, size = {}, manifest["hyperparameters"]["image_size"]
        groups[-1].append(name)
        held |= mine
    return groups


def _steps(system: "System", name: str, manifest: Mapping[str, Any], device: str, precision: str) -> list[Step]:
    """The stages of a task's model, named by content."""
    network = system.network(system.resolve(name)).on(device, precision)
    stages = [stage for _, stage in network.stages()]
    return list(zip(stage_names(network, manifest["layers"]), stages, strict=True))
