"""Pairs of regression tasks: the cosine that was asked for, nothing across pairs, the formula, the seed."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.allocation.data import load
from munet.allocation.data.synthetic import orthogonal, pair_weights, responses
from munet.errors import InputError

SMALL: dict[str, Any] = {"train": 300, "validation": 50, "test": 60}


@given(st.integers(1, 4), st.integers(0, 20), st.floats(0, 1), st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_cosines_of_the_weights(pairs: int, more: int, correlation: float, scale: float, seed: int):
    weights = pair_weights(pairs, 2 * pairs + more, correlation, scale, np.random.default_rng(seed))
    cosines = weights @ weights.T / scale**2
    wanted = np.kron(np.eye(pairs), np.array([[1, correlation], [correlation, 1]]))
    np.testing.assert_allclose(cosines, wanted, atol=1e-10)


def test_orthogonal_matrices_are_uniform():
    drawn = np.stack([orthogonal(3, np.random.default_rng(seed)) for seed in range(2000)])
    np.testing.assert_allclose(drawn @ drawn.transpose(0, 2, 1), np.broadcast_to(np.eye(3), drawn.shape), atol=1e-12)
    # under the Haar measure every entry has mean 0 and variance 1/3; without the sign fix the diagonal's mean is not 0
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=5 * np.sqrt(1 / 3 / 2000))
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.035)


def test_responses_are_the_formula():
    s = np.linspace(-2, 2, 9)
    by_hand = s + np.sin(s) + np.sin(2 * s + 1) + np.sin(3 * s + 4)
    np.testing.assert_allclose(responses(s, 3), by_hand)
    np.testing.assert_array_equal(responses(s, 0), s)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
def test_the_cosine_can_be_measured_in_the_data(correlation: float):
    tasks = load("synthetic", seed=3, correlation=correlation, sines=0, noise=0.0, dimension=16, **SMALL)
    fitted = []
    for task in tasks:
        examples = task.splits["train"]
        fitted.append(np.linalg.lstsq(examples.inputs.astype(float), examples.targets.astype(float), rcond=None)[0])
    weights = np.stack(fitted)
    np.testing.assert_allclose(weights @ weights.T, np.kron(np.eye(2), [[1, correlation], [correlation, 1]]), atol=1e-5)


def test_tasks_splits_and_shared_inputs():
    tasks = load("synthetic", seed=0, **SMALL)
    assert [task.name for task in tasks] == ["pair0-a", "pair0-b", "pair1-a", "pair1-b"]
    assert [task.cluster for task in tasks] == ["pair0", "pair0", "pair1", "pair1"]
    assert {task.classes for task in tasks} == {0}
    for part, count in SMALL.items():
        assert {len(task.splits[part]) for task in tasks} == {count}
        assert len({id(task.splits[part].inputs) for task in tasks}) == 1
    inputs, targets = tasks[0].splits["train"].batch([5, 6])
    assert (tuple(inputs.shape), tuple(targets.shape)) == ((2, 64), (2,))
    parts = [tasks[0].splits[part].inputs[:50] for part in SMALL]
    assert not any(np.array_equal(one, other) for one, other in pairwise(parts))


def test_related_fully_means_equal_but_for_the_noise():
    one, other, third, _ = (task.splits["train"].targets for task in load("synthetic", seed=1, **SMALL))
    difference = one - other
    assert 0.008 * np.sqrt(2) < difference.std() < 0.012 * np.sqrt(2)
    assert np.corrcoef(one, third)[0, 1] < 0.3


def test_the_seed_decides_everything():
    def targets(seed: int) -> np.ndarray:
        return np.stack([task.splits["test"].targets for task in load("synthetic", seed=seed, **SMALL)])

    np.testing.assert_array_equal(targets(4), targets(4))
    assert not np.array_equal(targets(4), targets(5))


def test_default_sizes():
    sizes = {part: len(examples) for part, examples in load("synthetic", seed=0, pairs=1)[0].splits.items()}
    assert sizes == {"train": 10_000, "validation": 2_000, "test": 2_000}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pairs": 0}, "pairs 0"),
        ({"pairs": 3, "dimension": 5}, "dimension 5: 3 pairs need at least 6"),
        ({"correlation": 1.5}, "correlation 1.5"),
        ({"correlation": float("nan")}, "correlation nan"),
        ({"scale": 0.0}, "scale 0.0"),
        ({"sines": -1}, "sines -1"),
        ({"noise": -0.1}, "noise -0.1"),
        ({"validation": 0}, "validation 0"),
    ],
)
def test_values_that_cannot_be(given: dict, said: str):
    with pytest.raises(InputError) as caught:
        load("synthetic", **given)
    assert said in str(caught.value)
