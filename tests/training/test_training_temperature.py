"""The temperature of answers: found where it is known, kept within reason where little is."""

import math

import pytest
import torch
from torch.nn import functional as F

from munet.training.temperature import fit_temperature


def drawn(count: int, true: float, seed: int = 0, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are `true` times as sure as the labels, which are drawn from them, are."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, classes, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return true * logits, labels


@pytest.mark.parametrize("true", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(true: float) -> None:
    assert fit_temperature(*drawn(20_000, true)) == pytest.approx(true, rel=0.05)


def test_it_is_the_minimum_of_what_it_minimises() -> None:
    logits, labels = drawn(200, 3.0)
    best = fit_temperature(logits, labels)

    def loss(t: float) -> float:
        return float(F.cross_entropy(logits.double() / t, labels, reduction="sum")) + 2 * math.log(t) ** 2

    assert loss(best) < min(loss(best * 1.01), loss(best / 1.01))


def test_a_few_right_answers_are_no_proof_of_certainty() -> None:
    logits, labels = 3 * torch.eye(4), torch.arange(4)
    assert 0.5 < fit_temperature(logits, labels) < 1


def test_what_says_nothing_is_left_out() -> None:
    logits, labels = drawn(500, 2.0)
    odd = torch.cat([logits, torch.full((1, 5), torch.nan), torch.zeros(1, 5)])
    assert fit_temperature(odd, torch.cat([labels, torch.tensor([0, 9])])) == fit_temperature(logits, labels)
    assert fit_temperature(logits[:0], labels[:0]) == 1.0
    assert fit_temperature(torch.full((2, 3), torch.inf), torch.tensor([0, 1])) == 1.0
    assert fit_temperature(logits.bfloat16(), labels) == pytest.approx(2.0, rel=0.3)
