"""A model of an exported allocation as a network: its path through the pools, with its own head."""

import math
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from munet.errors import InputError
from munet.model.modules import assign
from munet.model.pools.architecture import Module, PoolsArchitecture, components_of
from munet.model.pools.module_json import built
from munet.model.pools.pool import Pool, combined
from munet.model.slots import Slot, pool_component, shared_layer
from munet.model.staged import Stage, StagedNetwork

_LARGEST = 1 << 24  # numbers that an empty pool passes on for one example
Layers = Mapping[str, Mapping[str, Tensor]]


class PathNetwork(StagedNetwork):
    """The layers of `architecture` with the given tensors by slot: `layer.i`, `pool.i.COMPONENT`, `head`.

    A component belongs to the path where its slot is among `layers`, with an empty layer if it has no tensors. Logits
    are those of the network that was exported, to the bit on the same CPU. InputError where the layers do not fit.
    """

    def __init__(self, architecture: PoolsArchitecture, layers: Layers) -> None:
        super().__init__()
        self.image_size = architecture.image_size
        self.parts = nn.ModuleList()
        self._normalize = architecture.combine == "mean"
        self._stages: list[tuple[str, tuple[str, ...], Callable[[Tensor], Tensor]]] = []
        for place, layer in enumerate(architecture.layers):
            self._add(place, layer, layers)
        if architecture.head is None or "head" not in layers:
            raise InputError("the layers do not fit the architecture: there is no head")
        self._share("head", architecture.head, layers)
        self.slots = tuple(slot for _, slots, _ in self._stages for slot in slots)
        strange = sorted(set(layers) - set(self.slots))
        if strange:
            raise InputError(f"the layers do not fit the architecture: it has no slot {strange[0]}")
        self.train(False)

    def _add(self, place: int, layer: Module, layers: Layers) -> None:
        components = components_of(layer)
        if components is None:
            self._share(shared_layer(place), layer, layers)
            return
        used = {name: slot for name in components if (slot := pool_component(place, name)) in layers}
        # With the names, for the layers of components without tensors are all the same.
        stage = f"{Slot('pool', place).name} {list(used)}"
        if not used:
            if math.prod(layer["shape"]) > _LARGEST:
                raise InputError(f"the pool at place {place} passes on {layer['shape']}: that is too large")
            self._stages.append((stage, (), partial(_zeros, tuple(layer["shape"]))))
            return
        pool = Pool([_filled(components[name], layers[slot], slot) for name, slot in used.items()], list(used))
        self.parts.append(pool)
        # They stay on the CPU, whatever computes: the pool reads them as numbers.
        weights = combined(torch.ones(len(used)), self._normalize)
        self._stages.append((stage, tuple(used.values()), partial(pool, weights=weights)))

    def _share(self, slot: str, description: Module, layers: Layers) -> None:
        module = _filled(description, layers.get(slot, {}), slot)
        self.parts.append(module)
        self._stages.append((slot, (slot,) if slot in layers else (), module))

    def stages(self) -> list[Stage]:
        return [(name, step) for name, _, step in self._stages]

    def slots_of_stage(self, name: str) -> tuple[str, ...]:
        return next(slots for stage, slots, _ in self._stages if stage == name)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Logits (B, classes) of images as the architecture's mean and std make them."""
        for _, _, step in self._stages:
            x_BCHW = step(x_BCHW)
        return x_BCHW


def _filled(description: Module, tensors: Mapping[str, Tensor], slot: str) -> nn.Module:
    module = built(description)
    assign(module, tensors, slot)
    return module


def _zeros(shape: tuple[int, ...], x: Tensor) -> Tensor:
    return x.new_zeros(len(x), *shape)
