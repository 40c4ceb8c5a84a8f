"""The networks of the paper: exact numbers of parameters, shapes and strides, and how they begin."""

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from munet.allocation.network.models import clusters, mnist4, omniglot20, synthetic
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import LearnedAllocation
from munet.errors import InputError
from munet.model.pools.pool import Pool

# of the twenty alphabets
ALPHABETS = (48, 28, 26, 42, 45, 20, 40, 42, 33, 29, 23, 26, 47, 26, 40, 20, 45, 40, 22, 26)
CLUSTERS = (5,) * 20 + (9,) * 20


def size(modules: nn.Module) -> int:
    return sum(p.numel() for p in modules.parameters())


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sides(network: MultitaskNetwork, image: torch.Tensor) -> list[int]:
    """Of the image, and of what each layer gives, where it differs; checks all components on the way."""
    network.check(image)
    found = [image.shape[-1]]
    x = image
    with torch.no_grad():
        for layer in network.layers:
            x = layer(x, torch.ones(len(layer))) if isinstance(layer, Pool) else layer(x)
            if x.ndim == 4:
                found.append(x.shape[-1])
    return found


def test_mnist4():
    network = mnist4()
    assert [pool.parameter_counts() for pool in network.pools] == [[104] * 4, [148] * 4, [148] * 4]
    assert size(network.layers) == 1_600
    assert [size(head) for head in network.heads] == [370] * 4
    assert network.routed_sizes == (4, 4, 4)
    assert list(dict.fromkeys(sides(network, torch.zeros(1, 1, 28, 28)))) == [28, 24, 12, 10, 5, 3]
    assert network.trunk(torch.zeros(2, 1, 28, 28), [torch.ones(4)] * 3).shape == (2, 36)


def test_omniglot20():
    network = omniglot20(ALPHABETS)
    plain = [41_760, 115_488, 226_080, 32_544, 0, 0]
    strided = [layer.parameter_counts()[6] == 2_352 for layer in network.pools]
    assert [place for place, found in enumerate(strided) if found] == [0, 1, 3, 4, 6]
    assert all(
        pool.parameter_counts() == [*plain, 2_352 * found] for pool, found in zip(network.pools, strided, strict=True)
    )
    assert size(network.layers) == 3_339_696
    assert size(network.heads) == 513_692
    assert network.routed_sizes == (7,) * 8
    assert sum(network.routed_sizes) == 56
    published = LearnedAllocation([f"alphabet {number}" for number in range(20)], network.routed_sizes, two_logits=True)
    assert size(published) == 2_240
    found = sides(network, torch.zeros(1, 1, 105, 105))
    pools = found[4::3]  # image, three layers of stem, then pool, norm and ReLU
    assert [found[3], *pools] == [105, 53, 27, 27, 14, 7, 7, 4, 4]
    assert {head.in_features for head in network.heads} == {768}


def test_the_stride_is_on_the_last_operation_of_a_component():
    network = omniglot20((5,))
    for place, pool in enumerate(network.pools):
        stride = 2 if place in (0, 1, 3, 4, 6) else 1
        for component in list(pool.components)[:4]:
            convs = [module for module in component.modules() if isinstance(module, nn.Conv2d)]
            assert [conv.stride for conv in convs] == [(1, 1), (stride, stride)]
    kernels = [
        [m.kernel_size for m in c.modules() if isinstance(m, nn.Conv2d)] for c in list(network.pools[2].components)
    ]
    assert kernels == [[(3, 3)] * 2, [(5, 5)] * 2, [(7, 7)] * 2, [(1, 7), (7, 1)], [], [], []]


def test_smaller_images_have_smaller_heads():
    network = omniglot20((5, 3), side=53)
    assert network(torch.zeros(2, 1, 53, 53), 1, [torch.ones(7) / 7] * 8).shape == (2, 3)
    assert network.heads[0].in_features == 2 * 2 * 48


def test_clusters():
    network = clusters(CLUSTERS)
    assert network.routed_sizes == (16, 16, 16)
    assert [pool.parameter_counts() for pool in network.pools] == [[600] * 8 + [1_624] * 8] * 3
    assert size(network.layers) == 53_472
    assert size(network.heads) == 36_120
    assert list(dict.fromkeys(sides(network, torch.zeros(1, 3, 32, 32)))) == [32, 16, 8, 4]
    assert {head.in_features for head in network.heads} == {128}
    strides = {m.stride for pool in network.pools for m in pool.modules() if isinstance(m, nn.Conv2d)}
    assert strides == {(2, 2)}


def test_synthetic():
    network = synthetic(4, 10)
    assert network.routed_sizes == (4, 4)
    assert network(torch.zeros(3, 10), 2, [torch.ones(4)] * 2).shape == (3, 1)


MODELS: dict[str, Callable[[torch.Generator | None], MultitaskNetwork]] = {
    "mnist4": lambda g: mnist4(generator=g),
    "omniglot20": lambda g: omniglot20((5, 4), g),
    "clusters": lambda g: clusters((5, 9), g),
    "synthetic": lambda g: synthetic(4, 10, g),
}


@pytest.mark.parametrize("name", MODELS)
def test_they_begin_as_keras_begins(name: str):
    state = torch.random.get_rng_state()
    network, same, other = (MODELS[name](generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), same.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            area = module.weight[0, 0].numel()
            bound = math.sqrt(6 / ((module.weight.shape[0] + module.weight.shape[1]) * area))
            assert 0.8 * bound < module.weight.abs().max() <= bound
            assert module.bias is not None
            assert not module.bias.any()
        if isinstance(module, nn.GroupNorm):
            assert (module.num_groups, module.eps) == (4, 1e-6)
            assert (module.weight == 1).all()
            assert not module.bias.any()
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_classes_are_counted():
    with pytest.raises(InputError, match=re.escape("classes (): give the number of classes of each task")):
        mnist4(())
    with pytest.raises(InputError, match=re.escape("classes (5, 0)")):
        clusters((5, 0))
