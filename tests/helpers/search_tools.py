"""Methods with every probability 0 or 1, streams that say yes, and how often something happens to a child."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from munet.search import Method, Parent, Plan, load_method, sample_child

DRAWS = 3000


def method_of(name: str = "munet", **overrides: Any) -> Method:
    return load_method(name, overrides)


def never(**overrides: Any) -> Method:
    return method_of(mutation_probability="0", **overrides)


def always(**overrides: Any) -> Method:
    return method_of(mutation_probability="1", **overrides)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def kinds(plan: Plan) -> list[str]:
    return [mutation.kind for mutation in plan.mutations]


def share(parent: Parent, method: Method, happened: Callable[[Plan], bool], **fixed: Any) -> float:
    """Share of DRAWS children for which `happened`."""
    stream = rng(7)
    return sum(happened(sample_child(parent, method, stream, **fixed)) for _ in range(DRAWS)) / DRAWS


def near(probability: float) -> Any:
    """Within four standard deviations of a share of DRAWS."""
    return pytest.approx(probability, abs=4 * max(probability * (1 - probability) / DRAWS, 1e-9) ** 0.5)


class Counting:
    """Says yes to every decision and steps up; counts the draws."""

    def __init__(self) -> None:
        self.draws = 0

    def random(self) -> float:
        self.draws += 1
        return 0.0


def counting() -> Any:
    return Counting()
