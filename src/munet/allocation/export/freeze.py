"""Modules as data for a system: a description of the network, and the tensors of each task's path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.routing.fallback import FallbackAllocation
from munet.errors import InputError
from munet.model.pools.architecture import PoolsArchitecture
from munet.model.pools.module_json import described
from munet.model.pools.pool import Pool
from munet.model.slots import pool_component, shared_layer

Layer = dict[str, Tensor]


@dataclass(frozen=True)
class Frozen:
    """One task's path through a network.

    `parts` are the tensors of its slots, `head` the description of its head.
    """

    parts: Mapping[str, Layer]
    head: Mapping[str, Any]

    @property
    def sizes(self) -> dict[str, int]:
        return {slot: sum(tensor.numel() for tensor in layer.values()) for slot, layer in self.parts.items()}


def describe(
    network: MultitaskNetwork,
    allocation: Allocation,
    input_shape: Sequence[int],
    mean: Sequence[float],
    std: Sequence[float],
) -> PoolsArchitecture:
    """The network without its tensors and heads. InputError for a module that is not on the list of `described`, and
    for inputs that are no square images."""
    if len(input_shape) != 3:
        raise InputError(
            f"inputs of shape {tuple(input_shape)}: a system holds models of images, (channels, side, side)"
        )
    layers, x = [], sample(network, input_shape, 1)
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Pool) and len(layer) > 1:
            x = _evaluated(layer.components[0], x)
            parts = [described(part, pool_component(place, name)) for name, part in _components(layer)]
            layers.append({"type": "Pool", "names": list(layer.names), "components": parts, "shape": list(x.shape[1:])})
        else:
            shared = _shared(layer)
            x = _evaluated(shared, x)
            layers.append(described(shared, shared_layer(place)))
    combine = "mean" if allocation.normalize else "sum"
    empty = "likeliest" if isinstance(allocation, FallbackAllocation) else "zeros"
    channels, height, width = input_shape
    return PoolsArchitecture((channels, height, width), tuple(mean), tuple(std), combine, empty, layers)


def freeze(network: MultitaskNetwork, allocation: Allocation) -> list[Frozen]:
    """The path of each task: shared modules that have tensors, the components it uses in evaluation, its head."""
    rows = [matrix.tolist() for matrix in allocation.greedy()]
    return [_path(network, task, [row[task] for row in rows]) for task in range(len(allocation.tasks))]


def _path(network: MultitaskNetwork, task: int, used: Sequence[Sequence[bool]]) -> Frozen:
    parts: dict[str, Layer] = {}
    routed = iter(used)
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Pool) and len(layer) > 1:
            # Also those without tensors: a path names all that it uses.
            parts |= {
                pool_component(place, name): _tensors(part)
                for (name, part), on in zip(_components(layer), next(routed), strict=True)
                if on
            }
        elif tensors := _tensors(_shared(layer)):
            parts[shared_layer(place)] = tensors
    parts["head"] = _tensors(network.heads[task])
    return Frozen(parts, described(network.heads[task], f"head {task}"))


def _components(pool: Pool) -> list[tuple[str, nn.Module]]:
    return list(zip(pool.names, pool.components, strict=True))


def _shared(layer: nn.Module) -> nn.Module:
    """A module that all tasks use; a pool of one is its component."""
    return layer.components[0] if isinstance(layer, Pool) else layer


def _tensors(module: nn.Module) -> Layer:
    return {name: tensor.detach() for name, tensor in module.state_dict().items()}


def sample(network: nn.Module, input_shape: Sequence[int], count: int) -> Tensor:
    """Inputs (count, ...) of no meaning, where the network is."""
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    return torch.rand(count, *input_shape, generator=torch.Generator().manual_seed(0)).to(device)


@torch.no_grad()
def _evaluated(module: nn.Module, x: Tensor) -> Tensor:
    training = module.training
    module.eval()
    try:
        return module(x)
    finally:
        module.train(training)
