"""Convolution and pooling with TensorFlow's "same" padding, and dropout whose randomness is passed in.

With stride s the output has ceil(n / s) rows. In all, max((ceil(n / s) - 1) s + k - n, 0) rows are padded, and an odd
one lies at the bottom (and right): with stride 2 and even n, PyTorch's own symmetric padding differs.

timm has the convolution and the maximum too, with the same outputs (a test compares them). They are not used
here, because timm takes seconds to import, pads every input by a copy of it, and has no mean without its padding.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Pair = tuple[int, int]


def padding(size: int, kernel: int, stride: int) -> Pair:
    """Rows before and after an input of `size` rows."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Conv2dSame(nn.Conv2d):
    """Conv2d with bias and "same" padding; x (B, Cin, H, W) -> (B, Cout, ceil(H / s), ceil(W / s))."""

    def __init__(self, inputs: int, outputs: int, kernel: int | Pair, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride)

    def forward(self, input: Tensor) -> Tensor:
        return conv_same(input, self.weight, self.bias, (self.stride[0], self.stride[1]))


def conv_same(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, groups: int = 1) -> Tensor:
    """Functional form of Conv2dSame; weight (Cout, Cin / groups, kH, kW)."""
    top, bottom = padding(x.shape[-2], weight.shape[-2], stride[0])
    left, right = padding(x.shape[-1], weight.shape[-1], stride[1])
    if (top, left) != (bottom, right):
        x = F.pad(x, (0, right - left, 0, bottom - top))
    return F.conv2d(x, weight, bias, stride, (top, left), groups=groups)


class _Pool2dSame(nn.Module, ABC):
    def __init__(self, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        (top, bottom), (left, right) = (padding(size, self.kernel, self.stride) for size in x.shape[-2:])
        even = (top, left) == (bottom, right)
        if self.stride == 1 and not even:  # no window reaches past the end by itself
            return self._padded(x, (left, right, top, bottom))
        return self._pool(x, (top, left), ceil_mode=not even)

    @abstractmethod
    def _pool(self, x: Tensor, before: Pair, *, ceil_mode: bool) -> Tensor:
        """With `before` rows of padding on each side; in `ceil_mode` the last window may reach past it."""

    @abstractmethod
    def _padded(self, x: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
        """At stride 1, with padding of its own on each side."""

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}, stride={self.stride}"


class MaxPool2dSame(_Pool2dSame):
    """Maximum over a window; padding never wins."""

    def _pool(self, x: Tensor, before: Pair, *, ceil_mode: bool) -> Tensor:
        return F.max_pool2d(x, self.kernel, self.stride, before, ceil_mode=ceil_mode)

    def _padded(self, x: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
        return F.max_pool2d(F.pad(x, sides, value=-torch.inf), self.kernel, 1)


class AvgPool2dSame(_Pool2dSame):
    """Mean over what a window holds of the input; padding is not counted."""

    def _pool(self, x: Tensor, before: Pair, *, ceil_mode: bool) -> Tensor:
        return F.avg_pool2d(x, self.kernel, self.stride, before, ceil_mode=ceil_mode, count_include_pad=False)

    def _padded(self, x: Tensor, sides: tuple[int, int, int, int]) -> Tensor:
        sums = F.avg_pool2d(F.pad(x, sides), self.kernel, 1, divisor_override=1)
        counts = F.avg_pool2d(F.pad(torch.ones_like(x[..., :1, :, :]), sides), self.kernel, 1, divisor_override=1)
        return sums / counts


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a generator that is passed in; without one, PyTorch's own dropout."""

    def __init__(self, probability: float = 0.5) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        if generator is None or not self.training:
            return F.dropout(x, self.probability, self.training)
        kept = torch.rand(x.shape, generator=generator, device=generator.device).to(x.device) >= self.probability
        return x * kept / (1 - self.probability)

    def extra_repr(self) -> str:
        return f"probability={self.probability}"
