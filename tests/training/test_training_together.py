"""Siblings trained side by side: each learns what it would alone, and what they share is computed once."""

from typing import Any

import pytest
import torch

from munet.errors import InputError
from munet.training import FeatureCache, Outcome, Preprocessing, Recipe, TrainItem, train_together
from munet.training.trainer import TrainingSession
from training_toys import ToyNetwork, stripes

PLAIN = Preprocessing(8)
RANDOM = Preprocessing(8, crop_area_min=0.5, flip=True, brightness=0.1)
TRAIN, VALIDATION = stripes(100, 1), stripes(37, 2)
SHARED = ("root embedding", "root block")


def recipe(pre: Preprocessing, rate: float = 0.1, **changes) -> Recipe:
    settings: dict[str, Any] = {"cycles": 3, "samples_per_cycle": 64, "batch_size": 10} | changes
    return Recipe(learning_rate=rate, preprocessing=pre, **settings)


def items(pre: Preprocessing) -> list[TrainItem]:
    """Three siblings of one root: two train the head, one the block below it too."""
    heads = [ToyNetwork(("head",)) for _ in range(2)]
    return [
        TrainItem(heads[0], recipe(pre), names=SHARED),
        TrainItem(heads[1], recipe(pre, 0.3), names=SHARED),
        TrainItem(ToyNetwork(("block.0", "head")), recipe(pre), names=SHARED[:1]),
    ]


def grow(group: list[TrainItem], cache: FeatureCache | None = None, **options) -> list[Outcome]:
    return train_together(group, TRAIN, VALIDATION, key=(0, "toy"), cache=cache, **options)


def assert_same(a: Outcome, b: Outcome) -> None:
    assert a.accuracies == b.accuracies
    assert a.losses == b.losses
    for ours, theirs in ((a.layers, b.layers), (a.momentum, b.momentum)):
        assert ours.keys() == theirs.keys()
        for slot in ours:
            assert all(torch.equal(ours[slot][name], theirs[slot][name]) for name in ours[slot])


@pytest.mark.parametrize("pre", [PLAIN, RANDOM])
def test_together_each_learns_the_bits_that_it_would_alone(pre):
    alone = [grow([one])[0] for one in items(pre)]
    for cache in (None, FeatureCache(1 << 20), FeatureCache(0)):
        for one, other in zip(grow(items(pre), cache, names=("train", "validation")), alone, strict=True):
            assert_same(one, other)
    assert alone[0].losses != alone[1].losses


def test_the_frozen_prefix_of_siblings_is_computed_once_also_under_augmentation():
    group = items(RANDOM)
    grow(group)
    calls = [item.network.calls for item in group]  # pyright: ignore[reportAttributeAccessIssue]
    spent = 3 * (64 + 64)  # training images, and a chunk of 64 for the 37 of validation
    assert sum(one["embedding"] for one in calls) == spent
    assert sum(one["block.0"] for one in calls[:2]) == spent


def test_a_later_job_group_finds_what_an_earlier_one_computed():
    cache = FeatureCache(1 << 20)
    grow(items(PLAIN), cache, names=("train", "validation"))
    later = items(PLAIN)
    outcomes = grow(later, cache, names=("train", "validation"))
    assert all(item.network.calls["embedding"] == 0 for item in later)  # pyright: ignore[reportAttributeAccessIssue]
    for one, other in zip(outcomes, grow(items(PLAIN)), strict=True):
        assert_same(one, other)


def test_one_that_fails_does_not_hold_up_the_others():
    group = [
        TrainItem(ToyNetwork(("head",)), recipe(PLAIN, 1e38, clip_norm=None, schedule="constant"), names=SHARED),
        TrainItem(ToyNetwork(("head",)), recipe(PLAIN), names=SHARED),
    ]
    calls: list[tuple[int, int]] = []
    failed, fine = grow(group, on_cycle=lambda child, cycle, _: calls.append((child, cycle)))
    assert failed.rejected is not None
    assert fine.rejected is None
    assert [entry for entry in calls if entry[0] == 1] == [(1, 0), (1, 1), (1, 2)]
    assert_same(fine, grow([group_of_one()])[0])


def group_of_one() -> TrainItem:
    return TrainItem(ToyNetwork(("head",)), recipe(PLAIN), names=SHARED)


def test_seconds_are_shared_and_each_has_its_own():
    outcomes = grow(items(RANDOM))
    assert all(outcome.train_seconds > 0 and outcome.validation_seconds > 0 for outcome in outcomes)


def test_siblings_of_other_batches_are_refused():
    with pytest.raises(InputError, match="preprocessing"):
        grow([items(PLAIN)[0], items(RANDOM)[1]])
    with pytest.raises(InputError, match="batch_size"):
        grow([group_of_one(), TrainItem(ToyNetwork(("head",)), recipe(PLAIN, batch_size=5))])


def session(group: list[TrainItem], pre: Preprocessing, cache: FeatureCache | None) -> TrainingSession:
    return TrainingSession(
        group, TRAIN, VALIDATION, (0, "toy"), "cpu", None, cache, lambda text: None, ("train", "validation"), ""
    )


@pytest.mark.parametrize("pre", [PLAIN, RANDOM])
def test_a_training_that_pauses_ends_as_one_that_does_not(pre):
    whole = grow(items(pre))
    cache = FeatureCache(1 << 20)
    paused, beside = session(items(pre), pre, cache), session(items(pre), pre, cache)
    for _ in range(3):
        paused.advance(1)
        beside.advance(1)
    assert paused.finished
    paused.advance(5)  # there is nothing left
    for one, other, third in zip(paused.close(), whole, beside.close(), strict=True):
        assert_same(one, other)
        assert_same(third, other)


def test_children_can_race():
    whole = grow(items(RANDOM))
    race = session(items(RANDOM), RANDOM, None)
    race.advance(1)
    race.drop(1, "raced out")
    assert not race.finished
    race.advance(2)
    first, dropped, last = race.close()
    assert_same(first, whole[0])
    assert_same(last, whole[2])
    assert (dropped.rejected, dropped.samples, dropped.layers) == ("raced out", 64, {})
    assert dropped.accuracies == whole[1].accuracies[:1]
