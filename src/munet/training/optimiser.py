"""SGD with momentum and the exact global-norm clip, on one flat buffer.

All trainable parameters of a child are views of one vector, and so are their gradients: clip and update are a handful
of operations whatever the number of layers, and nothing waits for the device.
"""

from collections.abc import Mapping

import torch
from torch import nn

Layers = dict[str, dict[str, torch.Tensor]]  # slot -> tensor name -> tensor

_ALIGN = 16  # float32 values: every view starts on a 64 byte boundary, as a tensor of its own would


class FlatParameters:
    """Moves parameters into one new vector, `values`, and their gradients into another, `gradients`.

    The tensors that the parameters held before are never written to: they may be a parent's stored layers.
    """

    def __init__(self, parameters: Mapping[str, Mapping[str, nn.Parameter]]) -> None:
        self._places: dict[str, dict[str, tuple[int, torch.Size]]] = {}
        self._parameters = [parameter for slot in parameters.values() for parameter in slot.values()]
        if not self._parameters:
            raise ValueError("there is no trainable parameter")
        end = 0
        for slot, tensors in parameters.items():
            self._places[slot] = {}
            for name, parameter in tensors.items():
                self._places[slot][name] = (end, parameter.shape)
                end += -(-parameter.numel() // _ALIGN) * _ALIGN
        device = self._parameters[0].device
        self.values = torch.zeros(end, dtype=torch.float32, device=device)
        self.gradients = torch.zeros_like(self.values)
        self.write(self.values, parameters)
        values, gradients = self.views(self.values), self.views(self.gradients)
        for slot, tensors in parameters.items():
            for name, parameter in tensors.items():
                parameter.data = values[slot][name]
                parameter.grad = gradients[slot][name]  # autograd adds into it

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

    def read(self, flat: torch.Tensor, dtype: torch.dtype = torch.float32) -> Layers:
        """Detached CPU tensors that own their memory, from a vector laid out like `values`."""
        copies = self.views(flat.to(dtype).cpu())
        return {slot: {name: view.clone() for name, view in views.items()} for slot, views in copies.items()}

    def release(self) -> None:
        """Lets go of the gradients."""
        for parameter in self._parameters:
            parameter.grad = None


def clip_factor(gradients: torch.Tensor, limit: float) -> torch.Tensor:
    """limit / norm where the norm reaches the limit, else 1, as a 0-dim tensor on the gradients' device.

    Exact: no small constant is added to the norm.
    """
    norm = torch.linalg.vector_norm(gradients)
    return torch.where(norm >= limit, limit / norm, 1.0)


class ClippedSGD:
    """g <- clip(g); v <- g + mu v; p <- p - lr v, or p - lr (g + mu v) with Nesterov. No decay, no dampening.

    `buffers` (slot -> name -> tensor of any float type) are the first v; a slot without buffers of its shapes starts
    at 0. `clip_norm` None switches clipping off.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        *,
        momentum: float,
        nesterov: bool = False,
        clip_norm: float | None = 1.0,
        buffers: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    ) -> None:
        self.parameters = parameters
        self.velocity = torch.zeros_like(parameters.values)
        parameters.write(self.velocity, buffers or {})
        self._momentum, self._nesterov, self._clip_norm = momentum, nesterov, clip_norm

    @torch.no_grad()
    def step(self, learning_rate: float | torch.Tensor) -> None:
        """One update from the gradients, which it then sets to 0. A rate on the device (0-dim) is never waited for."""
        gradients, velocity = self.parameters.gradients, self.velocity
        if self._clip_norm is not None:
            gradients.mul_(clip_factor(gradients, self._clip_norm))
        velocity.mul_(self._momentum).add_(gradients)
        update = gradients.add_(velocity, alpha=self._momentum) if self._nesterov else velocity
        if isinstance(learning_rate, torch.Tensor):
            self.parameters.values.sub_(update * learning_rate)
        else:
            self.parameters.values.add_(update, alpha=-learning_rate)
        gradients.zero_()
