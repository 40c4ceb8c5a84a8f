"""A learned allocation that never leaves a layer empty in evaluation."""

import torch
from torch import Tensor
from torch.nn import functional as F

from munet.allocation.routing.allocations import LearnedAllocation


class FallbackAllocation(LearnedAllocation):
    """As LearnedAllocation, but where no component of a pool is likelier than not its likeliest one is used.

    Only evaluation and what is reported of the allocation change; an empty sample of a training step stays empty. The
    published code passes zeros on there.
    """

    @torch.no_grad()
    def greedy(self) -> list[Tensor]:
        found = []
        for matrix, probabilities in zip(super().greedy(), self.probabilities(), strict=True):
            likeliest = F.one_hot(probabilities.argmax(dim=1), probabilities.shape[1]).bool()
            found.append(matrix | (likeliest & ~matrix.any(dim=1, keepdim=True)))
        return found
