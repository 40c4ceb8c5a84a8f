"""What a model is worth, and whether it is accepted."""

import math
from collections.abc import Sequence

from munet.search.method import Method
from munet.search.parents import Candidate


def references(method: Method, root_parameters: float, root_flops: float) -> tuple[float, float | None]:
    """P and F of the score; "root" stands for the parameters and FLOPs of the root with a head of two classes."""
    parameters = root_parameters if method.parameters_reference == "root" else float(method.parameters_reference)
    if method.flops_reference is None:
        return parameters, None
    return parameters, root_flops if method.flops_reference == "root" else float(method.flops_reference)


def score(
    quality: float,
    accounted: float,
    flops: float,
    method: Method,
    parameters_reference: float,
    flops_reference: float | None,
) -> float:
    """q * s^(A/P) * s^(C/F) (mu2Net+ eq. 1); without the last factor where F is None (muNet eq. 2).

    q: validation accuracy in [0, 1]; A: accounted parameters; C: FLOPs of one image; s: the method's scale. At
    s = 0.99 a model that is accounted for P parameters loses 1 % of its quality.
    """
    exponent = accounted / parameters_reference
    if method.flops_reference is not None and flops_reference is not None:
        exponent += flops / flops_reference
    return quality * method.scale**exponent


def accepted(method: Method, score: float, parent_score: float | None) -> bool:
    """Whether a child joins the population. `parent_score` is None when the parent belongs to another task or none.

    A score that is not finite is never accepted, whoever the parent is.
    """
    if not math.isfinite(score):
        return False
    if parent_score is None:
        return True
    return score > parent_score if method.acceptance == ">" else score >= parent_score


def best_of(method: Method, population: Sequence[Candidate]) -> int:
    """Index of the model that a task retains: the highest score, the first or newest added among equals."""
    if not population:
        raise ValueError("an empty population has no best model")
    age = -1 if method.keep_best == "first" else 1
    return max(range(len(population)), key=lambda index: (population[index].score, age * population[index].order))
