"""The fused network computes what the plain one does: outputs, gradients, also those of the logits."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import munet.allocation.network.fused as fused
from munet.allocation.network.chains import chain_of
from munet.allocation.network.fused import fuse
from munet.allocation.network.levels import drawings
from munet.allocation.network.models import clusters, mnist4, omniglot20, synthetic
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation, FixedAllocation, LearnedAllocation
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import AvgPool2dSame, Conv2dSame, MaxPool2dSame


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int, channels: int, side: int, values: int | None = None) -> Tensor:
    """Random images, of a few values where they are given."""
    found = torch.rand(count, channels, side, side, generator=generator(7))
    return found if values is None else (found**2 * values).floor() / max(1, values - 1)


def omniglot(side: int = 21) -> MultitaskNetwork:
    return omniglot20((3, 5), generator(), side=side)


CASES: dict[str, tuple[Callable[[], MultitaskNetwork], Tensor]] = {
    "mnist4": (lambda: mnist4((3, 4, 5, 6), generator()), images(3, 1, 28)),
    "clusters": (lambda: clusters((5, 9), generator()), images(3, 3, 32)),
    "synthetic": (lambda: synthetic(4, 10, generator()), torch.randn(3, 10, generator=generator(7))),
    "omniglot20, grey": (omniglot, images(3, 1, 21)),
    "omniglot20, drawings": (omniglot, images(3, 1, 21, 2)),
    "omniglot20, four values": (omniglot, images(3, 1, 21, 4)),
    "omniglot20, even sides": (lambda: omniglot(28), images(2, 1, 28, 2)),
}


def both(
    network: MultitaskNetwork, allocation: Allocation, x: Tensor, task: int = 1, used: MultitaskNetwork | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Outputs and all gradients of a step on a task; zeros where there is none."""
    parameters = dict(network.named_parameters()) | dict(allocation.named_parameters())
    for p in parameters.values():
        p.grad = None
    g = generator(11)
    weights = allocation.weights(task, step=30, generator=g)
    out = (used or network)(x, task, weights, generator=g)
    (out * torch.arange(1, out[0].numel() + 1) + out.square()).mean().backward()
    return out.detach(), {n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in parameters.items()}


def learned(network: MultitaskNetwork, p: float = 0.5) -> LearnedAllocation:
    names = [f"task{n}" for n in range(len(network.heads))]
    matrices = [torch.full((len(names), size), p) for size in network.routed_sizes]
    for matrix, pool in zip(matrices, network.pools, strict=True):
        if (
            p < 0.9 and "max" in pool.names
        ):  # ties in small sums are broken by rounding: let no maximum be taken of them
            matrix[:, pool.names.index("max")] = 1e-4
    return LearnedAllocation(names, network.routed_sizes, matrices)


def compare(network: MultitaskNetwork, allocation: Allocation, x: Tensor, tolerance: float) -> None:
    out, gradients = both(network, allocation, x)
    fast, fast_gradients = both(network, allocation, x, used=fuse(network))
    torch.testing.assert_close(fast, out, rtol=tolerance, atol=tolerance)
    assert sum(bool(gradient.any()) for gradient in gradients.values()) >= 6
    for name, gradient in gradients.items():
        scale = max(1.0, gradient.abs().max().item())
        torch.testing.assert_close(
            fast_gradients[name],
            gradient,
            rtol=0,
            atol=tolerance * scale,
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("block", [fused.BLOCK, 1], ids=["whole", "one image at a time"])
@pytest.mark.parametrize("p", [0.5, 0.97])
def test_it_computes_the_same(name: str, block: int, p: float, monkeypatch: pytest.MonkeyPatch):
    """In double precision to 1e-10: it is the same arithmetic, in another order."""
    monkeypatch.setattr(fused, "BLOCK", block)
    make, x = CASES[name]
    network = make().double()
    allocation = learned(network, p).double()
    compare(network, allocation, x.double(), 1e-10)
    _, gradients = both(network, allocation, x.double())
    assert gradients["logits"][1].any()
    assert not gradients["logits"][0].any()


@pytest.mark.parametrize("name", CASES)
def test_it_computes_the_same_in_single_precision(name: str):
    """Gradients by their norm: where two values differ by rounding alone, a processor may take the other maximum."""
    make, x = CASES[name]
    network = make()
    allocation = learned(network, 0.97)
    out, gradients = both(network, allocation, x)
    fast, fast_gradients = both(network, allocation, x, used=fuse(network))
    torch.testing.assert_close(fast, out, rtol=1e-5, atol=1e-5)
    for parameter, gradient in gradients.items():
        assert (fast_gradients[parameter] - gradient).norm() <= 0.01 * max(1.0, gradient.norm()), parameter


@pytest.mark.parametrize("name", CASES)
def test_evaluation_and_fixed_allocations_compute_the_same(name: str):
    make, x = CASES[name]
    network = make().double()
    x, task = x.double(), 1
    sizes, names = network.routed_sizes, [f"task{n}" for n in range(len(network.heads))]
    g = generator(5)
    matrices = [(torch.rand(len(names), size, generator=g) < 0.4).float() for size in sizes]
    matrices[-1][task] = 0  # an empty row
    empty = FixedAllocation(names, matrices, normalize=True).double()
    alone = FixedAllocation(names, [torch.eye(size)[: len(names)] for size in sizes], normalize=True).double()
    every = FixedAllocation.shared_bottom(names, sizes).double()
    compare(network, alone, x, 1e-10)
    compare(network, every, x, 1e-10)
    for allocation in (empty, alone, every, learned(network, 0.7).double()):
        weights = allocation.evaluation_weights(task)
        with torch.no_grad():
            network.eval()
            torch.testing.assert_close(
                fuse(network)(x, task, weights), network(x, task, weights), rtol=1e-10, atol=1e-10
            )


def test_parameters_and_their_names_are_those_of_the_plain_network():
    network = clusters((5, 9), generator())
    fast = fuse(network)
    assert list(fast.state_dict()) == list(network.state_dict())
    assert all(a is b for a, b in zip(fast.parameters(), network.parameters(), strict=True))
    other = clusters((5, 9), generator(1))
    fast.load_state_dict(other.state_dict())
    x, weights = images(2, 3, 32), learned(network, 0.9).evaluation_weights(0)
    fast.eval()
    other.eval()
    torch.testing.assert_close(fast(x, 0, weights), other(x, 0, weights), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(1.5)  # read anew at each call
    torch.testing.assert_close(fast(x, 0, weights), network.eval()(x, 0, weights), rtol=1e-4, atol=1e-5)


class Bilinear(nn.Module):
    """Something that no kernel is known for."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) * self.other(x).tanh()


def own_modules() -> MultitaskNetwork:
    torch.manual_seed(0)
    dense = [nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 6), nn.ReLU())) for _ in range(3)]
    bare = [nn.Linear(6, 6, bias=False) for _ in range(2)]
    normed = [nn.Sequential(nn.Linear(6, 6), nn.GroupNorm(2, 6), nn.ReLU()) for _ in range(2)]
    pool = Pool([*dense, Bilinear(), nn.Sequential(nn.Linear(6, 6), nn.Tanh()), *bare, nn.Identity(), *normed])
    return MultitaskNetwork([nn.BatchNorm1d(6), pool, nn.ReLU(), Pool([nn.Linear(6, 4)])], [nn.Linear(4, 2)] * 2)


def test_modules_of_ones_own_are_left_as_they_are():
    network = own_modules().double()
    x = torch.randn(5, 6, generator=generator(3), dtype=torch.float64)
    for p in (0.3, 0.7):
        compare(network, learned(network, p).double(), x, 1e-10)


def test_vectors_with_a_dimension_more():
    torch.manual_seed(0)
    pool = Pool([nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6)) for _ in range(3)])
    network = MultitaskNetwork([pool], [nn.Linear(6, 2)] * 2).double()
    x = torch.randn(5, 4, 6, generator=generator(3), dtype=torch.float64)
    out, weights = network(x, 0, [torch.ones(3).double()]), [torch.ones(3).double()]
    torch.testing.assert_close(fuse(network)(x, 0, weights), out, rtol=1e-10, atol=1e-10)


def test_chains_of_convolutions_are_grouped():
    torch.manual_seed(0)

    def chain() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.Conv2d(4, 2, (1, 3), stride=2, bias=False)
        )

    network = MultitaskNetwork(
        [Pool([chain() for _ in range(3)]), nn.Flatten()], [nn.Linear(2 * 5 * 4, 2)] * 2
    ).double()
    compare(network, learned(network, 0.6).double(), images(3, 2, 9).double(), 1e-10)


def test_what_is_a_chain():
    assert chain_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU())) is not None
    assert chain_of(Conv2dSame(1, 2, 3)) is not None
    assert chain_of(nn.Sequential(nn.ReLU(), nn.Linear(2, 2))) is None
    assert chain_of(nn.Conv2d(4, 4, 3, groups=2)) is None
    assert chain_of(nn.Conv2d(4, 4, 3, padding="same")) is None
    assert chain_of(nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")) is None
    assert chain_of(nn.Sequential()) is None


def test_one_kernel_for_all_equal_components(monkeypatch: pytest.MonkeyPatch):
    calls = {"conv2d": 0, "group_norm": 0}

    def counted(name: str, plain: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def call(*args: object, **named: object) -> Tensor:
            calls[name] += 1
            return plain(*args, **named)

        return call

    for name in calls:
        monkeypatch.setattr(F, name, counted(name, getattr(F, name)))
    network = clusters((5, 9), generator())
    weights = learned(network, 0.5).weights(0, step=0, generator=generator())
    fuse(network)(images(2, 3, 32), 0, weights)
    assert calls == {"conv2d": 1 + 3 * 2, "group_norm": 1 + 3 * 3}  # the stem, and two kinds of kernels in a pool
    calls.update(conv2d=0, group_norm=0)
    network(images(2, 3, 32), 0, weights)
    assert calls["group_norm"] == 1 + 3 * 17


def test_features_of_drawings():
    x = images(3, 1, 14, 3).double()
    x[1] = 0.5  # an image of one value, in a batch of more
    conv, norm = Conv2dSame(1, 8, 1).double(), nn.GroupNorm(4, 8, eps=1e-6).double()
    found = drawings(x)
    assert found is not None
    assert found.values_L.tolist() == [0, 0.5, 1]
    plain = F.relu(norm(conv(x)))
    drawn = found.behind(conv, norm)
    torch.testing.assert_close(drawn.features(), plain)
    for stride in (1, 2):
        for pool in (AvgPool2dSame(3, stride), MaxPool2dSame(3, stride)):
            fast = drawn.mean(pool) if isinstance(pool, AvgPool2dSame) else drawn.maximum(pool)
            torch.testing.assert_close(fast, pool(plain))
        wide = Conv2dSame(8, 5, (1, 7), stride).double()
        torch.testing.assert_close(drawn.convolved(wide), wide(plain))
    assert drawings(images(2, 1, 14)) is None
    assert drawings(images(2, 1, 14, 5)) is None
