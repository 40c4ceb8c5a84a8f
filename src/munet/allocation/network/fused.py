"""The same network in fewer and better kernels: what makes a training step fast without changing its result.

- Equal components of a pool are computed at once (`chains`).
- The weighted sum is one operation, whose backward pass scales the gradient once for all components of equal weight.
- What is off gets no backward pass.
On a CPU also:
- Images lie with their channels last, which its convolutions like best.
- Large activations are computed for a few images at a time, so that they stay in the cache and memory is used again.
- Images of two values, as drawings are, pass the first convolutions as masks (`levels`).
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.allocation.network.chains import Chain, chain_of, run_chain, run_chains
from munet.allocation.network.levels import Drawings, Drawn, drawings
from munet.allocation.network.network import MultitaskNetwork, apply
from munet.model.pools.pool import Pool, split
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame

BLOCK = 2**22  # elements of an activation that are computed at a time on a CPU
_SINGLY = (  # modules that treat each example by itself
    *(nn.Conv2d, Conv2dSame, nn.Linear, nn.GroupNorm, nn.LayerNorm, nn.ReLU, nn.GELU, nn.Identity, nn.Flatten),
    *(nn.MaxPool2d, nn.AvgPool2d, MaxPool2dSame, AvgPool2dSame),
)


def fuse(network: MultitaskNetwork) -> "FusedNetwork":
    """A network of the same modules and parameters that computes the same (within 1e-5) in less time.

    What it does not recognise it computes as the plain network does. It reads the parameters at each call, so the two
    may be used in turn; its state dict is that of the plain network. Hooks of single components do not run.

    Sums run in another order. So where a maximum is taken over values that are equal but for rounding, as images of few
    values have them, another of these may get the gradient; a change of the image in its last bit does the same.
    """
    return FusedNetwork(list(network.layers), list(network.heads))


class FusedNetwork(MultitaskNetwork):
    """See `fuse`."""

    def __init__(self, layers: Sequence[nn.Module], heads: Sequence[nn.Module]) -> None:
        super().__init__(layers, heads)
        found = list(self.layers)
        self._pools = {place: _FusedPool(layer) for place, layer in enumerate(found) if _routed(layer)}
        self._singly = [all(type(leaf) in _SINGLY for leaf in _leaves(layer)) for layer in found]
        # A ReLU may overwrite the output of a norm, which nothing else reads.
        self._overwriting = {
            place
            for place in range(1, len(found))
            if type(found[place]) is nn.ReLU and type(found[place - 1]) is nn.GroupNorm
        }
        self._widening = max([1.0, *(_widening(layer) for layer in found[:1])])
        self._stem = _stem(found) if 3 in self._pools and not self._pools[3].bundles else None

    def trunk(self, x: Tensor, weights: Sequence[Tensor], generator: torch.Generator | None = None) -> Tensor:
        images = x.device.type == "cpu" and x.ndim == 4
        drawn = drawings(x) if images and self._stem and len(x) else None
        parts: list[Any] = list(x.split(self._block(x) if images else max(1, len(x))))
        if drawn is not None and self._stem:
            parts = [part.behind(*self._stem) for part in _cut(drawn, parts)]
        given = iter(weights)
        for place, layer in list(enumerate(self.layers))[0 if drawn is None else 3 :]:
            pool = self._pools.get(place)
            if len(parts) > 1 and not (self._singly[place] and (pool is None or _large(parts))):
                parts = [torch.cat(parts)]
            if pool is not None:
                weight = next(given)
                choice = split(weight)
                parts = [pool(part, weight, choice) for part in parts]
            elif place == 0 and self._stem and images:
                parts = [_pointwise(part, self._stem[0]) for part in parts]
            elif place in self._overwriting:
                parts = [F.relu_(part) for part in parts]
            else:
                parts = [apply(layer, part, generator) for part in parts]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _block(self, x: Tensor) -> int:
        """Images at a time."""
        return max(1, int(BLOCK // (x[0].numel() * self._widening))) if len(x) and self._singly[0] else max(1, len(x))


class _FusedPool:
    """A routed pool, computed in few kernels."""

    def __init__(self, pool: nn.Module) -> None:
        assert isinstance(pool, Pool)
        self.pool = pool
        self.chains = [chain_of(component) for component in pool.components]
        forms: dict[Any, list[int]] = {}
        for j, chain in enumerate(self.chains):
            forms.setdefault(j if chain is None else tuple(step.form() for step in chain), []).append(j)
        self.bundles = [members for members in forms.values() if len(members) > 1]
        self.spatial = all(chain is None or isinstance(chain[0].kernel, nn.Conv2d) for chain in self.chains)

    def __call__(self, x: Tensor | Drawn, weights: Tensor, choice: tuple[list[int], list[int]]) -> Tensor:
        active, idle = choice
        if not active and not idle:
            return self.pool.zeros(x.features() if isinstance(x, Drawn) else x)
        if isinstance(x, Tensor) and self.spatial and x.ndim == 4 and x.device.type == "cpu" and not self.bundles:
            x = x.contiguous(memory_format=torch.channels_last)
        wanted, total, single = {*active, *idle}, None, {*active, *idle}
        for bundle in self.bundles:
            members = [j for j in bundle if j in wanted]
            if len(members) > 1 and self._batched(members[0], x):
                single -= set(members)
                assert isinstance(x, Tensor)
                part = _bundle_sum([self._chain(j) for j in members], x, _of(weights, members))
                total = part if total is None else total + part
        if single:
            part = self._single_sum(x, weights, [j for j in active if j in single], [j for j in idle if j in single])
            total = part if total is None else total + part
        assert total is not None
        return total

    def _batched(self, j: int, x: Tensor | Drawn) -> bool:
        """Whether x is a batch of images for convolutions, or of vectors for dense layers."""
        return isinstance(x, Tensor) and x.ndim == (4 if isinstance(self._chain(j)[0].kernel, nn.Conv2d) else 2)

    def _single_sum(self, x: Tensor | Drawn, weights: Tensor, active: Sequence[int], idle: Sequence[int]) -> Tensor:
        values = [self._single(j, x) for j in active]
        with torch.no_grad():
            values += [self._single(j, x) for j in idle]
        return _WeightedSum.apply(_of(weights, [*active, *idle]), *values)

    def _single(self, j: int, x: Tensor | Drawn) -> Tensor:
        chain, component = self.chains[j], self.pool.components[j]
        if chain is not None:
            return run_chain(chain, x)
        if isinstance(x, Tensor):
            return component(x)
        if type(component) is MaxPool2dSame:
            return x.maximum(component)
        return x.mean(component) if type(component) is AvgPool2dSame else component(x.features())

    def _chain(self, j: int) -> Chain:
        chain = self.chains[j]
        assert chain is not None
        return chain


def _of(weights: Tensor, members: list[int]) -> Tensor:
    """weights[members]; cheaper where these follow each other."""
    first, count = members[0], len(members)
    return weights[first : first + count] if members == list(range(first, first + count)) else weights[members]


def _bundle_sum(chains: Sequence[Chain], x: Tensor, weights: Tensor) -> Tensor:
    values = run_chains(chains, x)  # (B, J, ...)
    return (weights @ values.flatten(2)).unflatten(1, values.shape[2:])


class _WeightedSum(torch.autograd.Function):
    """sum_j weights[j] x values[j] for weights (J,) and J tensors of one shape."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, *values: Tensor) -> Tensor:
        ctx.factors = weights.tolist()
        ctx.save_for_backward(*values)
        total = values[0] * ctx.factors[0]
        for value, factor in zip(values[1:], ctx.factors[1:], strict=True):
            if factor:
                total.add_(value, alpha=factor)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        values = ctx.saved_tensors
        slopes = None
        if ctx.needs_input_grad[0]:
            slopes = torch.stack([_inner(gradient, value) for value in values])
        scaled: dict[float, Tensor] = {}
        for factor, needed in zip(ctx.factors, ctx.needs_input_grad[1:], strict=True):
            if needed and factor not in scaled:
                scaled[factor] = gradient * factor
        asked = zip(ctx.factors, ctx.needs_input_grad[1:], strict=True)
        return (slopes, *(scaled[factor] if needed else None for factor, needed in asked))


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """(a * b).sum() for tensors (B, ...) without their product in memory, one sum an example."""
    if a.ndim == 4 and a.stride(1) == b.stride(1) == 1:
        a, b = a.permute(0, 2, 3, 1), b.permute(0, 2, 3, 1)  # channels last: a view, not a copy
    return (a.flatten(1).unsqueeze(1) @ b.flatten(1).unsqueeze(2)).sum()


def _stem(layers: Sequence[nn.Module]) -> tuple[Conv2dSame, nn.GroupNorm] | None:
    """A convolution of 1x1 on one channel and a norm, where a network begins with them and a ReLU."""
    conv, norm, relu = [*layers[:3], None, None, None][:3]
    if type(conv) is Conv2dSame and type(norm) is nn.GroupNorm and type(relu) is nn.ReLU and norm.affine:
        fits = tuple(conv.weight.shape[1:]) == (1, 1, 1) and conv.stride == (1, 1) and conv.bias is not None
        return (conv, norm) if fits else None
    return None


def _cut(drawn: Drawings, parts: Sequence[Tensor]) -> list[Drawings]:
    """Parts of as many images as `parts` have."""
    ends = list(accumulate(len(part) for part in parts))
    return [drawn.part(end - len(part), end) for end, part in zip(ends, parts, strict=True)]


def _large(parts: Sequence[Any]) -> bool:
    """Whether the parts together are better left apart."""
    return isinstance(parts[0], Drawn) or sum(part.numel() for part in parts) > 2 * BLOCK


def _pointwise(x: Tensor, conv: nn.Module) -> Tensor:
    """Convolution of 1x1 whose output lies with its channels last."""
    assert isinstance(conv, nn.Conv2d)
    return F.linear(x.permute(0, 2, 3, 1), conv.weight.flatten(1), conv.bias).permute(0, 3, 1, 2)


def _routed(layer: nn.Module) -> bool:
    return isinstance(layer, Pool) and len(layer) > 1


def _leaves(module: nn.Module) -> list[nn.Module]:
    return [leaf for leaf in module.modules() if not list(leaf.children())]


def _widening(layer: nn.Module) -> float:
    """How many times as many channels as it takes a layer gives."""
    convs = [leaf for leaf in _leaves(layer) if isinstance(leaf, nn.Conv2d)]
    return max((conv.out_channels / conv.in_channels for conv in convs), default=1.0)
