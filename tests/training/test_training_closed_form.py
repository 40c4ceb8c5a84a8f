"""Heads in closed form, against scipy's idea of a Gaussian, and where there is little to go by."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.nn.functional import cross_entropy

from munet.training.closed_form import SHRINKAGES, TEMPERATURES, Statistics, _cuts, fit, hold_out


def gaussians(seed: int, counts: tuple[int, ...], width: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Examples of classes with different means and one covariance."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(width, width)) / 2
    centres = rng.normal(size=(len(counts), width)) * 1.5
    labels = np.repeat(np.arange(len(counts)), counts)
    features = centres[labels] + rng.normal(size=(len(labels), width)) @ mixing
    return torch.from_numpy(features).float(), torch.from_numpy(labels)


def test_it_is_the_posterior_of_gaussian_classes() -> None:
    x, y = gaussians(0, (40, 25, 60))
    weight, bias = Statistics.of(x, y, 3).head(shrinkage=0.0)
    found = (x.double() @ weight.T + bias).softmax(1).numpy()
    means = np.stack([x[y == c].double().numpy().mean(0) for c in range(3)])
    centred = x.double().numpy() - means[y.numpy()]
    covariance = centred.T @ centred / (len(x) - 3)
    priors = (np.array([40, 25, 60]) + 1) / (125 + 3)
    density = np.stack([multivariate_normal(means[c], covariance).pdf(x.numpy()) * priors[c] for c in range(3)], 1)  # pyright: ignore[reportArgumentType]
    assert found == pytest.approx(density / density.sum(1, keepdims=True), abs=1e-9)


def test_shrinkage_one_measures_plain_distance() -> None:
    x, y = gaussians(1, (30, 30))
    statistics = Statistics.of(x, y, 2)
    weight, _ = statistics.head(shrinkage=1.0)
    assert weight.numpy() == pytest.approx(((statistics.means - statistics.mean) / statistics.values.mean()).numpy())


def test_the_same_features_give_the_same_bits() -> None:
    x, y = gaussians(2, (50, 50, 50, 50))
    first, second = (hold_out(x, y, 4, np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert torch.equal(fit(x, y, 4, first)["weight"], fit(x, y, 4, second)["weight"])


def test_evidence_tells_good_features_from_noise() -> None:
    x, y = gaussians(4, (100, 100, 100))
    good = hold_out(x, y, 3, np.random.default_rng(0))
    noise = hold_out(torch.from_numpy(np.random.default_rng(1).normal(size=x.shape)), y, 3, np.random.default_rng(0))
    assert good.error < 0.15
    assert noise.error > 0.5
    assert good.nll < 0.5 < noise.nll
    assert noise.nll == pytest.approx(np.log(3), abs=0.15), "what is not known is not claimed"
    assert (good.examples, good.shrinkage in SHRINKAGES, good.temperature in TEMPERATURES) == (300, True, True)


@pytest.mark.parametrize(("spread", "examples"), [(0.05, 300), (1.0, 300), (1.0, 2500), (20.0, 300)])
def test_no_shrinkage_and_temperature_is_likelier_than_those_found(spread: float, examples: int) -> None:
    rng, classes, width = np.random.default_rng(7), 6, 20
    labels = torch.from_numpy(rng.integers(0, classes, examples))
    features = torch.from_numpy(rng.normal(size=(classes, width)))[labels] + spread * torch.from_numpy(
        rng.normal(size=(examples, width))
    )
    found = hold_out(features, labels, classes, np.random.default_rng(0))
    losses = np.zeros((len(SHRINKAGES), len(TEMPERATURES)))
    for kept, out in _cuts(labels.numpy(), np.random.default_rng(0)):
        statistics = Statistics.of(features[kept], labels[kept], classes)
        for row, shrinkage in enumerate(SHRINKAGES):
            weight, bias = statistics.head(shrinkage)
            for column, temperature in enumerate(TEMPERATURES):
                answers = (features[out] @ weight.T + bias) * temperature
                losses[row, column] += cross_entropy(answers, labels[out], reduction="sum").item()
    row, column = np.unravel_index(losses.argmin(), losses.shape)
    assert (found.shrinkage, found.temperature) == (SHRINKAGES[row], TEMPERATURES[column])
    assert found.nll * found.examples == pytest.approx(losses.min())


def test_all_views_of_an_example_are_held_out_together() -> None:
    noise, y = torch.from_numpy(np.random.default_rng(1).normal(size=(200, 64))), torch.arange(200) % 4
    views = torch.stack([noise, noise + 0.01, noise - 0.01], dim=1)
    assert hold_out(views, y, 4, np.random.default_rng(0)).error > 0.5, "another view of the same image was not seen"


def test_views_that_say_nothing_new_give_the_same_head() -> None:
    x, y = gaussians(7, (12, 12, 12), width=24)
    evidence = hold_out(x, y, 3, np.random.default_rng(0))
    once, twice = (fit(features, y, 3, evidence)["weight"] for features in (x, torch.stack([x, x], dim=1)))
    assert torch.nn.functional.cosine_similarity(once.flatten(), twice.flatten(), dim=0) > 0.99


@pytest.mark.parametrize(
    ("counts", "classes"),
    [((1, 1, 1, 1, 1, 1), 6), ((1, 9), 2), ((5, 0, 5), 3), ((7,), 1), ((3,), 1), ((40, 40), 2000)],
)
def test_few_examples_and_many_classes_give_finite_heads(counts: tuple[int, ...], classes: int) -> None:
    x, y = gaussians(5, counts, width=16)
    evidence = hold_out(x, y, classes, np.random.default_rng(0))
    head = fit(x, y, classes, evidence, factor=0.5)
    assert head["weight"].shape == (classes, 16)
    assert bool(head["weight"].isfinite().all())
    assert bool(head["bias"].isfinite().all())
    assert np.isfinite(evidence.nll)


def test_images_that_are_all_alike_give_the_most_frequent_class() -> None:
    x, y = torch.ones(30, 8), torch.tensor([0] * 10 + [1] * 20)
    evidence = hold_out(x, y, 2, np.random.default_rng(0))
    head = fit(x, y, 2, evidence)
    assert int((x[:1] @ head["weight"].T + head["bias"]).argmax()) == 1
    assert evidence.error == pytest.approx(1 / 3)
