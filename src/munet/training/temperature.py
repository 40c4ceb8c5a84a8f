"""A temperature for the answers of a model, so that probabilities say how often they are right (Guo et al. 2017).

    p = softmax(logits / T)      T minimises  sum_i -log p_i(y_i)  +  (log T)^2 / (2 s^2),  s = 0.5

over examples that were not trained on. The second term (ours) is what is expected of T before anything was seen: of a
few examples, all of them right, the first alone would have T go to 0.
"""

import math

from torch import Tensor

_SPREAD = 0.5  # of log T
_LOWEST, _HIGHEST = math.log(0.05), math.log(20.0)
_MOST_STEPS = 60  # of Newton's method, and of bisection where that leaves the bounds; four to eight are enough
_CLOSE = 1e-9  # of log T


def fit_temperature(logits_NC: Tensor, labels: Tensor) -> float:
    """T for logits of any float type with labels int64 (N,); four digits. 1.0 where there is no finite logit.

    Labels that the logits have no column for are left out, and so are rows that are not finite.
    """
    good = logits_NC.isfinite().all(dim=1) & (labels < logits_NC.shape[1])
    logits, wanted = logits_NC[good].double().cpu(), labels[good].cpu()
    if not len(logits):
        return 1.0

    low, high, log_t = _LOWEST, _HIGHEST, 0.0
    for _ in range(_MOST_STEPS):
        slope, curvature = _slope(logits, wanted, log_t)
        low, high = (log_t, high) if slope < 0 else (low, log_t)  # the loss falls, then rises
        step = slope / curvature if curvature > 0 else math.inf
        inside = low < log_t - step < high
        log_t = log_t - step if inside else (low + high) / 2
        if (inside and abs(step) < _CLOSE) or high - low < _CLOSE:
            break
    return float(f"{math.exp(log_t):.4g}")


def _slope(logits: Tensor, wanted: Tensor, log_t: float) -> tuple[float, float]:
    """First and second derivative of the loss by log T."""
    beta = math.exp(-log_t)
    weighted = (logits * beta).softmax(1) * logits
    mean, square = weighted.sum(1), (weighted * logits).sum(1)
    by_beta = float((mean - logits.gather(1, wanted[:, None])[:, 0]).sum())
    spread = float((square - mean * mean).sum())
    return log_t / _SPREAD**2 - beta * by_beta, 1 / _SPREAD**2 + beta * by_beta + beta * beta * spread
