"""AdamW (Loshchilov & Hutter 2019) with the exact global-norm clip and a learning rate of its own for each layer."""

from collections.abc import Mapping

import torch
from torch.nn.utils import get_total_norm
from torch.optim.adamw import adamw

from munet.training.optimiser import FlatParameters

_BETAS, _EPSILON = (0.9, 0.999), 1e-8


class ClippedAdamW:
    """One update: g <- clip(g), then AdamW's; as in timm, norms and biases do not decay.

    `factors` (slot -> number) multiply the learning rate of a slot's parameters; a slot that is not there has 1.
    `velocity` is the first moment, laid out like the parameters.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        *,
        weight_decay: float,
        factors: Mapping[str, float],
        clip_norm: float | None,
    ) -> None:
        self.parameters, self._clip_norm = parameters, clip_norm
        self.velocity = torch.zeros_like(parameters.values)
        self._square = torch.zeros_like(parameters.values)
        self._groups: dict[tuple[float, float], list[int]] = {}
        views, squares = parameters.views(self.velocity), parameters.views(self._square)
        self._moments = [
            (views[slot][name], squares[slot][name]) for slot, tensors in views.items() for name in tensors
        ]
        shapes = [(slot, tensor.ndim) for slot, tensors in views.items() for tensor in tensors.values()]
        for number, (slot, dims) in enumerate(shapes):
            group = (factors.get(slot, 1.0), weight_decay if dims > 1 else 0.0)
            self._groups.setdefault(group, []).append(number)
        self._steps = [torch.zeros((), dtype=torch.float32, device=parameters.values.device) for _ in self._moments]

    @torch.no_grad()
    def step(self, learning_rate: float | torch.Tensor) -> None:
        """One update from the gradients, which every parameter must have."""
        parameters = self.parameters.parameters
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        scale = None
        if self._clip_norm is not None:  # the update divides by it on its way
            scale = (get_total_norm(gradients, foreach=True) / self._clip_norm).clamp(min=1.0)
        for (factor, decay), numbers in self._groups.items():
            adamw(
                [parameters[n].data for n in numbers],
                [gradients[n] for n in numbers],
                [self._moments[n][0] for n in numbers],
                [self._moments[n][1] for n in numbers],
                [],
                [self._steps[n] for n in numbers],
                fused=True,
                grad_scale=scale,
                amsgrad=False,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                lr=learning_rate * factor,  # type: ignore[arg-type]
                weight_decay=decay,
                eps=_EPSILON,
                maximize=False,
            )
