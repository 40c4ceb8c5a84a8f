"""A trunk on several tasks: who is in which batch, what a step is, what comes out."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from munet.training.child_state import margin_loss
from munet.training.multitask import TaskPart, TrunkOutcome, TrunkState, batch_counts, train_trunk
from munet.training.preprocessing import Preprocessing
from munet.training.recipe import Recipe
from training_toys import ToyNetwork, ToySplit, stripes

PLAIN = Preprocessing(image_size=8, mean=(0.5,) * 3, std=(0.5,) * 3)
CLASSES = (2, 3)


class ToyTrunk(ToyNetwork):
    """The toy network without its head; it remembers what it was given to train on."""

    def __init__(self) -> None:
        super().__init__(("embedding", "block.0"))
        self.seen: list[torch.Tensor] = []

    def stages(self):
        return super().stages()[:2]

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            self.seen.append(x_BCHW.detach().clone())
        return super().forward(x_BCHW)


def head(classes: int, seed: int) -> dict[str, torch.Tensor]:
    return {
        "weight": torch.randn(classes, 16, generator=torch.Generator().manual_seed(seed)) * 0.3,
        "bias": torch.zeros(classes),
    }


def part(number: int, share: float, train: ToySplit, margin: float = 0.0) -> TaskPart:
    classes = CLASSES[number]
    return TaskPart(f"t{number}", train, stripes(30, 9, classes), head(classes, number), PLAIN, margin, share)


def recipe(**changes: object) -> Recipe:
    settings: dict[str, object] = {"learning_rate": 0.2, "preprocessing": PLAIN, "cycles": 2, "samples_per_cycle": 40}
    # a constant schedule takes half the rate, 0.1
    settings |= {"batch_size": 10, "schedule": "constant", "warmup_ratio": 0.0, "momentum": 0.0, "clip_norm": None}
    return Recipe(**{**settings, **changes})  # type: ignore[arg-type]


def numbered(count: int, classes: int, offset: int) -> ToySplit:
    """Images that are all of one value, which tells them apart."""
    values = np.arange(count, dtype=np.uint8) + offset
    return ToySplit(np.broadcast_to(values[:, None, None, None], (count, 8, 8, 1)).copy(), np.arange(count) % classes)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=12), st.integers(1, 64), st.integers(1, 60))
def test_batches_hold_every_tasks_share(shares: list[float], batch_size: int, steps: int) -> None:
    counts = batch_counts(shares, batch_size, steps)
    assert (counts.sum(1) == batch_size).all()
    assert counts.min() >= 0
    due = np.outer(np.arange(1, steps + 1), np.array(shares) / sum(shares)) * batch_size
    assert np.abs(counts.cumsum(0) - due).max() <= 1 + 1e-6


def test_every_image_of_a_task_comes_once_before_any_comes_again() -> None:
    parts = [part(0, 0.75, numbered(30, 2, 0)), part(1, 0.25, numbered(20, 3, 100))]
    network = ToyTrunk()
    outcome = train_trunk(network, parts, recipe(), key=("seed",))
    values = [((batch[:, 0, 0, 0] * 0.5 + 0.5) * 255).round().int().tolist() for batch in network.seen]
    assert [len(batch) for batch in values] == [10] * 8
    first = [value for batch in values for value in batch if value < 100]
    second = [value for batch in values for value in batch if value >= 100]
    assert (len(first), len(second)) == (60, 20) == tuple(outcome.samples)
    assert sorted(first[:30]) == sorted(first[30:]) == list(range(30)), "two epochs"
    assert sorted(second) == list(range(100, 120)), "one"
    assert first[:30] != sorted(first[:30]), "in a random order"


def test_a_step_follows_the_mean_loss_over_all_samples_each_among_its_own_classes() -> None:
    parts = [part(0, 0.6, stripes(20, 0, 2), margin=1.5), part(1, 0.4, stripes(20, 1, 3))]
    network, same = ToyTrunk(), ToyTrunk()
    outcome = train_trunk(network, parts, recipe(cycles=1, samples_per_cycle=10), key=("seed",))
    (images,) = network.seen
    heads = [{name: tensor.clone().requires_grad_() for name, tensor in one.head.items()} for one in parts]
    features = same(images)
    counts = [6, 4]
    total, start = torch.zeros(()), 0
    for one, weights, count in zip(parts, heads, counts, strict=True):
        logits = F.linear(features[start : start + count], weights["weight"], weights["bias"])
        wanted = torch.tensor([_label(one, image) for image in images[start : start + count]])
        taken = logits - one.margin * F.one_hot(wanted, logits.shape[1])
        total = total + F.cross_entropy(taken, wanted, reduction="sum")
        start += count
    (total / 10).backward()
    for slot in ("embedding", "block.0"):
        for name, parameter in same.slot_parameters(slot).items():
            assert parameter.grad is not None
            torch.testing.assert_close(outcome.trunk[slot][name], parameter.detach() - 0.1 * parameter.grad)
    for found, weights in zip(outcome.heads, heads, strict=True):
        for name, tensor in weights.items():
            assert tensor.grad is not None
            torch.testing.assert_close(found[name], tensor.detach() - 0.1 * tensor.grad)
    assert outcome.train_seconds > 0
    assert outcome.validation_seconds > 0


def _label(one: TaskPart, image: torch.Tensor) -> int:
    """The label of a training image, found by its pixels."""
    pixels = ((image[0] * 0.5 + 0.5) * 255).round().to(torch.uint8).numpy()
    return next(
        int(label)
        for other, label in zip(one.train.images, one.train.labels, strict=True)
        if (other[..., 0] == pixels).all()
    )


def test_both_tasks_are_learned_and_what_the_network_was_made_of_stays() -> None:
    parts = [part(0, 0.5, stripes(60, 0, 2)), part(1, 0.5, stripes(60, 1, 3))]
    before = {name: tensor.clone() for name, tensor in parts[0].head.items()}
    cycles: list[int] = []
    outcome = train_trunk(
        ToyTrunk(),
        parts,
        recipe(cycles=6, samples_per_cycle=400),
        key=("seed",),
        on_cycle=lambda cycle, accuracies: cycles.append(cycle),
    )
    assert cycles == list(range(6))
    assert [len(values) for values in outcome.accuracies] == [6, 6]
    assert min(values[-1] for values in outcome.accuracies) > 0.9
    assert all(torch.equal(parts[0].head[name], tensor) for name, tensor in before.items())
    assert outcome.rejected is None


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("stop", [1, 2])
def test_a_training_goes_on_from_a_state_bit_for_bit(optimiser: str, stop: int) -> None:
    def train(**options: Any) -> TrunkOutcome:
        parts = [part(0, 0.7, stripes(60, 0, 2)), part(1, 0.3, stripes(60, 1, 3))]
        momentum = {"momentum": 0.9} if optimiser == "sgd" else {}
        rates = {"learning_rate": 0.01, "schedule": "cosine", "optimiser": optimiser}
        return train_trunk(ToyTrunk(), parts, recipe(cycles=3, **rates, **momentum), key=("seed",), **options)

    states: list[TrunkState] = []
    whole = train(on_state=lambda state: states.append(copy.deepcopy(state)))
    assert [len(state.accuracies[0]) for state in states] == [1, 2], "none of a training that is over"
    told: list[int] = []
    rest = train(resume=states[stop - 1], on_cycle=lambda cycle, accuracies: told.append(cycle))
    assert told == list(range(stop, 3))
    assert (rest.accuracies, rest.samples) == (whole.accuracies, whole.samples)
    layers = [*zip(rest.trunk.values(), whole.trunk.values(), strict=True), *zip(rest.heads, whole.heads, strict=True)]
    assert all(torch.equal(tensor, other[name]) for one, other in layers for name, tensor in one.items())


def test_the_state_of_another_training_is_refused() -> None:
    states: list[TrunkState] = []
    parts = [part(0, 0.7, stripes(60, 0, 2)), part(1, 0.3, stripes(60, 1, 3))]
    train_trunk(ToyTrunk(), parts, recipe(), key=("seed",), on_state=states.append)
    with pytest.raises(ValueError, match="another training"):
        train_trunk(ToyTrunk(), parts, recipe(optimiser="adamw"), key=("seed",), resume=states[0])


def test_a_training_that_explodes_is_given_up() -> None:
    parts = [part(0, 0.5, stripes(60, 0, 2)), part(1, 0.5, stripes(60, 1, 3))]
    outcome = train_trunk(ToyTrunk(), parts, recipe(learning_rate=1e38, momentum=0.9), key=("seed",))
    assert outcome.rejected == "non-finite loss or parameters in cycle 0"
    assert outcome.trunk == {}
    assert outcome.heads == [{}, {}]


@pytest.mark.parametrize("margin", [0.0, 2.5])
def test_the_margin_is_taken_from_the_right_class_alone(margin: float) -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 3.0, 1.0]])
    labels = torch.tensor([0, 2])
    lowered = torch.tensor([[2.0 - margin, 0.5, -1.0], [0.0, 3.0, 1.0 - margin]])
    expected = (lowered.logsumexp(1) - lowered[[0, 1], labels]).mean()
    assert margin_loss(logits, labels, margin) == pytest.approx(float(expected))
