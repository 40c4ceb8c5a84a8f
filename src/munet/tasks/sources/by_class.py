"""An order whose first examples are a fair share of every class: what validation and test are cut from."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

PERCENT = 5


@dataclass(frozen=True)
class Blocks:
    """How many examples the first two blocks of the order hold; the rest is for training."""

    first: int
    second: int


def by_class(labels: np.ndarray) -> tuple[np.ndarray, Blocks]:
    """A new order of examples with `labels` int64 (N,): positions int64 (N,), and its blocks.

    Either block has 5 % of each class, halves to the even number, and one image at least where the class has three: one
    for each block and one to train on. Of two images one is in the second block, a single one is in neither. Within
    the blocks and behind them the examples keep their order.
    """
    block = np.full(len(labels), 2)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        share = round(Fraction(len(places) * PERCENT, 100))
        if len(places) > 2:
            share = max(share, 1)
            block[places[:share]], block[places[share : 2 * share]] = 0, 1
        elif len(places) == 2:
            block[places[0]] = 1
    counts = np.bincount(block, minlength=3).tolist()
    return np.argsort(block, kind="stable"), Blocks(counts[0], counts[1])
