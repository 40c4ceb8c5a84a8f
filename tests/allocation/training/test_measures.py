"""Similarity, accounted parameters and operations of what tasks use."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from munet.allocation.network.models import clusters, mnist4, omniglot20
from munet.allocation.routing.allocations import Allocation, FixedAllocation, LearnedAllocation
from munet.allocation.training import measures
from munet.errors import InputError

NAMES = ["a", "b", "c", "d"]


def test_similarity_of_rows():
    found = measures.similarity([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0]])
    assert np.isfinite(found).all()
    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] == 0
    assert found[0, 4] == pytest.approx(0.5)
    assert found[3].tolist() == [0, 0, 0, 1, 0]
    assert np.diag(found).tolist() == [1] * 5
    assert (found == found.T).all()
    assert measures.similarity(torch.eye(3, dtype=torch.bool)).tolist() == np.eye(3).tolist()
    with pytest.raises(InputError, match=re.escape("similarity of an array of shape (3,)")):
        measures.similarity([1, 2, 3])


def random_allocation() -> Allocation:
    g = torch.Generator().manual_seed(2)
    return LearnedAllocation(NAMES, (4, 4, 4), [torch.rand(4, 4, generator=g) * 0.98 + 0.01 for _ in range(3)])


@pytest.mark.parametrize("name", ["no_sharing", "shared_bottom", "learned"])
def test_accounted_parameters_sum_to_those_in_use(name: str):
    network = mnist4()
    if name == "learned":
        allocation = random_allocation()
    else:
        allocation = getattr(FixedAllocation, name)(NAMES, network.routed_sizes)
    accounted = measures.accounted(network, allocation)
    assert list(accounted) == NAMES
    assert sum(accounted.values()) == pytest.approx(measures.used_parameters(network, allocation), rel=1e-12)
    own = measures.parameters_by_task(network, allocation)
    if name == "no_sharing":
        assert accounted == dict.fromkeys(NAMES, 104 + 148 + 148 + 370)
        assert accounted == own
    if name == "shared_bottom":
        assert accounted == dict.fromkeys(NAMES, 1_600 / 4 + 370)
        assert own == dict.fromkeys(NAMES, 1_600 + 370)
    if name == "learned":
        used = torch.stack([matrix.any(dim=0) for matrix in allocation.greedy()])
        expected = (used.sum(dim=1) * torch.tensor([104, 148, 148])).sum().item() + 4 * 370
        assert measures.used_parameters(network, allocation) == expected
        unused = measures.unused_components(network, allocation)
        assert len(unused) == 12 - used.sum().item()


def test_unused_components_are_named():
    network = mnist4()
    matrices = [torch.ones(4, 4) for _ in range(3)]
    matrices[1][:, 2] = 0
    assert measures.unused_components(network, FixedAllocation(NAMES, matrices, True)) == ["pool.2.2"]
    assert measures.unused_components(network, FixedAllocation.shared_bottom(NAMES, (4, 4, 4))) == []


def test_unrouted_layers_are_shared_by_all():
    network = clusters((5, 9))
    accounted = measures.accounted(network, FixedAllocation.shared_bottom(["a", "b"], network.routed_sizes))
    assert accounted == {"a": 53_472 / 2 + 129 * 5, "b": 53_472 / 2 + 129 * 9}


def test_operations_of_a_task():
    network = mnist4()
    image = torch.zeros(2, 1, 28, 28)
    first, second, third = 24 * 24 * 4, 10 * 10 * 4, 3 * 3 * 4
    one = first * (2 * 25 + 2) + second * (2 * 36 + 2) + third * (2 * 36 + 2)  # products, bias, ReLU
    fixed = (12 * 12 + 5 * 5) * 4 * 4 + 10 * (2 * 36 + 1)  # pooling windows and the head
    alone = measures.flops_by_task(network, FixedAllocation.no_sharing(NAMES, (4, 4, 4)), image)
    assert alone == dict.fromkeys(NAMES, one + fixed + 2 * (first + second + third))
    together = measures.flops_by_task(network, FixedAllocation.shared_bottom(NAMES, (4, 4, 4)), image)
    assert together == dict.fromkeys(NAMES, 4 * (one + 2 * (first + second + third)) + fixed)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


def test_the_omniglot_network_takes_4_2_billion_multiply_adds():
    network = omniglot20((48,))
    found = measures.flops_by_task(
        network, FixedAllocation.shared_bottom(["a"], network.routed_sizes), torch.zeros(1, 1, 105, 105)
    )
    assert found["a"] / 2 == pytest.approx(4.2e9, rel=0.01)


def test_costs_of_components():
    network = mnist4()
    assert measures.component_costs(network, "components") == [[1.0] * 4] * 3
    assert measures.component_costs(network, "parameters") == [[104.0] * 4, [148.0] * 4, [148.0] * 4]
    flops = measures.component_costs(network, "flops", torch.zeros(1, 1, 28, 28))
    assert flops == [[24 * 24 * 4 * 52.0] * 4, [10 * 10 * 4 * 74.0] * 4, [3 * 3 * 4 * 74.0] * 4]
    with pytest.raises(InputError, match="a budget in flops needs a sample"):
        measures.component_costs(network, "flops")
    with pytest.raises(InputError, match=re.escape("budget unit 'flop' is unknown (did you mean 'flops'?)")):
        measures.component_costs(network, "flop")


def test_an_allocation_of_another_network_is_refused():
    with pytest.raises(InputError, match=re.escape("an allocation of 2 tasks over pools (4, 4, 4) does not fit")):
        measures.accounted(mnist4(), FixedAllocation.shared_bottom(["a", "b"], (4, 4, 4)))


def test_modules_of_ones_own_are_counted_where_known():
    network = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 2, bias=False))
    assert measures._flops(network, torch.zeros(1, 4))[0] == 6 * 9 + 6 * 8 + 6 * 8 + 2 * 12
