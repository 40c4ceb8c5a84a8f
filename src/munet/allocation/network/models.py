"""The networks of the published experiments (arXiv 1910.04915 and its code), and one for the synthetic pairs.

Kernels are Glorot uniform, biases zero, group norms 1 and 0 with epsilon 1e-6; convolutions pad as TensorFlow's "same".
`classes` holds the number of classes of each task, `generator` draws the initial weights.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from munet.allocation.network.network import MultitaskNetwork
from munet.errors import InputError
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame, Pair, SeededDropout

OMNIGLOT_SIDE, OMNIGLOT_WIDTH, CLUSTERS_SIDE, CLUSTERS_WIDTH = 105, 48, 32, 8
STRIDED = (0, 1, 3, 4, 6)  # layers of the Omniglot network that halve the image: floor(1.6 i)
_GROUPS, _EPSILON = 4, 1e-6


def mnist4(classes: Sequence[int] = (10, 10, 10, 10), generator: torch.Generator | None = None) -> MultitaskNetwork:
    """For images (B, 1, 28, 28): 28-24-12-10-5-3, three pools with as many convolutions as tasks, 36 features."""

    def pool(inputs: int, kernel: int) -> Pool:
        return Pool([nn.Sequential(nn.Conv2d(inputs, 4, kernel), nn.ReLU()) for _ in classes])

    def layers() -> list[nn.Module]:
        shrink = [nn.AvgPool2d(2), nn.AvgPool2d(2), nn.Identity()]
        pools = [pool(1, 5), pool(4, 3), pool(4, 3)]
        trunk = [layer for pair in zip(pools, shrink, strict=True) for layer in pair]
        return [*trunk[:-1], nn.Flatten(), SeededDropout(0.5)]

    return _made(layers, 36, classes, generator)


def omniglot20(
    classes: Sequence[int], generator: torch.Generator | None = None, side: int = OMNIGLOT_SIDE
) -> MultitaskNetwork:
    """For images (B, 1, side, side), strokes 1 and background 0: 105-53-27-27-14-7-7-4-4, 768 features.

    Eight pools of seven components: two convolutions of 3x3, 5x5, 7x7, or 1x7 and 7x1; maximum, mean, identity.
    """

    def layers() -> list[nn.Module]:
        trunk: list[nn.Module] = [*_convolution(1, OMNIGLOT_WIDTH, 1)]
        for number in range(8):
            trunk += [_diverse_pool(2 if number in STRIDED else 1), _norm(OMNIGLOT_WIDTH), nn.ReLU()]
        return [*trunk, nn.Flatten(), SeededDropout(0.5)]

    return _made(layers, _side_after(side, len(STRIDED)) ** 2 * OMNIGLOT_WIDTH, classes, generator)


def clusters(
    classes: Sequence[int], generator: torch.Generator | None = None, side: int = CLUSTERS_SIDE
) -> MultitaskNetwork:
    """For images (B, 3, side, side): 32-16-8-4, three pools of eight 3x3 and eight 5x5 convolutions, 128 features."""
    kernels = [3] * 8 + [5] * 8
    names = [f"{kernel}x{kernel}.{number % 8}" for number, kernel in enumerate(kernels)]

    def pool() -> Pool:
        width = CLUSTERS_WIDTH
        return Pool([nn.Sequential(*_convolution(width, width, kernel, stride=2)) for kernel in kernels], names)

    def layers() -> list[nn.Module]:
        trunk: list[nn.Module] = [*_convolution(3, CLUSTERS_WIDTH, 1)]
        for _ in range(3):
            trunk += [pool(), _norm(CLUSTERS_WIDTH), nn.ReLU()]
        return [*trunk, nn.Flatten(), SeededDropout(0.5)]

    return _made(layers, _side_after(side, 3) ** 2 * CLUSTERS_WIDTH, classes, generator)


def synthetic(
    tasks: int, dimension: int, generator: torch.Generator | None = None, width: int = 32, depth: int = 2
) -> MultitaskNetwork:
    """For vectors (B, dimension): `depth` pools with as many dense layers as tasks, and outputs (B, 1).

    The paper's own network for its synthetic pairs is not published; this one is ours.
    """

    def pool(inputs: int) -> Pool:
        return Pool([nn.Sequential(nn.Linear(inputs, width), nn.ReLU()) for _ in range(tasks)])

    def layers() -> list[nn.Module]:
        return [pool(width if number else dimension) for number in range(depth)]

    return _made(layers, width, [1] * tasks, generator)


def _made(
    layers: Callable[[], Sequence[nn.Module]],
    features: int,
    outputs: Sequence[int],
    generator: torch.Generator | None,
) -> MultitaskNetwork:
    if not outputs or min(outputs) < 1:
        raise InputError(f"classes {tuple(outputs)}: give the number of classes of each task, 1 or more")
    with torch.device("meta"):  # no module draws initial weights of its own
        network = MultitaskNetwork(layers(), [nn.Linear(features, count) for count in outputs])
    network.to_empty(device="cpu")
    initialise(network, generator)
    return network


def initialise(network: nn.Module, generator: torch.Generator | None) -> None:
    """Glorot uniform kernels, zero biases, norms that change nothing: the defaults of Keras."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def _side_after(side: int, halvings: int) -> int:
    for _ in range(halvings):
        side = -(-side // 2)
    return side


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(_GROUPS, width, eps=_EPSILON)


def _convolution(inputs: int, outputs: int, kernel: int | Pair, stride: int = 1) -> list[nn.Module]:
    return [Conv2dSame(inputs, outputs, kernel, stride), _norm(outputs), nn.ReLU()]


def _diverse_pool(stride: int) -> Pool:
    """The seven components of a layer; the stride is on the last operation of each (Ramachandran and Le 2019)."""
    kernels: dict[str, tuple[int | Pair, int | Pair]] = {
        "3x3": (3, 3),
        "5x5": (5, 5),
        "7x7": (7, 7),
        "1x7-7x1": ((1, 7), (7, 1)),
    }
    width = OMNIGLOT_WIDTH
    twice: list[nn.Module] = [
        nn.Sequential(*_convolution(width, width, first), *_convolution(width, width, last, stride))
        for first, last in kernels.values()
    ]
    same = Conv2dSame(width, width, 1, stride) if stride > 1 else nn.Identity()
    pooled: list[nn.Module] = [MaxPool2dSame(3, stride), AvgPool2dSame(3, stride)]
    return Pool([*twice, *pooled, same], [*kernels, "max", "mean", "identity"])
