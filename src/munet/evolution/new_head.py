"""A head that is made anew in closed form after training, and kept where it answers no worse than the trained one.

Training sharpens the features of a large root faster than it places classes among them (ours, docs/method.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from munet.evolution.head_features import Body
from munet.evolution.head_fit import Tensors, fitted_head, plain
from munet.evolution.jobs import Job
from munet.evolution.origins import initial_layers
from munet.model.loader import LayerSource
from munet.model.network import Network
from munet.training.evaluation import evaluate
from munet.training.images import ImageSet, SplitLike


@dataclass(frozen=True)
class NewHead:
    """A layer for the head, and the validation accuracy that the model has with it."""

    layer: Tensors
    accuracy: float

    def is_kept(self, trained: float) -> bool:
        """Whether it takes the place of a head with which the model had the accuracy `trained`."""
        return self.accuracy >= trained


def new_head(
    job: Job,
    trained: Mapping[str, Mapping[str, torch.Tensor]],
    layers: LayerSource,
    train: ImageSet,
    validation: SplitLike,
) -> NewHead | None:
    """For a child that has the layers `trained`, by slot, and shares the others; None where its job wants none."""
    if job.last_head is None:
        return None
    below = {slot: origin for slot, origin in job.child.origins.items() if slot != "head" and slot not in trained}
    tensors = initial_layers(layers, below, job.key) | {slot: dict(trained[slot]) for slot in trained if slot != "head"}
    tensors = {slot: tensors[slot] for slot in job.child.origins if slot != "head"}
    body = Body(tensors, {slot: f"{job.key} trained {slot}" for slot in tensors})  # what nobody will read again
    options = {"name": "", "kind": layers.root, "cache": None, "stream": "new head"}
    head = fitted_head(job, job.last_head, body, train, layers.architecture, **options)
    network = Network(layers.architecture, {**tensors, "head": head}, job.image_size)
    network = network.on(train.device, job.recipe.precision, job.recipe.step)
    pre, precision = plain(job.recipe.preprocessing), job.recipe.precision
    correct, examples = evaluate(network, validation, pre, device=train.device, precision=precision)
    return NewHead(head, correct / examples)
