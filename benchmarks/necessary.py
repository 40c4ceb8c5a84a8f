"""FLOPs of training children: all that a plain loop spends on them, and the least that their results need.

The least: a frozen stage computes an image once for all children that share everything up to it, or once for each batch
where the batch is augmented at random; the rest is each child's own. Gradients stop at the lowest trainable stage in
both. A stage's backward pass costs its forward pass for the gradients of its input and again for those of its weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from munet.accounting import flops
from munet.architecture import Architecture, depth_of
from munet.children import Child
from munet.jobs import Litter
from munet.training.images import stream_order

_BELOW = ("embedding", "cls", "posembed")


@dataclass(frozen=True)
class Cost:
    """FLOPs of a generation."""

    plain: float
    necessary: float

    @property
    def ceiling(self) -> float:
        """How many times faster than the plain loop one could be at the same FLOP/s."""
        return self.plain / self.necessary


def stage_flops(architecture: Architecture, child: Child, image_size: int, classes: int) -> dict[str, float]:
    """FLOPs of each stage for one image, in forward order."""
    depth = depth_of(child.origins)

    def total(blocks: int, outputs: int) -> float:
        return flops(architecture, blocks, image_size, outputs)

    block = total(1, 0) - total(0, 0)
    costs = {"posembed": 0.0}
    costs |= {f"block.{k}": block for k in range(depth)}
    # the embedding's share: all that is neither block nor final norm, which is small beside it
    norm = 8.0 * architecture.width * architecture.final_norm
    costs["posembed"] = total(0, 0) - norm
    return costs | {"norm": norm, "head": total(0, classes) - total(0, 0)}


def cost_of(
    architecture: Architecture, litters: Sequence[Litter], classes: int, examples: int, validation: int
) -> Cost:
    """FLOPs of training litters on `examples` images and as many validations as they have cycles. No adapters."""
    plain = necessary = 0.0
    once: dict[tuple[object, ...], float] = {}  # shared path -> FLOPs that one pass over it takes
    for litter in litters:
        for job in litter.jobs:
            costs = stage_flops(architecture, job.child, job.image_size, classes)
            cut = _lowest(job.child, costs)
            recipe = job.recipe
            samples = recipe.cycles * recipe.samples(examples)
            backward = _backward(job.child, costs, cut)
            forward = sum(costs.values())
            above = sum(list(costs.values())[cut:])
            images = recipe.cycles * validation
            plain += samples * (forward + backward) + images * forward
            necessary += samples * (above + backward) + images * above
            path: tuple[object, ...] = (litter.order if not recipe.preprocessing.deterministic else (), job.image_size)
            shown = samples
            if recipe.preprocessing.deterministic:
                shown = len(np.unique(stream_order(litter.order, examples, 0, samples)))
            else:
                path += (recipe.preprocessing,)
            for stage in list(costs)[:cut]:
                path += (tuple(job.child.shared.get(slot) for slot in _slots(stage)),)
                once[path] = shown * costs[stage]
                once[("validation", *path[1:])] = validation * costs[stage]
    return Cost(plain, necessary + sum(once.values()))


def _slots(stage: str) -> tuple[str, ...]:
    return _BELOW if stage == "posembed" else (stage,)


def _lowest(child: Child, costs: Mapping[str, float]) -> int:
    return next(i for i, stage in enumerate(costs) if set(_slots(stage)) & child.trainable)


def _backward(child: Child, costs: Mapping[str, float], cut: int) -> float:
    """FLOPs of one image's backward pass."""
    total = 0.0
    for number, (stage, cost) in enumerate(costs.items()):
        if number >= cut:
            weights = bool(set(_slots(stage)) & child.trainable)
            inputs = number > cut or stage.startswith("block")  # inside a block gradients pass from part to part
            total += cost * (weights + inputs)
    return total
