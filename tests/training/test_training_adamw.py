"""AdamW over one vector, against torch's own; learning rates by layer."""

import pytest
import torch
from torch import nn

from munet.training.adamw import ClippedAdamW
from munet.training.layer_rates import layer_factors
from munet.training.optimiser import FlatParameters


@pytest.mark.parametrize("clip", [None, 0.5])
def test_it_is_torchs_adamw_with_a_rate_for_each_layer(clip: float | None) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(5, 4), nn.Linear(5, 4)
    theirs.load_state_dict(ours.state_dict())
    flat = FlatParameters({"low": {"weight": ours.weight}, "high": {"bias": ours.bias}})
    optimiser = ClippedAdamW(flat, weight_decay=0.1, factors={"low": 0.25}, clip_norm=clip)
    groups = [
        {"params": [theirs.weight], "lr": 0.25 * 1e-2, "weight_decay": 0.1},
        {"params": [theirs.bias], "lr": 1e-2, "weight_decay": 0.0},
    ]
    reference = torch.optim.AdamW(groups)
    for step in range(5):
        x = torch.randn(7, 5, generator=torch.Generator().manual_seed(step))
        for module in (ours, theirs):
            module.zero_grad()
            (module(x) ** 3).mean().backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        optimiser.step(1e-2)
        reference.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)
    assert torch.allclose(ours.bias, theirs.bias, atol=1e-6)


def test_rates_fall_from_stage_to_stage() -> None:
    stages = ["posembed", "block.0", "block.1", "norm+patches", "head"]
    slots = ["embedding", "cls", "posembed", "block.0", "block.1", "norm", "head"]
    factors = layer_factors(stages, slots, 0.5)
    assert [factors[slot] for slot in slots] == [1 / 16, 1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]
    assert layer_factors(stages[:-1], ["block.1", "head 0", "head 12"], 0.5) == {
        "block.1": 0.5,
        "head 0": 1,
        "head 12": 1,
    }
    assert set(layer_factors(stages, slots, 1.0).values()) == {1.0}
