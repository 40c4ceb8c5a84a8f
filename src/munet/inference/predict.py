"""Predictions of a task's model for a person's images: ready batches in, answers out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.inference.asked import classes_of, temperature_of, with_head
from munet.inference.prepared import batches, preprocessing_of
from munet.training.devices import choose_device
from munet.training.fixed_rows import FixedRows, fixed_rows

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


@dataclass(frozen=True)
class Prediction:
    """Answers of one task's model for N images over C classes."""

    logits: torch.Tensor  # (N, C) float32
    probabilities: torch.Tensor  # (N, C) float32, rows sum to 1: softmax of the logits over the model's temperature
    classes: list[str]

    def top(self, k: int = 1) -> list[list[tuple[str, float]]]:
        """For each image its `k` likeliest (class name, probability)."""
        values, indices = self.probabilities.topk(min(k, len(self.classes)), dim=1)
        rows = zip(values.tolist(), indices.tolist(), strict=True)
        return [[(self.classes[i], p) for p, i in zip(ps, ids, strict=True)] for ps, ids in rows]


class Predictor:
    """A model on a device, ready to answer: what is loaded once and asked many times."""

    def __init__(self, models: "ModelLoader", model: str, device: str = "auto") -> None:
        manifest, task = with_head(models, model)
        record = models.store.read_task(task)
        self.classes, self.temperature = classes_of(record, model), temperature_of(record, model)
        self._preprocessing = preprocessing_of(models, manifest)
        self._device = choose_device(device)
        self._network = models.network(model).on(self._device)
        rows = fixed_rows(self._preprocessing.image_size, self._device)
        self._apply = FixedRows(rows) if rows else lambda function, x: function(x)

    def predict(self, pictures: Iterable[np.ndarray], batch_size: int = 64) -> Prediction:
        """Logits and probabilities for one or more images uint8 (H, W, C) in the form of the task (`asked.form_of`).

        What stands beside an image in a batch makes no difference to it: on a CPU not in a bit.
        """
        ready = batches(pictures, self._preprocessing, batch_size, self._device)
        logits = torch.cat([self._answer(batch) for batch in ready])
        return Prediction(logits, (logits / self.temperature).softmax(dim=1), self.classes)

    @torch.inference_mode()
    def _answer(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Logits (B, C), float32 on the CPU."""
        x = x_BCHW
        for _, stage in self._network.stages():  # as evaluation does, stage by stage
            x = self._apply(stage, x)
        return x.float().cpu()
