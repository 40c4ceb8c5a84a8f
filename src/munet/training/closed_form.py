"""A linear head in closed form: the discriminant of Gaussian classes with one covariance (Fisher 1936), shrunk
(Friedman 1989) and scaled by a temperature (Guo et al. 2017). Nothing is trained: it takes one pass over features.

    mu_c   mean of class c                          n_c  its number of examples
    S      pooled covariance within the classes
    S_l    (1 - l) S + l (tr S / D) I               l    shrinkage
    w_c    T S_l^-1 (mu_c - mu)                     T    temperature
    b_c    T (log pi_c - (mu_c + mu)' S_l^-1 (mu_c - mu) / 2), pi_c = (n_c + 1) / (n + C)

Shrinkage and temperature are those under which examples that were held out are likeliest. All in float64: equal
features give equal bits.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SHRINKAGES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
TEMPERATURES = (0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_FEW = 0.3  # least shrinkage where there are fewer examples than features: what is held out is no guide there (ours)
_FOLDS = 5
_ONE_CUT = 2000  # examples from which a single cut in five tells as much as five of them


@dataclass(frozen=True)
class Evidence:
    """How well a closed-form head answers for examples that it has not seen."""

    shrinkage: float
    temperature: float
    nll: float  # mean negative log-likelihood in nats
    error: float  # share of wrong answers
    examples: int  # held out

    @property
    def accuracy(self) -> float:
        return 1 - self.error


@dataclass(frozen=True)
class Statistics:
    """What a head needs of features (N, D) with labels (N,): counts, means, the covariance within classes."""

    counts: Tensor  # (C,)
    means: Tensor  # (C, D); the mean of all where a class has no example
    mean: Tensor  # (D,)
    values: Tensor  # (D,) eigenvalues of the pooled covariance, ascending
    vectors: Tensor  # (D, D) its eigenvectors in columns

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, classes: int) -> "Statistics":
        x, width = features.double(), features.shape[1]
        counts = torch.bincount(labels, minlength=classes).double()
        sums = torch.zeros(classes, width, dtype=torch.float64).index_add_(0, labels, x)
        mean = x.mean(0)
        means = torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], mean)
        centred = x - means[labels]
        degrees = max(len(x) - int((counts > 0).sum()), 1)
        values, vectors = torch.linalg.eigh(centred.T @ centred / degrees)
        return cls(counts, means, mean, values.clamp(min=0), vectors)

    def head(self, shrinkage: float, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Weight (C, D) and bias (C,) in float64."""
        average = self.values.mean()
        # features that are all equal leave no covariance: then every direction counts the same
        spread = (1 - shrinkage) * self.values + shrinkage * (average if average > 0 else 1.0)
        turned = (self.means - self.mean) @ self.vectors
        weight = (turned / spread) @ self.vectors.T
        middle = (self.means + self.mean) / 2
        prior = torch.log((self.counts + 1) / (self.counts.sum() + len(self.counts)))
        return temperature * weight, temperature * (prior - (middle * weight).sum(1))


def fit(features: Tensor, labels: Tensor, classes: int, evidence: Evidence, factor: float = 1.0) -> dict[str, Tensor]:
    """The head of all examples, as a layer: float32 `weight` (C, D) and `bias` (C,).

    `features` (N, D), or (N, V, D) of V views of each example, `labels` int64 (N,).
    `factor` times the temperature of the evidence: training goes better from answers that are less sure (ours).
    """
    statistics = _statistics(_views(features), labels, classes)
    weight, bias = statistics.head(evidence.shrinkage, factor * evidence.temperature)
    return {"weight": weight.float(), "bias": bias.float()}


def hold_out(features: Tensor, labels: Tensor, classes: int, rng: np.random.Generator) -> Evidence:
    """The shrinkage and temperature under which held-out examples are likeliest: five folds, one where there are many.

    `features` (N, D) on the CPU, or (N, V, D) of V views of each example, `labels` int64 (N,). All views of an example
    are held out together, and the head is asked about the first, which is the example as it is. With fewer than five
    examples nothing can be held out: then the evidence is that of guessing.
    """
    views = _views(features)
    few = len(views) < views.shape[2]
    folds = [
        (_statistics(views[kept], labels[kept], classes), views[out, 0].double(), labels[out])
        for kept, out in _cuts(labels.numpy(), rng)
    ]
    held = sum(len(wanted) for _, _, wanted in folds)
    if not held:
        return Evidence(0.9, TEMPERATURES[0], float(np.log(max(classes, 2))), 1 - 1 / max(classes, 1), 0)
    best, column = Evidence(0.9, TEMPERATURES[0], math.inf, 1.0, held), len(TEMPERATURES) // 2
    for shrinkage in SHRINKAGES:
        if few and shrinkage < _FEW:
            continue
        answers = [(_logits(statistics, x, shrinkage), wanted) for statistics, x, wanted in folds]
        column, loss = _likeliest(answers, column)  # neighbours want much the same temperature
        if loss / held < best.nll:
            wrong = sum(int((logits.argmax(1) != wanted).sum()) for logits, wanted in answers)
            best = Evidence(shrinkage, TEMPERATURES[column], loss / held, wrong / held, held)
    return best


def _logits(statistics: Statistics, x: Tensor, shrinkage: float) -> Tensor:
    weight, bias = statistics.head(shrinkage)
    return x @ weight.T + bias


def _likeliest(answers: Sequence[tuple[Tensor, Tensor]], start: int) -> tuple[int, float]:
    """The number of the temperature with the least loss of (logits, labels), the first of equal ones, and that loss.

    The loss is convex in the temperature, so that going downhill from any `start` finds it: with a thousand classes the
    losses of all temperatures take most of the time that a head takes.
    """

    @cache
    def loss(number: int) -> float:
        losses = (F.cross_entropy(z * TEMPERATURES[number], wanted, reduction="sum") for z, wanted in answers)
        return float(sum(losses))

    at = start
    while at + 1 < len(TEMPERATURES) and loss(at + 1) < loss(at):
        at += 1
    while at > 0 and loss(at - 1) <= loss(at):
        at -= 1
    return at, loss(at)


def _views(features: Tensor) -> Tensor:
    """(N, V, D), also where there is one view of each example."""
    return features.reshape(len(features), -1, features.shape[-1])


def _statistics(views_NVD: Tensor, labels: Tensor, classes: int) -> Statistics:
    """Of all views alike, each with the label of its example."""
    return Statistics.of(views_NVD.flatten(0, 1), labels.repeat_interleave(views_NVD.shape[1]), classes)


def _cuts(labels: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """(kept, held out) rows. Classes are spread over the folds: none is missing where it has two examples."""
    if len(labels) < _FOLDS:
        return
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % _FOLDS
    for number in range(1 if len(labels) >= _ONE_CUT else _FOLDS):
        yield np.flatnonzero(fold != number).tolist(), np.flatnonzero(fold == number).tolist()
