"""SGD with momentum and the exact global-norm clip, in one pass over the parameters.

All trainable parameters of a child are views of one vector, and so are their momentum buffers: a snapshot is one copy.
Gradients are what autograd made of them, neither added up nor copied, and nothing waits for the device.
"""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import get_total_norm
from torch.optim.sgd import sgd

Layers = dict[str, dict[str, torch.Tensor]]  # slot -> tensor name -> tensor

_ALIGN = 16  # float32 values: every view starts on a 64 byte boundary, as a tensor of its own would


class FlatParameters:
    """Moves parameters into one new vector, `values`.

    The tensors that the parameters held before are never written to: they may be a parent's stored layers.
    """

    def __init__(self, parameters: Mapping[str, Mapping[str, nn.Parameter]]) -> None:
        self._places: dict[str, dict[str, tuple[int, torch.Size]]] = {}
        self.parameters = [parameter for slot in parameters.values() for parameter in slot.values()]
        self.slots = [slot for slot, tensors in parameters.items() for _ in tensors]  # of each of them
        if not self.parameters:
            raise ValueError("there is no trainable parameter")
        end = 0
        for slot, tensors in parameters.items():
            self._places[slot] = {}
            for name, parameter in tensors.items():
                self._places[slot][name] = (end, parameter.shape)
                end += -(-parameter.numel() // _ALIGN) * _ALIGN
        device = self.parameters[0].device
        self.values = torch.zeros(end, dtype=torch.float32, device=device)
        self.write(self.values, parameters)
        values = self.views(self.values)
        for slot, tensors in parameters.items():
            for name, parameter in tensors.items():
                parameter.data = values[slot][name]

    def views(self, flat: torch.Tensor) -> Layers:
        """The parts of a vector laid out like `values`, by slot and tensor name."""
        return {
            slot: {name: flat[start : start + shape.numel()].view(shape) for name, (start, shape) in tensors.items()}
            for slot, tensors in self._places.items()
        }

    def write(self, flat: torch.Tensor, layers: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Copies layers into a vector laid out like `values`. What has no counterpart of its shape is left out."""
        with torch.no_grad():
            for slot, views in self.views(flat).items():
                given = layers.get(slot, {})
                if all(name in given and given[name].shape == view.shape for name, view in views.items()):
                    for name, view in views.items():
                        view.copy_(given[name])

    def forget_gradients(self) -> None:
        """Let go of the gradients: the next ones are not added to them."""
        for parameter in self.parameters:
            parameter.grad = None


class ClippedSGD:
    """g <- clip(g); v <- g + mu v; p <- p - lr v, or p - lr (g + mu v) with Nesterov. No decay, no dampening.

    Clipped, g is g limit / ||g|| where the norm over all gradients reaches the limit, exactly: no small constant is
    added to it. `buffers` (slot -> name -> tensor of any float type) are the first v; a slot without buffers of its
    shapes starts at 0. `clip_norm` None switches clipping off. With mu = 0 there is no v, and it stays as it is.
    `factors` are of the learning rates of slots; a slot without one has 1.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        *,
        momentum: float,
        nesterov: bool = False,
        clip_norm: float | None = 1.0,
        buffers: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
        factors: Mapping[str, float] | None = None,
    ) -> None:
        self.parameters = parameters
        self.velocity = torch.zeros_like(parameters.values)
        parameters.write(self.velocity, buffers or {})
        self._buffers = [view for slot in parameters.views(self.velocity).values() for view in slot.values()]
        self._groups: dict[float, list[int]] = {}  # factor -> numbers of its tensors
        for number, slot in enumerate(parameters.slots):
            self._groups.setdefault((factors or {}).get(slot, 1.0), []).append(number)
        self._momentum, self._nesterov, self._clip_norm = momentum, nesterov and momentum > 0, clip_norm

    @property
    def state(self) -> tuple[torch.Tensor, ...]:
        """All that a step changes beside the parameters."""
        return (self.velocity,)

    @torch.no_grad()
    def step(self, learning_rate: float | torch.Tensor) -> None:
        """One update from the gradients, which every parameter must have. A rate on the device is never waited for."""
        values = [parameter.data for parameter in self.parameters.parameters]
        gradients = [parameter.grad for parameter in self.parameters.parameters if parameter.grad is not None]
        scale = None
        if self._clip_norm is not None:  # the update divides by it on its way
            scale = (get_total_norm(gradients, foreach=True) / self._clip_norm).clamp(min=1.0)
        for factor, numbers in self._groups.items():
            sgd(
                [values[i] for i in numbers],
                [gradients[i] for i in numbers],
                [self._buffers[i] for i in numbers],
                fused=True,
                grad_scale=scale,
                weight_decay=0.0,
                momentum=self._momentum,
                lr=learning_rate * factor,  # type: ignore[arg-type]
                dampening=0.0,
                nesterov=self._nesterov,
                maximize=False,
            )
