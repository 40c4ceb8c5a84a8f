"""A network of layers and pools with a head for each task (arXiv 1910.04915)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from munet.errors import InputError
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import SeededDropout

__all__ = ["MultitaskNetwork", "Pool"]


class MultitaskNetwork(nn.Module):
    """Layers in order, then the head of the task.

    A layer is a module, which all tasks share, or a pool. A pool of one component needs no choice; one of more is
    *routed*, and takes the next of the weights that an allocation gives.
    """

    def __init__(self, layers: Sequence[nn.Module], heads: Sequence[nn.Module]) -> None:
        super().__init__()
        if not heads:
            raise InputError("a network needs a head for each task, and none is given: pass one module for each task")
        self.layers = nn.ModuleList(layers)
        self.heads = nn.ModuleList(heads)

    @property
    def pools(self) -> list[Pool]:
        """The routed pools, in order."""
        return [layer for layer in self.layers if isinstance(layer, Pool) and len(layer) > 1]

    @property
    def routed_sizes(self) -> tuple[int, ...]:
        """Number of components of each routed pool."""
        return tuple(len(pool) for pool in self.pools)

    def forward(
        self, x: Tensor, task: int, weights: Sequence[Tensor], *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Outputs (B, classes of the task) of its head; `weights` holds a tensor (C,) for each routed pool.

        Dropout draws from `generator` where one is given.
        """
        self._check(task, weights)
        features = self.trunk(x, weights, generator)
        return self.heads[task](features)

    def trunk(self, x: Tensor, weights: Sequence[Tensor], generator: torch.Generator | None = None) -> Tensor:
        """What the heads are given."""
        given = iter(weights)
        for layer in self.layers:
            if isinstance(layer, Pool):
                x = layer(x, next(given) if len(layer) > 1 else None)
            else:
                x = apply(layer, x, generator)
        return x

    def check(self, sample: Tensor) -> None:
        """Raise InputError where components of a pool differ in shape, for inputs like `sample` (B, ...)."""
        x, number = sample, 0
        with torch.no_grad():
            for layer in self.layers:
                if not isinstance(layer, Pool):
                    x = layer(x)
                    continue
                try:
                    layer.check(x)
                except InputError as error:
                    raise InputError(f"pool {number}: {error}") from error
                x, number = layer.components[0](x), number + 1

    def _check(self, task: int, weights: Sequence[Tensor]) -> None:
        if not 0 <= task < len(self.heads):
            raise InputError(f"task {task}: this network has heads for tasks 0 to {len(self.heads) - 1}")
        sizes = self.routed_sizes
        if len(weights) != len(sizes):
            raise InputError(f"weights of {len(weights)} pools: this network has {len(sizes)} routed pools, {sizes}")
        for pool, size, weight in zip(range(len(sizes)), sizes, weights, strict=True):
            if weight.shape != (size,):
                raise InputError(f"pool {pool}: weights of shape {tuple(weight.shape)} for {size} components")


def apply(layer: nn.Module, x: Tensor, generator: torch.Generator | None) -> Tensor:
    """The layer's output; dropout is given the generator."""
    return layer(x, generator) if isinstance(layer, SeededDropout) else layer(x)
