"""Pools: the components of one layer, among which every task chooses (arXiv 1910.04915)."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from munet.errors import InputError


class Pool(nn.Module):
    """Components that take the same input and give outputs of the same shape.

    The output is the sum of weight x component(input). Components are any modules; their `names` are for people.
    """

    def __init__(self, components: Sequence[nn.Module], names: Sequence[str] | None = None) -> None:
        super().__init__()
        if not components:
            raise InputError("a pool needs at least one component, and this one has none: give it some modules")
        self.names = tuple(names) if names is not None else tuple(str(j) for j in range(len(components)))
        if len(self.names) != len(components):
            raise InputError(f"{len(self.names)} names for {len(components)} components: give one name to each")
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise InputError(f"two components are named {twice[0]!r}: give each component of a pool its own name")
        self.components = nn.ModuleList(components)

    def __len__(self) -> int:
        return len(self.components)

    def parameter_counts(self) -> list[int]:
        """Number of parameters of each component."""
        return [sum(p.numel() for p in component.parameters()) for component in self.components]

    def forward(self, x: Tensor, weights: Tensor | None = None, sparse: bool | None = None) -> Tensor:
        """Weighted sum (B, ...) of the components' outputs; `weights` is (C,), and None in a pool of one.

        A component of weight 0 gets no gradient. Yet its output is computed where the weights need a gradient, which
        is <dL/dout, f_j(x)> also for those that are off. `sparse=True` skips such components; the default does so
        where no gradient of the weights is asked for, which is right in evaluation and for fixed allocations.
        """
        if weights is None:
            if len(self) > 1:
                raise InputError(f"a pool of {len(self)} components needs their weights: pass a tensor ({len(self)},)")
            return self.components[0](x)
        if weights.shape != (len(self),):
            raise InputError(f"weights of shape {tuple(weights.shape)} for {len(self)} components: pass ({len(self)},)")
        active, idle = split(weights, sparse)
        total: Tensor | None = None
        for j in active:
            part = weights[j] * self.components[j](x)
            total = part if total is None else total + part
        for j in idle:
            with torch.no_grad():
                value = self.components[j](x)
            part = weights[j] * value
            total = part if total is None else total + part
        return self.zeros(x) if total is None else total

    def zeros(self, x: Tensor) -> Tensor:
        """The output where nothing is active: zeros, of the shape that the cheapest component tells."""
        counts = self.parameter_counts()
        with torch.no_grad():
            return torch.zeros_like(self.components[counts.index(min(counts))](x))

    def check(self, sample: Tensor) -> None:
        """Raise InputError unless all components give one shape for a `sample` (B, ...), naming two that differ."""
        shapes: list[tuple[int, ...]] = []
        for name, component in zip(self.names, self.components, strict=True):
            training = component.training
            component.eval()  # a check leaves no trace in running statistics
            try:
                with torch.no_grad():
                    shapes.append(tuple(component(sample).shape))
            except (RuntimeError, ValueError) as error:
                cause = str(error).splitlines()[0]
                raise InputError(
                    f"component {name!r} cannot take an input of shape {tuple(sample.shape)} ({cause}): "
                    "all components of a pool take the same input"
                ) from error
            finally:
                component.train(training)
            if shapes[-1] != shapes[0]:
                raise InputError(
                    f"component {name!r} gives shape {shapes[-1]} where {self.names[0]!r} gives {shapes[0]}: "
                    "all components of a pool must give the same shape"
                )


def split(weights: Tensor, sparse: bool | None = None) -> tuple[list[int], list[int]]:
    """(components of weight other than 0, components of weight 0 whose output is needed all the same)."""
    if sparse is None:
        sparse = not (torch.is_grad_enabled() and weights.requires_grad)
    values = weights.tolist()
    active = [j for j, value in enumerate(values) if value != 0]
    return active, [] if sparse else [j for j, value in enumerate(values) if value == 0]


def combined(samples: Tensor, normalize: bool) -> Tensor:
    """Samples (C,) divided by their sum if that is 1 or more; the gradient passes through the sum, also at 1."""
    if not normalize:
        return samples
    total = samples.sum()
    return samples / torch.where(total >= 1, total, 1.0)  # what clamp passes at 1 depends on the version of torch
