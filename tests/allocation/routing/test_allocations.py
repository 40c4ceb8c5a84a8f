"""Fixed and learned allocations: samples, slopes, the temperature, noise-free use, both forms of the logits."""

import math
import re

import pytest
import torch

from munet.allocation.routing.allocations import FixedAllocation, LearnedAllocation, straight_through
from munet.errors import InputError
from munet.model.pools.pool import combined

MANY = 100_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at_temperature(p: float, temperature: float) -> LearnedAllocation:
    """One task and very many equal connections, whose mean is an expectation."""
    return LearnedAllocation(
        ["a"], (MANY,), p, temperature_init=temperature, temperature_min=temperature, normalize=False
    )


@pytest.mark.parametrize("temperature", [0.5, 5.0, 50.0])
@pytest.mark.parametrize("p", [0.03, 0.5, 0.97])
def test_a_connection_is_on_with_its_probability_at_any_temperature(p: float, temperature: float):
    (weights,) = at_temperature(p, temperature).weights(0, step=0, generator=generator())
    assert set(weights.tolist()) == {0.0, 1.0}
    assert abs(weights.mean().item() - p) < 4 * math.sqrt(p * (1 - p) / MANY)


@pytest.mark.parametrize(("temperature", "slope", "error"), [(50, 0.0050, 1e-4), (5, 0.043, 1e-3), (0.5, 0.039, 1e-3)])
@pytest.mark.parametrize("two_logits", [False, True])
def test_mean_slope_of_a_sample(temperature: float, slope: float, error: float, two_logits: bool):
    allocation = at_temperature(0.97, temperature)
    if two_logits:
        allocation = LearnedAllocation(["a"], (MANY,), 0.97, temperature, temperature, normalize=False, two_logits=True)
    (weights,) = allocation.weights(0, step=0, generator=generator())
    weights.sum().backward()
    gradient = allocation.logits.grad
    assert gradient is not None
    on = gradient[0, :, 0] if two_logits else gradient[0]
    assert on.mean().item() == pytest.approx(slope, abs=error)
    if two_logits:
        torch.testing.assert_close(gradient[0, :, 1], -on)


def test_probabilities_have_their_exact_slope():
    allocation = LearnedAllocation(["a"], (3,), 0.97)
    allocation.row_probabilities(0)[0].sum().backward()
    assert allocation.logits.grad is not None
    assert allocation.logits.grad.flatten().tolist() == pytest.approx([0.0291] * 3, abs=1e-5)
    assert allocation.logits.flatten().tolist() == pytest.approx([3.476] * 3, abs=1e-3)


@pytest.mark.parametrize(
    "signs", [(1, -1, 1, 1), (-1, -1, 1, -1), (-1, -1, -1, -1)], ids=["three on", "one on", "none on"]
)
@pytest.mark.parametrize("normalize", [True, False])
def test_gradient_of_weights_is_that_of_the_soft_relaxation(signs: tuple[int, ...], normalize: bool):
    """d weights = J(hard) d soft: J by its formula, d soft by finite differences."""
    g = generator(3)
    noise = torch.randn(4, generator=g, dtype=torch.float64)
    delta = torch.tensor(signs, dtype=torch.float64) * torch.rand(4, generator=g, dtype=torch.float64) - noise
    v, temperature, h = torch.randn(4, generator=g, dtype=torch.float64), 0.7, 1e-6
    asked = delta.clone().requires_grad_()
    weights = combined(straight_through(asked, noise, temperature), normalize)
    (v * weights).sum().backward()

    hard = (torch.tensor(signs) > 0).double()
    count = max(hard.sum().item(), 1.0)
    torch.testing.assert_close(weights.detach(), hard / count if normalize else hard, rtol=0, atol=0)
    inside = torch.outer(hard / count, torch.ones(4, dtype=torch.float64)) * bool(hard.any())
    jacobian = (torch.eye(4, dtype=torch.float64) - inside) / count if normalize else torch.eye(4).double()
    soft = [((delta + noise + step) / temperature).sigmoid() for step in (h, -h)]
    expected = (v @ jacobian) * (soft[0] - soft[1]) / (2 * h)
    assert asked.grad is not None
    torch.testing.assert_close(asked.grad, expected, rtol=1e-7, atol=1e-10)


def test_temperature_falls_with_the_root_of_the_updates():
    allocation = LearnedAllocation(["a", "b"], (2,))
    assert allocation.temperature(0) == 50
    assert allocation.temperature(3) == 25
    assert allocation.temperature(9_998) > 0.5
    assert [allocation.temperature(step) for step in (9_999, 10_000, 10**9)] == [0.5, 0.5, 0.5]


def test_without_noise_a_tie_is_on():
    allocation = LearnedAllocation(["a", "b"], (3,), [[[0.5, 0.4, 0.6], [0.4999, 0.1, 0.2]]])
    assert allocation.greedy()[0].tolist() == [[True, False, True], [False, False, False]]
    assert allocation.evaluation_weights(0)[0].tolist() == [0.5, 0.0, 0.5]
    assert allocation.evaluation_weights(1)[0].tolist() == [0.0, 0.0, 0.0]
    assert allocation.fraction_used() == pytest.approx(1 / 3)
    assert (allocation.fraction_used(0), allocation.fraction_used(1)) == (pytest.approx(2 / 3), 0.0)


def test_evaluation_draws_nothing_and_knows_no_step():
    allocation = LearnedAllocation(["a", "b"], (4, 5), 0.6)
    before = [matrix.clone() for matrix in allocation.greedy()]
    state, g = torch.random.get_rng_state(), generator()
    drawn = [allocation.weights(0, step=step, generator=g) for step in (0, 10, 20_000)]
    assert not torch.equal(drawn[0][1], drawn[1][1]) or not torch.equal(drawn[1][1], drawn[2][1])
    assert all(torch.equal(a, b) for a, b in zip(before, allocation.greedy(), strict=True))
    assert torch.equal(state, torch.random.get_rng_state())
    again = allocation.weights(0, step=0, generator=generator())
    assert all(torch.equal(a, b) for a, b in zip(drawn[0], again, strict=True))


@pytest.mark.parametrize("sizes", [(4,), (7, 3)])
def test_one_logit_at_twice_the_rate_moves_as_two_logits_do(sizes: tuple[int, ...]):
    """Same draws, same losses: the same log-odds all along, up to Adam's epsilon."""
    target = torch.randn(sum(sizes), generator=generator(1))
    trajectories = []
    for two_logits in (False, True):
        allocation = LearnedAllocation(["a", "b"], sizes, 0.6, temperature_min=0.5, two_logits=two_logits)
        adam = torch.optim.Adam(allocation.parameters(), lr=0.01 * allocation.learning_rate_factor)
        seen = []
        for step in range(150):
            adam.zero_grad()
            g, task = generator(step), step % 2
            weights = torch.cat(allocation.weights(task, step=step, generator=g))
            loss = (weights * target).sum() + torch.cat(allocation.row_probabilities(task)).square().sum()
            loss.backward()
            adam.step()
            seen.append(torch.stack([allocation.delta(0), allocation.delta(1)]).detach())
        trajectories.append(torch.stack(seen))
    assert LearnedAllocation(["a"], (2,)).learning_rate_factor == 2
    assert (trajectories[0][-1] - trajectories[0][0]).abs().min() > 0.05
    torch.testing.assert_close(trajectories[0], trajectories[1], rtol=0, atol=1e-3)


def test_no_sharing_gives_each_task_its_own_component():
    allocation = FixedAllocation.no_sharing(["a", "b", "c"], (3, 3))
    assert [weights.tolist() for weights in allocation.evaluation_weights(1)] == [[0, 1, 0], [0, 1, 0]]
    assert allocation.fraction_used() == pytest.approx(1 / 3)
    with pytest.raises(InputError, match=re.escape("no_sharing: pool 1 has 4 components for 3 tasks")):
        FixedAllocation.no_sharing(["a", "b", "c"], (3, 4))


def test_shared_bottom_sums_as_published_or_takes_the_mean():
    tasks, sizes = ["a", "b"], (4, 2)
    assert FixedAllocation.shared_bottom(tasks, sizes).evaluation_weights(1)[0].tolist() == [1] * 4
    mean = FixedAllocation.shared_bottom(tasks, sizes, normalize=True)
    assert [weights.tolist() for weights in mean.weights(0, step=7, generator=generator())] == [[0.25] * 4, [0.5] * 2]
    assert not list(mean.parameters())
    assert mean.probabilities()[0].tolist() == [[1.0] * 4] * 2
    assert mean.entropy(0) == 0


def test_any_matrix_of_zeros_and_ones():
    allocation = FixedAllocation(["a", "b"], [[[1, 1, 0], [0, 0, 1]]], normalize=True)
    assert allocation.sizes == (3,)
    assert allocation.evaluation_weights(0)[0].tolist() == [0.5, 0.5, 0.0]
    with pytest.raises(InputError, match=re.escape("matrix 0 holds 0.5: entries are 0 (off) or 1 (on)")):
        FixedAllocation(["a", "b"], [[[1, 0.5], [0, 1]]], normalize=True)
    with pytest.raises(InputError, match=re.escape("matrix 0 has shape (1, 2): it needs a row for each of 2 tasks")):
        FixedAllocation(["a", "b"], [[[1, 0]]], normalize=True)


def test_a_saved_allocation_loads_again():
    learned = LearnedAllocation(["a", "b"], (2, 3), [torch.full((2, 2), 0.3), torch.full((2, 3), 0.8)])
    other = LearnedAllocation(["a", "b"], (2, 3))
    other.load_state_dict(learned.state_dict())
    found = torch.cat(other.probabilities(), dim=1)
    assert found.tolist() == [pytest.approx([0.3] * 2 + [0.8] * 3)] * 2


@pytest.mark.parametrize("p", [0, 1, 0.0, 1.0, -0.1, 1.5, math.nan])
def test_probabilities_lie_inside_0_and_1(p: float):
    with pytest.raises(InputError, match="it lies between 0 and 1, without the ends"):
        LearnedAllocation(["a"], (2,), p)
    with pytest.raises(InputError, match="it lies between 0 and 1, without the ends"):
        LearnedAllocation(["a"], (2,), [[[0.5, p]]])


def test_probabilities_near_the_ends_stay_where_they_can_change():
    assert LearnedAllocation(["a"], (2,), 1e-9).probabilities()[0].tolist() == [[pytest.approx(1e-4)] * 2]


def test_allocations_that_cannot_be():
    with pytest.raises(InputError, match="at least one task"):
        LearnedAllocation([], (2,))
    with pytest.raises(InputError, match="two tasks are named 'a'"):
        LearnedAllocation(["a", "a"], (2,))
    with pytest.raises(InputError, match="pool 1 has 1 components"):
        LearnedAllocation(["a"], (2, 1))
    with pytest.raises(
        InputError, match=re.escape("initial_probability has shapes [(1, 3)]: this allocation needs [(1, 2)]")
    ):
        LearnedAllocation(["a"], (2,), [torch.full((1, 3), 0.5)])
    with pytest.raises(InputError, match="temperature_min is 0"):
        LearnedAllocation(["a"], (2,), temperature_min=0)
    with pytest.raises(InputError, match="task 1: this allocation has tasks 0 to 0"):
        LearnedAllocation(["a"], (2,)).evaluation_weights(1)


def test_nothing_routed_is_all_used():
    allocation = FixedAllocation.shared_bottom(["a"], ())
    assert allocation.evaluation_weights(0) == []
    assert allocation.fraction_used() == 1
