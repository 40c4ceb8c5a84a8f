"""The optimiser of a recipe, and how fast each layer of a network learns."""

from collections.abc import Mapping, Sequence

import torch

from munet.training.adamw import ClippedAdamW
from munet.training.optimiser import ClippedSGD, FlatParameters
from munet.training.recipe import Recipe

Optimiser = ClippedSGD | ClippedAdamW


def layer_factors(stages: Sequence[str], slots: Sequence[str], decay: float) -> dict[str, float]:
    """Slot -> factor of its learning rate: decay^k, k stages below the last one (Clark et al. 2020, as timm has it).

    `stages` are a network's stages in forward order, each named as its slot; what belongs to none (class token and
    patch embedding, which the first stage has) counts with the first, a head that is kept apart with the last.
    """
    depth = {stage.partition("+")[0]: number for number, stage in enumerate(stages)}
    top = max(depth.values(), default=0)
    stem = depth.get("posembed", 0)
    return {slot: decay ** (0 if slot.startswith("head") else top - depth.get(slot, stem)) for slot in slots}


def optimiser_of(
    recipe: Recipe,
    parameters: FlatParameters,
    stages: Sequence[str],
    buffers: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
) -> Optimiser:
    """The optimiser that a recipe names; `buffers` are momentum to begin with, of SGD."""
    if recipe.optimiser == "adamw":
        factors = layer_factors(stages, list(parameters.views(parameters.values)), recipe.layer_decay)
        return ClippedAdamW(parameters, weight_decay=recipe.weight_decay, factors=factors, clip_norm=recipe.clip_norm)
    return ClippedSGD(
        parameters,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        clip_norm=recipe.clip_norm,
        buffers=buffers,
    )
