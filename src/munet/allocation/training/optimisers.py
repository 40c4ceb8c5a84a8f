"""Two Adams, one for the network and one for the allocation, and what they do with what an update did not use.

An update is for one task. Components, heads and rows of the allocation that play no part in it have gradient zero in
the published code, and Adam moves them on by their momentum: with N tasks a parameter that has a steady gradient once
in N updates moves about the square root of N times as far in a round as one whose optimiser rests in between. "zero" is
that, "skip" lets them rest.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import torch
from torch import nn

BETAS, EPSILON = (0.9, 0.999), 1e-8
_ALIGNED = 16  # elements


class Optimiser(Protocol):
    """What the trainer asks of each: an update of `tasks` in which no `inactive` parameter played a part."""

    def zero_grad(self) -> None: ...
    def step(self, tasks: Collection[int], inactive: Collection[nn.Parameter]) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class FlatAdam:
    """Adam over many small tensors as one: their values and gradients become views of two flat vectors.

    One kernel moves them all, and what has no gradient has zero. `decay` is the coupled L2 term (added to the
    gradient, as a penalty in the loss is), one factor for each tensor.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float, decays: Sequence[float]) -> None:
        groups: dict[float, list[nn.Parameter]] = {}
        for parameter, decay in zip(parameters, decays, strict=True):
            groups.setdefault(decay, []).append(parameter)
        self.flats = [_flatten(group) for group in groups.values()]
        described = [{"params": [flat], "weight_decay": decay} for flat, decay in zip(self.flats, groups, strict=True)]
        self.adam = torch.optim.Adam(described, lr=rate, betas=BETAS, eps=EPSILON, fused=True)

    def zero_grad(self) -> None:
        for flat in self.flats:
            assert flat.grad is not None
            flat.grad.zero_()

    def step(self, tasks: Collection[int], inactive: Collection[nn.Parameter]) -> None:
        """All move, whichever are inactive: their gradients are zero."""
        self.adam.step()

    def state_dict(self) -> dict[str, Any]:
        return self.adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.adam.load_state_dict(state)


def _flatten(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """One vector of which all `parameters` and their gradients are views from now on.

    Each begins where a tensor of its own would, at a multiple of 64 bytes: kernels may sum in another order elsewhere,
    and evaluation by a network that was loaded from a file would differ in the last bits.
    """
    starts, end = [], 0
    for parameter in parameters:
        starts.append(end)
        end += -(-parameter.numel() // _ALIGNED) * _ALIGNED
    with torch.no_grad():
        flat = nn.Parameter(torch.zeros(end, dtype=parameters[0].dtype, device=parameters[0].device))
        flat.grad = torch.zeros_like(flat)
        for parameter, start in zip(parameters, starts, strict=True):
            held = slice(start, start + parameter.numel())
            flat.data[held] = parameter.detach().reshape(-1)
            parameter.data = flat.data[held].view(parameter.shape)
            parameter.grad = flat.grad[held].view(parameter.shape)
    return flat


class RestingAdam:
    """Adam that leaves alone what an update names as inactive: values, momentum and count of steps stay."""

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float, decays: Sequence[float]) -> None:
        groups = [
            {"params": [parameter], "weight_decay": decay} for parameter, decay in zip(parameters, decays, strict=True)
        ]
        self.adam = torch.optim.Adam(groups, lr=rate, betas=BETAS, eps=EPSILON, foreach=False)

    def zero_grad(self) -> None:
        self.adam.zero_grad(set_to_none=True)

    def step(self, tasks: Collection[int], inactive: Collection[nn.Parameter]) -> None:
        """All but the inactive ones move."""
        for parameter in inactive:
            parameter.grad = None
        self.adam.step()

    def state_dict(self) -> dict[str, Any]:
        return self.adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.adam.load_state_dict(state)


class RowAdam:
    """Adam over matrices (tasks, ...) each of whose rows has its own count of steps, so that it can rest alone."""

    def __init__(self, parameters: Sequence[nn.Parameter], rate: float) -> None:
        self.parameters, self.rate = list(parameters), rate
        self.first = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.counts = [0] * max(len(parameter) for parameter in self.parameters)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, tasks: Collection[int], inactive: Collection[nn.Parameter]) -> None:
        """The rows of `tasks` move."""
        for row in sorted(tasks):
            self.counts[row] += 1
            small, large = (1 - beta ** self.counts[row] for beta in BETAS)
            for parameter, first, second in zip(self.parameters, self.first, self.second, strict=True):
                if parameter.grad is None:
                    continue
                gradient = parameter.grad[row]
                first[row].lerp_(gradient, 1 - BETAS[0])
                second[row].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                scale = second[row].sqrt().div_(large**0.5).add_(EPSILON)
                parameter[row].addcdiv_(first[row], scale, value=-self.rate / small)

    def state_dict(self) -> dict[str, Any]:
        return {"first": self.first, "second": self.second, "counts": list(self.counts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for mine, saved in ((self.first, state["first"]), (self.second, state["second"])):
            for tensor, held in zip(mine, saved, strict=True):
                tensor.copy_(held)
        self.counts = list(state["counts"])
