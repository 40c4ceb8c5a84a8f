"""The layers with "same" padding beside those of timm, which has two of the three."""

from itertools import product

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame as TimmConv2dSame
from timm.layers.pool2d_same import MaxPool2dSame as TimmMaxPool2dSame

from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame

SIZES = [(5, 5), (7, 8), (8, 13), (28, 28), (53, 28)]
WINDOWS = list(product((1, 2, 3, 4, 5), (1, 2, 3)))


@pytest.mark.parametrize(("kernel", "stride"), WINDOWS)
def test_outputs_are_those_of_timm(kernel: int, stride: int) -> None:
    generator = torch.Generator().manual_seed(kernel * 10 + stride)
    ours, theirs = Conv2dSame(3, 8, kernel, stride).double(), TimmConv2dSame(3, 8, kernel, stride).double()
    theirs.load_state_dict(ours.state_dict())
    for height, width in SIZES:
        x_BCHW = torch.randn(2, 3, height, width, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            # the kernels of some processors sum padding that is written out in another order
            assert torch.allclose(ours(x_BCHW), theirs(x_BCHW), rtol=0, atol=1e-12), (height, width)
        assert torch.equal(MaxPool2dSame(kernel, stride)(x_BCHW), TimmMaxPool2dSame(kernel, stride)(x_BCHW))


@pytest.mark.parametrize(("kernel", "stride"), WINDOWS)
def test_the_mean_counts_the_input_only(kernel: int, stride: int) -> None:
    for height, width in SIZES:
        mean = AvgPool2dSame(kernel, stride)(torch.full((1, 2, height, width), 3.0))
        assert mean.shape == (1, 2, -(-height // stride), -(-width // stride))
        assert torch.allclose(mean, torch.tensor(3.0))
