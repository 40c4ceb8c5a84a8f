"""How a parent is chosen.

A candidate that already gave n children for the active task is accepted with probability 0.5^n (muNet eq. 1), so the
search turns from exploiting the best model to exploring the others by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from munet.search.method import Method


@dataclass(frozen=True)
class Candidate:
    """A model of the active task: its id, its score, and its place in the order in which models were added."""

    id: str
    score: float
    order: int


def sample_parent(
    method: Method,
    active: Sequence[Candidate],
    others: Sequence[str],
    selections: Mapping[str, int],
    rng: np.random.Generator,
    *,
    root: str | None = None,
) -> str:
    """Id of the parent of the next child.

    `active` is the population of the active task, `others` the root and what other, public tasks retained;
    `selections` counts, for the active task, the children made from a model (absent: none). Candidates are visited in
    this order, and the draws fall in the same order:

    - "half-life" (muNet): active by descending score, equal scores by age; one draw each, until one accepts. If none
      does: uniform over active and others.
    - "half-life-all" (mu2Net+ Algorithm 1): after the active ones, one permutation of the others, then one draw each.
    - "root": the root, without a draw; `root` must be given.

    Raises ValueError when there is nothing to choose from.
    """
    if method.parents == "root":
        if root is None:
            raise ValueError("parents = 'root' needs the id of the root")
        return root
    by_score = [candidate.id for candidate in sorted(active, key=lambda one: (-one.score, one.order))]
    for model in by_score:
        if _accepts(model, selections, rng):
            return model
    if method.parents == "half-life-all":
        for position in rng.permutation(len(others)):
            model = others[int(position)]
            if _accepts(model, selections, rng):
                return model
    everything = [*by_score, *others]
    if not everything:
        raise ValueError("no model to choose a parent from")
    return everything[int(rng.integers(len(everything)))]


def _accepts(model: str, selections: Mapping[str, int], rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5 ** selections.get(model, 0))


def seed_parent(method: Method, others: Sequence[str], position: int, *, root: str) -> str | None:
    """Parent of child number `position` (from 0) of a task iteration while muNet's seed pass lasts, else None.

    The published code of muNet first gives every other model, the newest first and the root last, one child without
    any mutation (`search.mutations.seed_child`). `others` is in the order in which the models were added.
    """
    if not method.seed_pass:
        return None
    seeds = [model for model in reversed(others) if model != root] + [root]
    return seeds[position] if position < len(seeds) else None
