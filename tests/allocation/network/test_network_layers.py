"""The network: which weights and head it takes, what training one task leaves alone, what it refuses."""

import re

import pytest
import torch
from torch import nn

from munet.allocation.network.fused import fuse
from munet.allocation.network.models import mnist4
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import FixedAllocation
from munet.errors import InputError
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame, SeededDropout, padding

NAMES = ["a", "b", "c", "d"]


class Scale(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


def network() -> MultitaskNetwork:
    layers = [Scale(2), Pool([Scale(1), Scale(10)]), Pool([Scale(3)]), Pool([Scale(1), Scale(5), Scale(7)])]
    return MultitaskNetwork(layers, [Scale(1), Scale(-1)])


def test_pools_of_several_components_take_the_next_weights():
    net = network()
    assert net.routed_sizes == (2, 3)
    assert [len(pool) for pool in net.pools] == [2, 3]
    x = torch.tensor([[1.0]])
    weights = [torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0, 1.0])]
    assert net(x, 0, weights).item() == 2 * 5.5 * 3 * 12
    assert net(x, 1, weights).item() == -2 * 5.5 * 3 * 12


@pytest.mark.parametrize("made", ["plain", "fused"])
def test_what_networks_refuse(made: str):
    net = network() if made == "plain" else fuse(network())
    with pytest.raises(InputError, match="task 2: this network has heads for tasks 0 to 1"):
        net(torch.ones(1, 1), 2, [torch.ones(2), torch.ones(3)])
    with pytest.raises(InputError, match=re.escape("weights of 1 pools: this network has 2 routed pools, (2, 3)")):
        net(torch.ones(1, 1), 0, [torch.ones(2)])
    with pytest.raises(InputError, match=re.escape("weights of shape (3,) for 2 components")):
        net(torch.ones(1, 1), 0, [torch.ones(3), torch.ones(3)])
    with pytest.raises(InputError, match="a head for each task"):
        MultitaskNetwork([], [])


def test_check_names_the_pool():
    net = MultitaskNetwork(
        [nn.Flatten(), Pool([nn.Linear(4, 3), nn.Linear(4, 3)]), Pool([nn.Linear(3, 2), nn.Linear(3, 5)])], [Scale(1)]
    )
    with pytest.raises(InputError, match=re.escape("pool 1: component '1' gives shape (2, 5) where '0' gives (2, 2)")):
        net.check(torch.zeros(2, 2, 2))
    network().check(torch.zeros(2, 1))


@pytest.mark.parametrize("made", ["plain", "fused"])
def test_no_sharing_trains_the_components_of_the_task_alone(made: str):
    """Where the optimiser rests for what has no gradient, other tasks' components stay to the bit."""
    net = mnist4(generator=torch.Generator().manual_seed(0))
    used = net if made == "plain" else fuse(net)
    allocation = FixedAllocation.no_sharing(NAMES, net.routed_sizes)
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))

    def step(task: int) -> None:
        g = torch.Generator().manual_seed(task)
        adam.zero_grad(set_to_none=True)
        weights = allocation.weights(task, step=0, generator=g)
        nn.functional.cross_entropy(used(images, task, weights, generator=g), torch.arange(4)).backward()
        adam.step()

    for task in (1, 2, 3):
        step(task)  # now the optimiser has momentum for all but task 0
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    step(0)
    for name, p in net.named_parameters():
        own = name.startswith("heads.0.") or ".components.0." in name
        assert torch.equal(p, before[name]) != own, name


def test_dropout_comes_from_the_generator_that_is_given():
    net = MultitaskNetwork([SeededDropout(0.5)], [Scale(1)])
    x = torch.ones(20, 30)
    state = torch.random.get_rng_state()
    one, same, other = (net(x, 0, [], generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert set(one.unique().tolist()) == {0.0, 2.0}
    assert 0.4 < (one == 0).double().mean() < 0.6
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(net.eval()(x, 0, [], generator=torch.Generator().manual_seed(1)), x)


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(14, 3, 2), (14, 7, 2), (105, 7, 2), (27, 5, 1), (14, 1, 2), (9, 2, 1), (8, 4, 1)]
)
def test_same_padding_is_that_of_tensorflow(size: int, kernel: int, stride: int):
    """ceil(n / s) outputs; window i begins at s i - before, and an odd row of padding lies behind."""
    before, after = padding(size, kernel, stride)
    outputs = -(-size // stride)
    assert after - before in (0, 1)
    assert before + after == max((outputs - 1) * stride + kernel - size, 0)
    image = torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(0))
    conv = Conv2dSame(1, 1, kernel, stride)
    with torch.no_grad():
        found = [
            conv(image)[0, 0],
            MaxPool2dSame(kernel, stride)(image)[0, 0],
            AvgPool2dSame(kernel, stride)(image)[0, 0],
        ]
        for row, column in ((0, 0), (outputs - 1, outputs - 1), (1, outputs - 1)):
            top, left = row * stride - before, column * stride - before
            inside = image[0, 0, max(top, 0) : top + kernel, max(left, 0) : left + kernel]
            window = torch.zeros(kernel, kernel)
            y, x = max(-top, 0), max(-left, 0)
            window[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
            expected = [(window * conv.weight[0, 0]).sum() + conv.bias[0], inside.max(), inside.mean()]  # pyright: ignore[reportOptionalSubscript]
            assert [float(one[row, column]) for one in found] == [
                pytest.approx(float(one), abs=1e-5) for one in expected
            ]
    assert {tuple(one.shape) for one in found} == {(outputs, outputs)}
