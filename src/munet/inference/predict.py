"""Using the models of a system: predictions for a person's images, accuracies over whole splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from munet.errors import InputError
from munet.store.schema import Manifest
from munet.tasks import decode_image
from munet.training import Preprocessing, prepare
from munet.training.devices import choose_device

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


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


def preprocessing_of(models: "ModelLoader", manifest: Manifest) -> Preprocessing:
    """How a model sees images outside training: resized to its input size and normalised as its root was."""
    return Preprocessing.from_hyperparameters(
        {"image_size": manifest["hyperparameters"]["image_size"]},
        variant="mu2net-plus",
        mean=models.kind.mean,
        std=models.kind.std,
    )


def predict(
    models: "ModelLoader", model: str, images: Any, *, device: str = "auto", batch_size: int = 64
) -> Prediction:
    """Logits and probabilities of a model, by its id; see `System.predict`."""
    manifest = models.manifest(model)
    if manifest["task"] is None:
        raise InputError("the root has no head: name a task or one of its models")
    network = models.network(model)
    classes = models.store.read_task(manifest["task"])["classes"]
    pre = preprocessing_of(models, manifest)
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
