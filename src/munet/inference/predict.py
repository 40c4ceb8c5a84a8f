"""Using the models of a system: predictions for a person's images, accuracies over whole splits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from munet.inference.asked import with_head
from munet.inference.pictures import as_pictures
from munet.store.schema import Manifest
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
    manifest, task = with_head(models, model)
    pictures = as_pictures(images)
    network = models.network(model)
    classes = models.store.read_task(task)["classes"]
    pre = preprocessing_of(models, manifest)
    place = choose_device(device)
    network.to(place)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pictures), batch_size):
            batch = [
                prepare(torch.from_numpy(image)[None].to(place), pre) for image in pictures[start : start + batch_size]
            ]
            parts.append(network(torch.cat(batch)).float().cpu())
    logits = torch.cat(parts)
    return Prediction(logits, logits.softmax(dim=1), classes)
