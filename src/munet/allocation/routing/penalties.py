"""Penalties on the probabilities of a task's connections (arXiv 1910.04915; the last two are in its published code).

All are scalars to be added to the mean loss of a task's batch, and reach the rows of that task alone.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from munet.allocation.routing.allocations import Allocation
from munet.errors import InputError, suggest

UNITS = ("components", "parameters", "flops")


def check_unit(unit: str) -> None:
    """Raise InputError unless `unit` is what a budget can be counted in."""
    if unit not in UNITS:
        raise InputError(f"budget unit {unit!r} is unknown{suggest(unit, UNITS)}: it is one of {', '.join(UNITS)}")


def check_budget(budget: float) -> None:
    """Raise InputError unless `budget` is a share in (0, 1]."""
    if not 0 < budget <= 1:
        raise InputError(f"budget {budget} is outside (0, 1]: it is the share of the components that a task may use")


def expected_fraction(
    allocation: Allocation, task: int, unit: str = "components", costs: Sequence[Sequence[float]] | None = None
) -> Tensor:
    """Expected share of the routed components that a task uses, with gradient.

    Components count alike, or each as its parameters or operations: then `costs` holds a number for each component of
    each routed pool (`measures.component_costs`).
    """
    check_unit(unit)
    p = _row(allocation, task)
    if unit == "components":
        return p.mean() if p.numel() else torch.ones(())
    if costs is None or tuple(len(pool) for pool in costs) != allocation.sizes:
        raise InputError(f"a budget in {unit} needs their number for each component of the pools {allocation.sizes}")
    flat = torch.tensor([cost for pool in costs for cost in pool], dtype=p.dtype, device=p.device)
    if not flat.sum() > 0:
        raise InputError(f"a budget in {unit}: no component has any; count it in components")
    return (p * flat).sum() / flat.sum()


def budget(
    allocation: Allocation,
    task: int,
    budget: float,
    weight: float,
    unit: str = "components",
    costs: Sequence[Sequence[float]] | None = None,
) -> Tensor:
    """weight x max(0, expected share used - budget); nothing is gained below the budget."""
    check_budget(budget)
    _check_weight("budget penalty", weight)
    return weight * (expected_fraction(allocation, task, unit, costs) - budget).clamp(min=0)


def entropy(allocation: Allocation, task: int, weight: float, step: int, total: int, alpha: float = 1.0) -> Tensor:
    """weight x (step / total)^alpha x the entropy of the task's connections in nats; `total` updates in all."""
    _check_weight("entropy penalty", weight)
    if total < 1 or step < 0:
        raise InputError(f"entropy penalty at step {step} of {total}: steps count from 0, and there is at least one")
    if not (math.isfinite(alpha) and alpha >= 0):
        raise InputError(f"entropy penalty alpha {alpha}: it is 0 or greater")
    return weight * (step / total) ** alpha * allocation.entropy(task)


def disconnect(allocation: Allocation, task: int, weight: float) -> Tensor:
    """weight x the sum over pools of the probability that the task uses none of their components."""
    _check_weight("disconnect penalty", weight)
    rows = allocation.row_probabilities(task)
    return weight * torch.stack([(1 - p).prod() for p in rows]).sum() if rows else torch.zeros(())


def connection(allocation: Allocation, task: int, weight: float) -> Tensor:
    """weight x the expected number of components that the task uses."""
    _check_weight("connection penalty", weight)
    return weight * _row(allocation, task).sum()


def _row(allocation: Allocation, task: int) -> Tensor:
    rows = allocation.row_probabilities(task)
    return torch.cat(rows) if rows else torch.zeros(0)


def _check_weight(name: str, weight: float) -> None:
    if not (math.isfinite(weight) and weight >= 0):
        raise InputError(f"{name} {weight}: it is 0 or greater")
