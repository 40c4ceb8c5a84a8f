"""Predictions for a person's images: ready batches in, answers of one model or of several out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.inference.asked import classes_of, temperature_of, with_head
from munet.inference.prepared import batches, preprocessing_of
from munet.model.staged import stage_names
from munet.training.devices import choose_device
from munet.training.fixed_rows import FixedRows, fixed_rows
from munet.training.trie import Node, Target, Trie, walk

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
    """Models on a device, ready to answer: what is loaded once and asked many times.

    All have one input size and take images of one form (`asked.form_of`). Layers that they share compute once.
    """

    def __init__(self, models: "ModelLoader", ids: Sequence[str], device: str = "auto") -> None:
        self._device = choose_device(device)
        trie = Trie("images")
        self._nodes: list[Node] = []
        self.classes: list[list[str]] = []
        self._temperatures: list[float] = []
        for model in ids:
            manifest, task = with_head(models, model)
            record = models.store.read_task(task)
            self.classes.append(classes_of(record, model))
            self._temperatures.append(temperature_of(record, model))
            network = models.network(model).on(self._device)
            stages = [stage for _, stage in network.stages()]  # as evaluation does, stage by stage
            steps = zip(stage_names(network, manifest["layers"]), stages, strict=True)
            self._nodes.append(trie.add(steps))
        self._preprocessing = preprocessing_of(models, models.manifest(ids[0]))
        rows = fixed_rows(self._preprocessing.image_size, self._device)
        self._apply = FixedRows(rows) if rows else lambda function, x: function(x)

    def predict(self, pictures: Iterable[np.ndarray], batch_size: int = 64) -> list[Prediction]:
        """Each model's answers for one or more images uint8 (H, W, C) in the form of the task.

        What stands beside an image in a batch makes no difference to it, nor do other models: on a CPU not in a bit.
        """
        ready = batches(pictures, self._preprocessing, batch_size, self._device)
        found = [torch.cat(parts) for parts in zip(*map(self._answer, ready), strict=True)]
        return [
            Prediction(logits, (logits / temperature).softmax(dim=1), classes)
            for logits, temperature, classes in zip(found, self._temperatures, self.classes, strict=True)
        ]

    @torch.inference_mode()
    def _answer(self, x_BCHW: torch.Tensor) -> list[torch.Tensor]:
        """Logits (B, C) of each model, float32 on the CPU."""
        targets = [Target(node) for node in self._nodes]
        return [logits.float().cpu() for logits in walk(targets, lambda: x_BCHW, apply=self._apply)]
