"""Pools: the weighted sum, what is computed and what gets a gradient, components that do not fit each other."""

import re

import pytest
import torch
from torch import nn

from munet.errors import InputError
from munet.model.pools.pool import Pool


class Counting(nn.Module):
    """Scales by a parameter, and counts its calls."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.factor * x


def counting(*factors: float) -> tuple[Pool, list[Counting]]:
    components = [Counting(factor) for factor in factors]
    return Pool(components), components


def test_the_output_is_the_weighted_sum():
    pool, _ = counting(1.0, 10.0, 100.0)
    x = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    torch.testing.assert_close(pool(x, torch.tensor([0.5, 0.0, 0.25])), 25.5 * x)


def test_a_pool_of_one_needs_no_weights_and_others_do():
    assert Pool([Counting(3.0)])(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]
    pool, _ = counting(1.0, 2.0)
    with pytest.raises(InputError, match=re.escape("a pool of 2 components needs their weights")):
        pool(torch.ones(1, 2))
    with pytest.raises(InputError, match=re.escape("weights of shape (3,) for 2 components: pass (2,)")):
        pool(torch.ones(1, 2), torch.ones(3))


def test_what_is_off_is_computed_for_the_gradient_of_its_weight_alone():
    pool, components = counting(1.0, 10.0, 100.0)
    weights = torch.tensor([1.0, 0.0, 0.0], requires_grad=True)
    x = torch.tensor([[1.0, 2.0]])
    pool(x, weights).sum().backward()
    assert weights.grad is not None
    assert weights.grad.tolist() == [3.0, 30.0, 300.0]  # <dL/dout, f_j(x)>, also of those that are off
    assert components[0].factor.grad == 3.0
    assert components[1].factor.grad is None
    assert [component.calls for component in components] == [1, 1, 1]


def test_evaluation_and_fixed_weights_compute_only_what_is_used():
    pool, components = counting(1.0, 10.0, 100.0)
    x = torch.ones(1, 2)
    pool(x, torch.tensor([0.0, 1.0, 0.0]))  # no gradient of the weights is asked for
    with torch.no_grad():
        pool(x, torch.tensor([0.0, 1.0, 0.0], requires_grad=True))
    pool(x, torch.tensor([0.0, 1.0, 0.0], requires_grad=True), sparse=True)
    assert [component.calls for component in components] == [0, 3, 0]
    pool(x, torch.tensor([0.0, 1.0, 0.0]), sparse=False)
    assert [component.calls for component in components] == [1, 4, 1]


@pytest.mark.parametrize("learned", [False, True])
def test_nothing_active_gives_zeros_and_finite_gradients(learned: bool):
    pool = Pool([nn.Linear(3, 5), nn.Linear(3, 5)])
    weights = torch.zeros(2, requires_grad=learned)
    out = pool(torch.ones(4, 3), weights)
    assert out.shape == (4, 5)
    assert not out.any()
    if learned:
        out.sum().backward()
        assert weights.grad is not None
        assert weights.grad.isfinite().all()


def test_parameters_of_each_component():
    assert Pool([nn.Linear(3, 4), nn.Identity(), nn.Conv2d(1, 4, 5)]).parameter_counts() == [16, 0, 104]


def test_check_names_the_component_and_both_shapes():
    pool = Pool([nn.Conv2d(1, 4, 3), nn.Conv2d(1, 4, 5)], names=("small", "large"))
    with pytest.raises(
        InputError, match=re.escape("component 'large' gives shape (2, 4, 4, 4) where 'small' gives (2, 4, 6, 6)")
    ):
        pool.check(torch.zeros(2, 1, 8, 8))
    with pytest.raises(InputError, match=re.escape("component 'small' cannot take an input of shape (2, 3, 8, 8)")):
        pool.check(torch.zeros(2, 3, 8, 8))


def test_check_leaves_running_statistics_and_modes_alone():
    pool = Pool([nn.Sequential(nn.BatchNorm1d(3)), nn.Identity()])
    pool.check(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)) + 5)
    norm = pool.components[0][0]  # type: ignore[index]
    assert not norm.running_mean.any()
    assert norm.training


def test_pools_that_cannot_be():
    with pytest.raises(InputError, match="at least one component"):
        Pool([])
    with pytest.raises(InputError, match="1 names for 2 components"):
        Pool([nn.Identity(), nn.Identity()], names=["a"])
    with pytest.raises(InputError, match="two components are named 'a'"):
        Pool([nn.Identity(), nn.Identity()], names=["a", "a"])
