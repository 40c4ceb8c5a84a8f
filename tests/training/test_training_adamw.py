"""AdamW over flat parameters against torch's own, and rates by layer."""

import pytest
import torch
from torch import nn

from munet.training.adamw import ClippedAdamW, layer_factors
from munet.training.optimiser import ClippedSGD, FlatParameters

SHAPES = {
    "block.0": {"a": (5, 3), "b": (7,)},
    "cls": {"cls_token": (1, 1, 4)},
    "head": {"weight": (2, 5), "bias": (2,)},
}
FACTORS = {"block.0": 0.5, "cls": 0.25}


def make_parameters():
    generator = torch.Generator().manual_seed(0)
    return {
        slot: {name: nn.Parameter(torch.randn(shape, generator=generator)) for name, shape in tensors.items()}
        for slot, tensors in SHAPES.items()
    }


def give_gradients(parameters, step, size=1.0):
    generator = torch.Generator().manual_seed(step)
    for tensors in parameters.values():
        for parameter in tensors.values():
            parameter.grad = torch.randn(parameter.shape, generator=generator) * size


def test_equals_torch_adamw_with_rates_by_slot():
    mine, theirs = make_parameters(), make_parameters()
    optimiser = ClippedAdamW(FlatParameters(mine), weight_decay=0.1, clip_norm=None, factors=FACTORS)
    groups = [
        {"params": [p], "factor": FACTORS.get(slot, 1.0), "weight_decay": 0.1 if name in ("a", "weight") else 0.0}
        for slot, tensors in theirs.items()
        for name, p in tensors.items()
    ]
    reference = torch.optim.AdamW(groups)
    for step, rate in enumerate([0.1, 0.05, 0.2, 0.01]):
        give_gradients(mine, step)
        give_gradients(theirs, step)
        optimiser.step(rate)
        for group in reference.param_groups:
            group["lr"] = rate * group["factor"]
        reference.step()
    for slot in SHAPES:
        for name in SHAPES[slot]:
            torch.testing.assert_close(mine[slot][name], theirs[slot][name], rtol=1e-6, atol=1e-6)


def test_clip_is_that_of_scaled_gradients():
    # Adam forgets the size of its gradients but for those of other steps: the first is clipped, the second is not
    mine, theirs = make_parameters(), make_parameters()
    clipped, plain = ClippedAdamW(FlatParameters(mine)), ClippedAdamW(FlatParameters(theirs), clip_norm=None)
    give_gradients(mine, 0, 100.0)
    give_gradients(theirs, 0, 100.0)
    found = [p.grad for tensors in theirs.values() for p in tensors.values() if p.grad is not None]
    assert len(found) == sum(len(tensors) for tensors in theirs.values())
    norm = torch.stack([(g**2).sum() for g in found]).sum().sqrt()
    assert norm > 1
    for gradient in found:
        gradient /= norm
    for optimiser, parameters in ((clipped, mine), (plain, theirs)):
        optimiser.step(0.1)
        give_gradients(parameters, 1, 0.001)
        optimiser.step(0.1)
    for slot in SHAPES:
        for name in SHAPES[slot]:
            torch.testing.assert_close(mine[slot][name], theirs[slot][name], rtol=1e-5, atol=1e-6)


def test_sgd_moves_a_slot_by_its_factor():
    some, halved = make_parameters(), make_parameters()
    before = make_parameters()
    for parameters, factors in ((some, None), (halved, FACTORS)):
        optimiser = ClippedSGD(FlatParameters(parameters), momentum=0.9, factors=factors)
        for step in range(3):
            give_gradients(parameters, step)
            optimiser.step(0.1)
    for slot, tensors in before.items():
        for name, start in tensors.items():
            moved = (some[slot][name] - start) * FACTORS.get(slot, 1.0)
            torch.testing.assert_close(halved[slot][name] - start, moved, rtol=1e-4, atol=1e-6)


def test_padding_stays_zero():
    parameters = make_parameters()
    flat = FlatParameters(parameters)
    optimiser = ClippedAdamW(flat, weight_decay=0.1)
    give_gradients(parameters, 0)
    optimiser.step(0.1)
    assert flat.values.numel() > sum(p.numel() for p in flat.parameters)
    sizes = [float(p.detach().square().sum()) for p in flat.parameters]
    assert float(flat.values.square().sum()) == pytest.approx(sum(sizes))


def test_factors_fall_from_the_head_down():
    slots = ["embedding", "cls", "posembed", "block.0", "adapter.1", "block.1", "norm", "head"]
    found = layer_factors(slots, 2, 0.5)
    assert list(found.values()) == [0.125, 0.125, 0.125, 0.25, 0.5, 0.5, 1.0, 1.0]
