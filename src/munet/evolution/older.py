"""Models of older data: a task's images changed since its model was trained (`munet update`). What it is worth on those
of now, and what its successor still knows of its classes."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.evolution.active_task import ActiveTask
from munet.evolution.runs import Run
from munet.inference.prepared import preprocessing_of
from munet.tasks.cache.splits import Splits
from munet.text import counted
from munet.training import evaluate

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


class OlderModels:
    """Measures models on the validation images of a task as they are now."""

    def __init__(self, models: "ModelLoader", run: Run, splits: Splits) -> None:
        self._models, self._run, self._splits = models, run, splits

    def accuracy(self, active: ActiveTask, model: str) -> float:
        """Validation accuracy, of as many images as children are validated on."""
        correct, examples = self._count(active, model)
        return correct / examples

    def told(self, active: ActiveTask, best: str) -> str:
        """A sentence on the model that is retained now beside the one before."""
        assert active.older is not None
        name, before, classes = active.name, active.older["model"], active.older["classes"]
        if best == before:
            return f"{name}: no child is better than the model of the older data, which stays"
        was, examples = self._count(active, before, classes)
        now, _ = self._count(active, best, classes)
        if not examples:
            return f"{name}: validation has no image of the {counted(classes, 'old class')}"
        old = f"{name}: {counted(classes, 'old class')}, {counted(examples, 'validation image')}"
        return f"{old}: {was / examples:.1%} right before, {now / examples:.1%} now"

    def _count(self, active: ActiveTask, model: str, classes: int | None = None) -> tuple[int, int]:
        """(correct, examples) of the images of the first so many classes, or of all."""
        manifest = self._models.manifest(model)
        torch.set_num_threads(self._run.threads)  # as in training, wherever that was
        size, cap = manifest["hyperparameters"]["image_size"], active.method.validation_cap
        split = self._splits.get(active.record, "validation", size, cap)
        if classes is not None:
            rows = np.flatnonzero(split.labels < classes)
            if split.check is not None:
                split.check(rows)
            split = replace(split, images=split.images[rows], labels=split.labels[rows], check=None)
        if not len(split.labels):
            return 0, 0
        device, precision = self._run.device, self._run.request.precision
        network = self._models.network(model).on(device, precision)
        pre = preprocessing_of(self._models, manifest)
        return evaluate(network, split, pre, device=device, precision=precision)
