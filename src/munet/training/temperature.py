"""A temperature for the answers of a model, so that probabilities say how often they are right (Guo et al. 2017).

    p = softmax(logits / T)      T minimises  sum_i -log p_i(y_i)  +  (log T)^2 / (2 s^2),  s = 0.5

over examples that were not trained on. The second term (ours) is what is expected of T before anything was seen: of a
few examples, all of them right, the first alone would have T go to 0.
"""

import math

from torch import Tensor
from torch.nn import functional as F

_SPREAD = 0.5  # of log T
_LOWEST, _HIGHEST = math.log(0.05), math.log(20.0)
_STEPS = 40  # of a golden section: log T to 2e-8


def fit_temperature(logits_NC: Tensor, labels: Tensor) -> float:
    """T for logits of any float type with labels int64 (N,); four digits. 1.0 where there is no finite logit.

    Labels that the logits have no column for are left out, and so are rows that are not finite.
    """
    good = logits_NC.isfinite().all(dim=1) & (labels < logits_NC.shape[1])
    logits, wanted = logits_NC[good].double().cpu(), labels[good].cpu()
    if not len(logits):
        return 1.0

    def loss(log_t: float) -> float:
        nll = F.cross_entropy(logits / math.exp(log_t), wanted, reduction="sum")
        return float(nll) + (log_t / _SPREAD) ** 2 / 2

    low, high, ratio = _LOWEST, _HIGHEST, (math.sqrt(5) - 1) / 2
    a, b = high - ratio * (high - low), low + ratio * (high - low)
    loss_a, loss_b = loss(a), loss(b)
    for _ in range(_STEPS):  # the loss falls, then rises: the minimum is between the neighbours of the smaller one
        if loss_a <= loss_b:
            high, b, loss_b = b, a, loss_a
            a = high - ratio * (high - low)
            loss_a = loss(a)
        else:
            low, a, loss_a = a, b, loss_b
            b = low + ratio * (high - low)
            loss_b = loss(b)
    return float(f"{math.exp((low + high) / 2):.4g}")
