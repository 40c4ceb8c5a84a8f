"""AdamW over flat parameters, with a learning rate of its own for each slot (Loshchilov & Hutter 2019)."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch.nn.utils import get_total_norm
from torch.optim.adamw import adamw

from munet.model.slots import parse
from munet.training.optimiser import ClippedSGD, FlatParameters
from munet.training.recipe import Recipe

BETAS = (0.9, 0.999)
EPS = 1e-8


class ClippedAdamW:
    """g <- clip(g); m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g g; p <- p - r d p - r m' / (sqrt(v') + eps).

    m' and v' are m and v without their bias to 0, r is the learning rate times the slot's factor (1 where `factors` has
    none), d the weight decay: as timm has it, for tensors of two dimensions or more that `decays` (slot, name) does
    not exclude. The clip is the exact one of `ClippedSGD`. One call of PyTorch's fused update for each different rate.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = 1.0,
        factors: Mapping[str, float] | None = None,
        decays: Callable[[str, str], bool] = lambda slot, name: True,
    ) -> None:
        self.parameters = parameters
        self._clip_norm = clip_norm
        self._first = torch.zeros_like(parameters.values)
        self._second = torch.zeros_like(parameters.values)
        self._steps = torch.zeros(len(parameters.parameters), device=parameters.values.device)
        first, second = parameters.views(self._first), parameters.views(self._second)
        self._groups: dict[tuple[float, float], list[int]] = {}  # (factor, decay) -> numbers of its tensors
        self._moments: list[tuple[torch.Tensor, torch.Tensor]] = []
        for slot, tensors in first.items():
            for name, moment in tensors.items():
                decay = weight_decay if moment.squeeze().ndim > 1 and decays(slot, name) else 0.0
                group = self._groups.setdefault(((factors or {}).get(slot, 1.0), decay), [])
                group.append(len(self._moments))
                self._moments.append((moment, second[slot][name]))

    @property
    def state(self) -> tuple[torch.Tensor, ...]:
        """All that a step changes beside the parameters."""
        return self._first, self._second, self._steps

    velocity: torch.Tensor | None = None  # nothing that another training could begin with

    @torch.no_grad()
    def step(self, learning_rate: float | torch.Tensor) -> None:
        """One update from the gradients, which every parameter must have. A rate on the device is never waited for."""
        gradients = [parameter.grad for parameter in self.parameters.parameters]
        scale = None
        if self._clip_norm is not None:
            scale = (get_total_norm(gradients, foreach=True) / self._clip_norm).clamp(min=1.0)  # type: ignore[arg-type]
        for (factor, decay), numbers in self._groups.items():
            adamw(
                [self.parameters.parameters[i].data for i in numbers],
                [gradients[i] for i in numbers],  # type: ignore[misc]
                [self._moments[i][0] for i in numbers],
                [self._moments[i][1] for i in numbers],
                [],
                [self._steps[i] for i in numbers],
                fused=True,
                grad_scale=scale,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=learning_rate * factor,
                weight_decay=decay,
                eps=EPS,
                maximize=False,
            )


def layer_factors(slots: Iterable[str], num_blocks: int, decay: float, head: float = 1.0) -> dict[str, float]:
    """Factor of each slot's learning rate under layer-wise decay (Clark et al. 2020), as timm counts layers.

    The head has `head`, norm and pool have 1; block k of n, with its adapter, decay^(n - k); what lies below the
    blocks decay^(n + 1).
    """
    factors = {}
    for slot in slots:
        kind, number, _ = parse(slot)
        if kind.startswith("head"):  # of one task, or one of several tasks
            factors[slot] = head
        elif number is not None:
            factors[slot] = decay ** (num_blocks - number)
        else:
            factors[slot] = 1.0 if kind in ("norm", "pool") else decay ** (num_blocks + 1)
    return factors


def optimiser_of(
    recipe: Recipe,
    parameters: FlatParameters,
    num_blocks: int,
    buffers: Mapping[str, Mapping[str, torch.Tensor]] | None,
) -> ClippedSGD | ClippedAdamW:
    """The optimiser that a recipe names. `buffers` are momentum to begin with, which only SGD takes."""
    factors = layer_factors(parameters.slots, num_blocks, recipe.layer_decay, recipe.head_rate)
    if recipe.optimiser == "adamw":
        decay, clip = recipe.weight_decay, recipe.clip_norm
        return ClippedAdamW(parameters, weight_decay=decay, clip_norm=clip, factors=factors, decays=_decays)
    return ClippedSGD(
        parameters,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        clip_norm=recipe.clip_norm,
        buffers=buffers,
        factors=factors,
    )


def _decays(slot: str, name: str) -> bool:
    """Tokens and position embeddings are not decayed, as in timm."""
    return slot not in ("cls", "posembed")
