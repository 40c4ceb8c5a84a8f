"""Pairs of regression tasks whose relatedness is chosen (arXiv 1910.04915, its published generator; the construction
is that of MMoE, Ma et al. 2018).

The weight vectors of a pair have the cosine rho, those of different pairs 0. What the paper did with this data, its
sizes, numbers of pairs and rho, is not known: the defaults are ours.
"""

import math
from pathlib import Path

import numpy as np

from munet.allocation.data.examples import Examples
from munet.allocation.data.tasks import TaskData
from munet.errors import InputError
from munet.rng import numpy_rng


def synthetic(
    data: Path | None = None,
    *,
    seed: int = 0,
    pairs: int = 2,
    dimension: int = 64,
    correlation: float = 1.0,
    scale: float = 1.0,
    sines: int = 10,
    noise: float = 0.01,
    train: int = 10_000,
    validation: int = 2_000,
    test: int = 2_000,
) -> list[TaskData]:
    """2 `pairs` regression tasks on the same inputs x ~ N(0, I), float32 (n, `dimension`); classes is 0.

    y = w.x + sum over i = 1..`sines` of sin(i w.x + (i - 1)^2) + e, e ~ N(0, `noise`^2), with the w of `pair_weights`.
    Everything is drawn from `seed`; `data` is not used. InputError for values that cannot be.
    """
    sizes = {"train": train, "validation": validation, "test": test}
    _check(pairs, dimension, correlation, scale, sines, noise, sizes)
    weights = pair_weights(pairs, dimension, correlation, scale, numpy_rng(seed, "synthetic", "weights"))
    inputs, targets = {}, {}
    for part, count in sizes.items():  # a stream for each, so that the size of one leaves the others as they are
        drawn = numpy_rng(seed, "synthetic", part)
        x = drawn.standard_normal((count, dimension))
        y = responses(x @ weights.T, sines) + noise * drawn.standard_normal((count, 2 * pairs))
        inputs[part], targets[part] = x.astype(np.float32), y.T.astype(np.float32)
    return [
        TaskData(
            f"pair{task // 2}-{'ab'[task % 2]}",
            f"pair{task // 2}",
            0,
            {part: Examples(inputs[part], targets[part][task]) for part in sizes},
        )
        for task in range(2 * pairs)
    ]


def pair_weights(
    pairs: int, dimension: int, correlation: float, scale: float, generator: np.random.Generator
) -> np.ndarray:
    """Weight vectors float64 (2 pairs, dimension), the two of a pair one after the other, all of length `scale`.

    w1 = scale u1 and w2 = scale (rho u1 + sqrt(1 - rho^2) u2), where u1, u2 of all pairs are rows of a random
    orthogonal matrix; so the cosine is rho in a pair and 0 across.
    """
    rows = orthogonal(dimension, generator)[: 2 * pairs].reshape(pairs, 2, dimension)
    second = correlation * rows[:, 0] + math.sqrt(1 - correlation**2) * rows[:, 1]
    return scale * np.stack([rows[:, 0], second], axis=1).reshape(2 * pairs, dimension)


def orthogonal(dimension: int, generator: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix float64 (d, d), uniform over all of them (Haar).

    QR of a Gaussian matrix, with the signs that make the diagonal of R positive: without them the result depends on
    the routine's own choice of signs and is not uniform.
    """
    q, r = np.linalg.qr(generator.standard_normal((dimension, dimension)))
    return q * np.sign(np.diag(r))


def responses(projected: np.ndarray, sines: int) -> np.ndarray:
    """s + sum of sin(i s + (i - 1)^2) for i = 1..`sines`, for every s of `projected`."""
    summed = projected.copy()
    for i in range(1, sines + 1):
        summed += np.sin(i * projected + (i - 1) ** 2)
    return summed


def _check(
    pairs: int, dimension: int, correlation: float, scale: float, sines: int, noise: float, sizes: dict[str, int]
) -> None:
    if pairs < 1:
        raise InputError(f"pairs {pairs}: give 1 or more")
    if dimension < 2 * pairs:
        raise InputError(f"dimension {dimension}: {pairs} pairs need at least {2 * pairs}, two directions for each")
    if not 0 <= correlation <= 1:
        raise InputError(f"correlation {correlation}: give a number from 0 (unrelated) to 1 (the same weights)")
    if not (math.isfinite(scale) and scale > 0):
        raise InputError(f"scale {scale}: give a number above 0")
    if sines < 0:
        raise InputError(f"sines {sines}: give 0 or more")
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise {noise}: give a standard deviation of 0 or more")
    for part, count in sizes.items():
        if count < 1:
            raise InputError(f"{part} {count}: give 1 example or more")
