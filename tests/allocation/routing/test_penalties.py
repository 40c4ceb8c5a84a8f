"""Penalties: their values, whom they reach, and what they refuse."""

import math
import re

import pytest
import torch

from munet.allocation.routing import penalties
from munet.allocation.routing.allocations import Allocation, FixedAllocation, LearnedAllocation
from munet.errors import InputError

PENALTIES = {
    "budget": lambda allocation, task: penalties.budget(allocation, task, 0.5, 1.0),
    "entropy": lambda allocation, task: penalties.entropy(allocation, task, 1.0, 5, 10),
    "disconnect": lambda allocation, task: penalties.disconnect(allocation, task, 1.0),
    "connection": lambda allocation, task: penalties.connection(allocation, task, 1.0),
}


def learned(p: float, sizes: tuple[int, ...] = (4, 4, 4), two_logits: bool = False) -> LearnedAllocation:
    return LearnedAllocation(["a", "b", "c"], sizes, p, two_logits=two_logits)


@pytest.mark.parametrize(
    ("p", "limit", "weight", "expected"), [(0.5, 0.5, 1, 0), (0.97, 0.75, 1, 0.22), (0.97, 0.75, 3, 0.66)]
)
def test_budget_counts_what_lies_above(p: float, limit: float, weight: float, expected: float):
    assert penalties.budget(learned(p), 1, limit, weight).item() == pytest.approx(expected, abs=1e-6)


def test_budget_pulls_above_and_not_below():
    allocation = learned(0.9)
    penalties.budget(allocation, 0, 0.75, 2.0).backward()
    assert allocation.logits.grad is not None
    assert allocation.logits.grad[0].tolist() == pytest.approx([2 / 12 * 0.9 * 0.1] * 12, rel=1e-5)
    allocation = learned(0.3)
    penalties.budget(allocation, 0, 0.75, 2.0).backward()
    assert allocation.logits.grad is None or not allocation.logits.grad.any()


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("two_logits", [False, True])
def test_only_the_rows_of_the_task_get_gradient(name: str, two_logits: bool):
    allocation = learned(0.7, two_logits=two_logits)
    PENALTIES[name](allocation, 1).backward()
    gradient = allocation.logits.grad
    assert gradient is not None
    assert gradient[1].all()
    assert not gradient[[0, 2]].any()


def test_budget_in_parameters_weighs_components():
    allocation = LearnedAllocation(["a"], (2, 2), [[[0.9, 0.1]], [[0.5, 0.5]]])
    fraction = penalties.expected_fraction(allocation, 0, "parameters", [[30, 10], [0, 60]])
    assert fraction.item() == pytest.approx((27 + 1 + 0 + 30) / 100)
    found = penalties.budget(allocation, 0, 0.5, 10, "flops", [[30, 10], [0, 60]])
    assert found.item() == pytest.approx(0.8, abs=1e-6)


def test_entropy_grows_with_the_steps():
    allocation = learned(0.5)
    full = 12 * math.log(2)
    assert penalties.entropy(allocation, 0, 2.0, 100, 100).item() == pytest.approx(2 * full, rel=1e-6)
    assert penalties.entropy(allocation, 0, 2.0, 25, 100).item() == pytest.approx(full / 2, rel=1e-6)
    assert penalties.entropy(allocation, 0, 2.0, 25, 100, alpha=0.5).item() == pytest.approx(full, rel=1e-6)
    assert penalties.entropy(allocation, 0, 2.0, 0, 100).item() == 0
    p = 0.97
    expected = -12 * (p * math.log(p) + (1 - p) * math.log(1 - p))
    assert penalties.entropy(learned(p), 0, 1.0, 1, 1).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("value", [200.0, -200.0])
def test_gradients_are_finite_where_all_is_decided(name: str, value: float):
    allocation = learned(0.5)
    with torch.no_grad():
        allocation.logits.fill_(value)
    PENALTIES[name](allocation, 0).backward()
    assert allocation.logits.grad is not None
    assert allocation.logits.grad.isfinite().all()


def test_disconnect_and_connection():
    allocation = LearnedAllocation(["a"], (2, 3), [[[0.5, 0.2]], [[0.9, 0.1, 0.5]]])
    assert penalties.disconnect(allocation, 0, 2.0).item() == pytest.approx(2 * (0.4 + 0.045), rel=1e-5)
    assert penalties.connection(allocation, 0, 3.0).item() == pytest.approx(3 * 2.2, rel=1e-5)


def test_a_fixed_allocation_has_constant_penalties():
    allocation: Allocation = FixedAllocation(["a", "b"], [[[1, 1, 1, 0], [0, 0, 0, 0]]], normalize=True)
    assert penalties.budget(allocation, 0, 0.5, 1.0).item() == 0.25
    assert penalties.entropy(allocation, 0, 1.0, 1, 1).item() == 0
    assert penalties.disconnect(allocation, 1, 1.0).item() == 1
    assert penalties.connection(allocation, 0, 1.0).item() == 3


def test_without_routed_pools_nothing_can_be_saved():
    allocation = FixedAllocation.shared_bottom(["a"], ())
    assert penalties.budget(allocation, 0, 0.25, 1.0).item() == 0.75
    assert penalties.disconnect(allocation, 0, 1.0).item() == 0
    assert penalties.connection(allocation, 0, 1.0).item() == 0


@pytest.mark.parametrize("value", [0, -0.1, 1.1, math.nan])
def test_a_budget_is_a_share(value: float):
    with pytest.raises(InputError, match=re.escape(f"budget {value} is outside (0, 1]")):
        penalties.budget(learned(0.5), 0, value, 1.0)


def test_what_penalties_refuse():
    allocation = learned(0.5)
    with pytest.raises(InputError, match=re.escape("budget unit 'params' is unknown (did you mean 'parameters'?)")):
        penalties.budget(allocation, 0, 0.5, 1.0, "params")
    with pytest.raises(InputError, match="a budget in parameters needs their number"):
        penalties.budget(allocation, 0, 0.5, 1.0, "parameters", [[1, 2]])
    with pytest.raises(InputError, match="no component has any"):
        penalties.budget(allocation, 0, 0.5, 1.0, "parameters", [[0] * 4] * 3)
    with pytest.raises(InputError, match="budget penalty -1: it is 0 or greater"):
        penalties.budget(allocation, 0, 0.5, -1)
    with pytest.raises(InputError, match="entropy penalty alpha -1"):
        penalties.entropy(allocation, 0, 1.0, 1, 2, alpha=-1)
    with pytest.raises(InputError, match="entropy penalty at step 1 of 0"):
        penalties.entropy(allocation, 0, 1.0, 1, 0)
