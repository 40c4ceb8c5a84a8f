"""The flat optimiser against a float64 reference and against torch's own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from munet.training.optimiser import ClippedSGD, FlatParameters

SHAPES = {"block.0": {"a": (5, 3), "b": (7,)}, "head": {"weight": (2, 5), "bias": ()}}


def make_parameters(seed: int = 0) -> dict[str, dict[str, nn.Parameter]]:
    generator = torch.Generator().manual_seed(seed)
    return {
        slot: {name: nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in tensors.items()}
        for slot, tensors in SHAPES.items()
    }


def flat_list(parameters):
    return [parameter for tensors in parameters.values() for parameter in tensors.values()]


def add_gradients(parameters, seed: int, size: float) -> list[torch.Tensor]:
    """Makes random gradients through autograd, in place of what there was, and returns them."""
    for parameter in flat_list(parameters):
        parameter.grad = None
    generator = torch.Generator().manual_seed(seed)
    gradients = [torch.randn(p.shape, generator=generator) * size for p in flat_list(parameters)]
    torch.stack([(p * g).sum() for p, g in zip(flat_list(parameters), gradients, strict=True)]).sum().backward()
    return gradients


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.5, 0.95])
def test_equals_torch_sgd(momentum, nesterov):
    mine, theirs = make_parameters(), make_parameters()
    optimiser = ClippedSGD(FlatParameters(mine), momentum=momentum, nesterov=nesterov, clip_norm=None)
    reference = torch.optim.SGD(flat_list(theirs), lr=0.1, momentum=momentum, nesterov=nesterov)
    for step, rate in enumerate([0.1, 0.05, 0.2, 0.01]):
        add_gradients(mine, step, 1.0)
        add_gradients(theirs, step, 1.0)
        optimiser.step(rate)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        reference.zero_grad()
    for a, b in zip(flat_list(mine), flat_list(theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [0.01, 0.3, 1.0, 100.0])
def test_clip_is_exact(size):
    parameters = make_parameters()
    before = [p.detach().double().clone() for p in flat_list(parameters)]
    optimiser = ClippedSGD(FlatParameters(parameters), momentum=0.0)
    gradients = [g.double() for g in add_gradients(parameters, 3, size)]
    norm = torch.stack([(g * g).sum() for g in gradients]).sum().sqrt()
    assert (norm >= 1) == (size > 0.2)
    optimiser.step(1.0)
    for p, old, g in zip(flat_list(parameters), before, gradients, strict=True):
        torch.testing.assert_close(p.detach().double(), old - (g / norm if norm >= 1 else g), rtol=0, atol=1e-6)


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=20))
def test_clipped_norm_is_at_most_the_limit_and_small_gradients_stay(values):
    moved = -clipped_step(values)
    norm = torch.tensor(values).double().norm()
    if norm < 1 - 1e-6:
        assert torch.equal(moved, torch.tensor(values))
    else:
        assert abs(moved.double().norm() - min(norm, 1)) < 1e-6


def clipped_step(gradient: list[float]) -> torch.Tensor:
    """Where one step of rate 1 goes from 0."""
    parameter = nn.Parameter(torch.zeros(len(gradient)))
    optimiser = ClippedSGD(FlatParameters({"head": {"weight": parameter}}), momentum=0.9)
    parameter.grad = torch.tensor(gradient)
    optimiser.step(1.0)
    return parameter.detach()


def test_a_norm_of_exactly_one_and_just_below_changes_nothing():
    for value in (1.0, 0.99999):
        assert torch.equal(-clipped_step([value, 0.0]), torch.tensor([value, 0.0]))
    torch.testing.assert_close(-clipped_step([3.0, 4.0]), torch.tensor([0.6, 0.8]), rtol=1e-7, atol=0)


def test_buffers_are_the_first_velocity_and_those_of_another_shape_are_left_out():
    parameters = make_parameters()
    buffers = {
        "block.0": {"a": torch.full((5, 3), 1.5, dtype=torch.bfloat16), "b": torch.ones(7, dtype=torch.bfloat16)},
        "head": {"weight": torch.ones(3, 5), "bias": torch.ones(())},
    }
    flat = FlatParameters(parameters)
    optimiser = ClippedSGD(flat, momentum=0.5, buffers=buffers)
    before = parameters["block.0"]["a"].detach().clone()
    head = parameters["head"]["weight"].detach().clone()
    for parameter in flat_list(parameters):
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step(1.0)  # v = 0.5 * 1.5
    torch.testing.assert_close(parameters["block.0"]["a"].detach(), before - 0.75)
    assert torch.equal(parameters["head"]["weight"].detach(), head)


def test_given_tensors_are_never_written_and_views_are_aligned():
    given = torch.randn(5)
    kept = given.clone()
    parameter = nn.Parameter(given)
    other = nn.Parameter(torch.ones(3))
    flat = FlatParameters({"head": {"w": parameter, "b": other}})
    optimiser = ClippedSGD(flat, momentum=0.9)
    (parameter.sum() + other.sum()).backward()
    optimiser.step(0.1)
    assert torch.equal(given, kept)
    assert not torch.equal(parameter.detach(), kept)
    assert (other.data_ptr() - parameter.data_ptr()) % 64 == 0
    assert torch.equal(flat.views(flat.values)["head"]["w"], parameter.detach())
