"""Measures of an allocation: similarity of tasks, parameters and operations that each of them uses."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.routing.penalties import check_unit
from munet.errors import InputError
from munet.model.cost import accounted_parameters
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import AvgPool2dSame, MaxPool2dSame
from munet.model.slots import pool_component, shared_layer

_NORM = 8  # operations per element of a normalisation, as munet.model.cost counts a LayerNorm


def similarity(matrix: Any) -> np.ndarray:
    """Cosine similarities (T, T) of the rows of `matrix` (T, N), from 0 to 1 for what tasks use.

    A row of zeros is similar to no other (0), and any row to itself (1).
    """
    rows = np.asarray(matrix, dtype=np.float64)
    if rows.ndim != 2:
        raise InputError(f"similarity of an array of shape {rows.shape}: it takes a matrix (tasks, components)")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    found = np.clip(units @ units.T, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def task_sizes(network: MultitaskNetwork, allocation: Allocation) -> list[dict[str, int]]:
    """For each task, the parameters of each part that it uses: `layer.i`, `pool.i.component`, `head.t`."""
    _check(network, allocation)
    rows = [[matrix[task].tolist() for matrix in allocation.greedy()] for task in range(len(allocation.tasks))]
    return [_parts(network, task, row) for task, row in enumerate(rows)]


def _parts(network: MultitaskNetwork, task: int, row: Sequence[Sequence[bool]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    routed = iter(row)
    for place, layer in enumerate(network.layers):
        if isinstance(layer, Pool) and len(layer) > 1:
            used = next(routed)
            for name, size, on in zip(layer.names, layer.parameter_counts(), used, strict=True):
                if on:
                    sizes[pool_component(place, name)] = size
        else:
            sizes[shared_layer(place)] = _size(layer)
    return sizes | {f"head.{task}": _size(network.heads[task])}


def accounted(network: MultitaskNetwork, allocation: Allocation) -> dict[str, float]:
    """Accounted parameters of each task, by name: each part divided by the number of tasks that use it (muNet eq. 3).

    They sum to `used_parameters(network, allocation)`.
    """
    sizes = task_sizes(network, allocation)
    owners: dict[str, set[str | None]] = defaultdict(set)
    for name, parts in zip(allocation.tasks, sizes, strict=True):
        for part in parts:
            owners[part].add(name)
    return {
        name: accounted_parameters(parts, {part: part for part in parts}, owners, name)
        for name, parts in zip(allocation.tasks, sizes, strict=True)
    }


def parameters_by_task(network: MultitaskNetwork, allocation: Allocation) -> dict[str, int]:
    """Parameters that each task uses, by name, head included and however many others share them."""
    sizes = task_sizes(network, allocation)
    return {name: sum(parts.values()) for name, parts in zip(allocation.tasks, sizes, strict=True)}


def used_parameters(network: MultitaskNetwork, allocation: Allocation) -> int:
    """Parameters that at least one task uses."""
    used: dict[str, int] = {}
    for parts in task_sizes(network, allocation):
        used |= parts
    return sum(used.values())


def unused_components(network: MultitaskNetwork, allocation: Allocation) -> list[str]:
    """`pool.i.component` of the components that no task uses."""
    used = {part for parts in task_sizes(network, allocation) for part in parts}
    pools = [(place, layer) for place, layer in enumerate(network.layers) if isinstance(layer, Pool)]
    names = [pool_component(place, name) for place, pool in pools if len(pool) > 1 for name in pool.names]
    return [name for name in names if name not in used]


def flops_by_task(network: MultitaskNetwork, allocation: Allocation, sample: Tensor) -> dict[str, int]:
    """Operations of one forward pass of one example by each task, by name; `sample` is a batch (B, ...).

    A multiply-add counts as two, a bias, an activation and each entry of a pooling window as one, a normalisation as 8
    per element; the weighted sum of the components as two per element and active component.
    """
    _check(network, allocation)
    fixed, pools, outputs = _operations(network, sample)
    found: dict[str, int] = {}
    for task, name in enumerate(allocation.tasks):
        total = fixed + _flops(network.heads[task], outputs[-1])[0]
        for matrix, costs, out in zip(allocation.greedy(), pools, outputs, strict=False):
            used = matrix[task].tolist()
            total += sum(cost + 2 * out[0].numel() for cost, on in zip(costs, used, strict=True) if on)
        found[name] = total
    return found


def component_costs(network: MultitaskNetwork, unit: str, sample: Tensor | None = None) -> list[list[float]]:
    """For each routed pool the cost of each component in `unit`: 1, its parameters, or its operations on an example.

    Operations need a `sample` (B, ...) of inputs.
    """
    check_unit(unit)
    if unit == "components":
        return [[1.0] * size for size in network.routed_sizes]
    if unit == "parameters":
        return [[float(count) for count in pool.parameter_counts()] for pool in network.pools]
    if sample is None:
        raise InputError("a budget in flops needs a sample of the inputs: pass a batch of them")
    return [[float(cost) for cost in pool] for pool in _operations(network, sample)[1]]


def _operations(network: MultitaskNetwork, sample: Tensor) -> tuple[int, list[list[int]], list[Tensor]]:
    """Operations of what all tasks use, of each component of each routed pool; the pools' outputs, then the trunk's."""
    x, fixed, pools, outputs = sample[:1], 0, [], []
    for layer in network.layers:
        if isinstance(layer, Pool) and len(layer) > 1:
            found = [_flops(component, x) for component in layer.components]
            pools.append([cost for cost, _ in found])
            x = found[0][1]
            outputs.append(x)
        else:
            cost, x = _flops(layer, x)
            fixed += cost
    return fixed, pools, [*outputs, x]


def _flops(module: nn.Module, x: Tensor) -> tuple[int, Tensor]:
    """Operations of a module on x (1, ...), and its output."""
    total = 0

    def count(leaf: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal total
        total += _leaf_flops(leaf, output.numel())

    hooks = [leaf.register_forward_hook(count) for leaf in module.modules() if not list(leaf.children())]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            out = module(x)
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    return total, out


def _leaf_flops(leaf: nn.Module, elements: int) -> int:
    """Operations of one leaf module that gives `elements` outputs; modules it does not know cost nothing."""
    if isinstance(leaf, nn.Conv2d | nn.Conv1d | nn.Linear):
        return elements * (2 * leaf.weight[0].numel() + (leaf.bias is not None))
    if isinstance(leaf, nn.GroupNorm | nn.LayerNorm | nn.BatchNorm2d | nn.BatchNorm1d):
        return elements * _NORM
    if isinstance(leaf, nn.GELU | nn.SiLU | nn.Tanh | nn.Sigmoid):
        return elements * _NORM
    if isinstance(leaf, nn.ReLU | nn.LeakyReLU):
        return elements
    if isinstance(leaf, MaxPool2dSame | AvgPool2dSame):
        return elements * leaf.kernel**2
    if isinstance(leaf, nn.MaxPool2d | nn.AvgPool2d):
        size = leaf.kernel_size
        return elements * (size * size if isinstance(size, int) else size[0] * size[-1])
    return 0


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _check(network: MultitaskNetwork, allocation: Allocation) -> None:
    if network.routed_sizes != allocation.sizes or len(network.heads) != len(allocation.tasks):
        raise InputError(
            f"an allocation of {len(allocation.tasks)} tasks over pools {allocation.sizes} does not fit a network of "
            f"{len(network.heads)} heads and pools {network.routed_sizes}: make it for these"
        )
