"""FLOPs of training children: all that a plain loop spends on them, and the least that their results need.

The least: a frozen stage computes an image once for all children that share everything up to it, or once for each batch
where the batch is augmented at random; the rest is each child's own. Gradients stop at the lowest trainable stage in
both (`munet.model.cost.training_flops`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from munet.evolution.inheritance import ChildSpec
from munet.evolution.jobs import JobGroup
from munet.model.cost import stage_flops, training_flops
from munet.model.slots import STEM, STEM_STAGE, depth_of
from munet.model.vit import ViTArchitecture
from munet.training.images import stream_order


@dataclass(frozen=True)
class Cost:
    """FLOPs of a generation."""

    plain: float
    necessary: float

    @property
    def ceiling(self) -> float:
        """How many times faster than the plain loop one could be at the same FLOP/s."""
        return self.plain / self.necessary


def cost_of(
    architecture: ViTArchitecture, groups: Sequence[JobGroup], classes: int, examples: int, validation: int
) -> Cost:
    """FLOPs of training job groups on `examples` images and as many validations as they have cycles. No adapters."""
    plain = necessary = 0.0
    once: dict[tuple[object, ...], float] = {}  # shared path -> FLOPs that one pass over it takes
    for group in groups:
        for job in group.jobs:
            costs = stage_flops(architecture, depth_of(job.child.origins), job.image_size, classes)
            total = sum(costs.values())
            cut = _lowest(job.child, costs)
            recipe = job.recipe
            samples = recipe.cycles * recipe.samples(examples)
            training = training_flops(costs, job.child.trainable)
            above = sum(list(costs.values())[cut:])
            images = recipe.cycles * validation
            plain += samples * training + images * total
            necessary += samples * (training - total + above) + images * above
            path: tuple[object, ...] = (group.order if not recipe.preprocessing.deterministic else (), job.image_size)
            shown = samples
            if recipe.preprocessing.deterministic:
                shown = len(np.unique(stream_order(group.order, examples, 0, samples)))
            else:
                path += (recipe.preprocessing,)
            for stage in list(costs)[:cut]:
                path += (tuple(job.child.shared.get(slot) for slot in _slots(stage)),)
                once[path] = shown * costs[stage]
                once[("validation", *path[1:])] = validation * costs[stage]
    return Cost(plain, necessary + sum(once.values()))


def _slots(stage: str) -> tuple[str, ...]:
    return STEM if stage == STEM_STAGE else (stage,)


def _lowest(child: ChildSpec, costs: Mapping[str, float]) -> int:
    return next(i for i, stage in enumerate(costs) if set(_slots(stage)) & child.trainable)
