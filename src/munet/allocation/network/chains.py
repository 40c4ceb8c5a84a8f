"""Components as chains of steps (convolution or dense layer, group norm, ReLU); chains of one form computed at once.

Equal chains of a pool share their input. So their first kernels are concatenated, their later ones are groups of one
grouped convolution, and their norms are one norm with as many times the groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.allocation.network.levels import Drawn
from munet.model.pools.same_padding import Conv2dSame, conv_same


@dataclass(frozen=True, eq=False)
class Step:
    """A kernel, the norm after it if any, and whether a ReLU follows."""

    kernel: nn.Conv2d | nn.Linear
    norm: nn.GroupNorm | None
    relu: bool

    def form(self) -> tuple[object, ...]:
        """What two steps must have in common to be computed at once."""
        kernel, norm = self.kernel, self.norm
        made: tuple[object, ...] = (type(kernel), tuple(kernel.weight.shape), kernel.bias is None, self.relu)
        if isinstance(kernel, nn.Conv2d):
            made += (kernel.stride, kernel.padding)
        return made if norm is None else (*made, norm.num_groups, norm.eps)


Chain = tuple[Step, ...]


def chain_of(component: nn.Module) -> Chain | None:
    """The component as a chain; None for anything else. Sequences may be nested."""
    leaves = list(_leaves(component))
    steps: list[Step] = []
    while leaves:
        kernel = leaves.pop(0)
        if not (type(kernel) is nn.Linear or (type(kernel) in (nn.Conv2d, Conv2dSame) and _plain(kernel))):
            return None
        norm = leaves.pop(0) if leaves and type(leaves[0]) is nn.GroupNorm and leaves[0].affine else None
        relu = bool(leaves) and type(leaves[0]) is nn.ReLU
        if relu:
            leaves.pop(0)
        steps.append(Step(kernel, norm, relu))  # type: ignore[arg-type]
    return tuple(steps) or None


def _leaves(module: nn.Module) -> Sequence[nn.Module]:
    if type(module) is nn.Sequential:
        return [leaf for child in module for leaf in _leaves(child)]
    return [module]


def _plain(conv: nn.Module) -> bool:
    """A convolution that can be concatenated: no groups, no dilation, zeros for padding."""
    assert isinstance(conv, nn.Conv2d)
    plain = conv.groups == 1 and conv.dilation == (1, 1) and conv.padding_mode == "zeros"
    return plain and not isinstance(conv.padding, str)


def run_chain(chain: Chain, x: Tensor | Drawn) -> Tensor:
    """One component on x."""
    out = chain[0].kernel(x) if isinstance(x, Tensor) else _drawn(chain[0].kernel, x)
    out = _finish(out, chain[0].norm, chain[0].relu)
    for step in chain[1:]:
        out = _finish(step.kernel(out), step.norm, step.relu)
    return out


def _drawn(kernel: nn.Module, x: Drawn) -> Tensor:
    return x.convolved(kernel) if isinstance(kernel, Conv2dSame) else kernel(x.features())


def _finish(x: Tensor, norm: nn.GroupNorm | None, relu: bool) -> Tensor:
    if norm is not None:
        x = F.group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
    return F.relu_(x) if relu else x  # nothing before it needs its own output again


def run_chains(chains: Sequence[Chain], x: Tensor) -> Tensor:
    """Chains of one form on the same x, as (B, J, ...): one kernel for each step of all."""
    count = len(chains)
    for number, steps in enumerate(zip(*chains, strict=True)):
        first = steps[0]
        weight = torch.cat([step.kernel.weight for step in steps])
        bias = None if first.kernel.bias is None else torch.cat([step.kernel.bias for step in steps])
        x = _many(first.kernel, x, weight, bias, 1 if number == 0 else count)
        if first.norm is not None:
            norms = [step.norm for step in steps if step.norm is not None]
            scale, offset = torch.cat([norm.weight for norm in norms]), torch.cat([norm.bias for norm in norms])
            x = F.group_norm(x, count * first.norm.num_groups, scale, offset, first.norm.eps)
        x = F.relu_(x) if first.relu else x
    return x.unflatten(1, (count, -1))


def _many(like: nn.Conv2d | nn.Linear, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
    """All kernels that are stacked in `weight`; with groups, each on its own part of the channels of x."""
    if isinstance(like, Conv2dSame):
        return conv_same(x, weight, bias, (like.stride[0], like.stride[1]), groups)
    if isinstance(like, nn.Conv2d):
        return F.conv2d(x, weight, bias, like.stride, like.padding, groups=groups)
    if groups == 1:
        return F.linear(x, weight, bias)
    x_JBI = x.unflatten(1, (groups, -1)).transpose(0, 1)
    weight_JIO = weight.unflatten(0, (groups, -1)).transpose(1, 2)
    out_JBO = x_JBI @ weight_JIO if bias is None else torch.baddbmm(bias.view(groups, 1, -1), x_JBI, weight_JIO)
    return out_JBO.transpose(0, 1).flatten(1)
