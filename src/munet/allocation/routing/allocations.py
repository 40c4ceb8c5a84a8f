"""Which components each task uses: fixed by hand, or learned by gradient (arXiv 1910.04915, sec. 3)."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.errors import InputError
from munet.model.pools.pool import combined

SMALLEST = 1e-4  # probabilities start at least this far from 0 and 1: beyond it a connection hardly ever changes


class Allocation(nn.Module, ABC):
    """Binary matrices (tasks, components), one for each routed pool; a row holds for every example of a task.

    `tasks` are the names, `sizes` the number of components of each routed pool, in the order of the network.
    """

    def __init__(self, tasks: Sequence[str], sizes: Sequence[int], normalize: bool) -> None:
        super().__init__()
        self.tasks, self.sizes, self.normalize = tuple(tasks), tuple(int(size) for size in sizes), normalize
        if not self.tasks:
            raise InputError("an allocation needs at least one task, and none is given: pass the tasks' names")
        twice = [name for name, count in Counter(self.tasks).items() if count > 1]
        if twice:
            raise InputError(f"two tasks are named {twice[0]!r}: give each task its own name")
        for number, size in enumerate(self.sizes):
            if size < 2:
                raise InputError(f"pool {number} has {size} components: a routed pool has 2 or more")

    @abstractmethod
    def row_probabilities(self, task: int) -> list[Tensor]:
        """Of each pool, (C,): how likely the task uses each component; with gradient where it is learned."""

    @abstractmethod
    def greedy(self) -> list[Tensor]:
        """Of each pool, bool (T, C): what is used without noise; a probability of 0.5 is on."""

    @abstractmethod
    def weights(self, task: int, *, step: int, generator: torch.Generator) -> list[Tensor]:
        """Of each pool, (C,): weights of a training step; `step` counts the updates so far, over all tasks."""

    def entropy(self, task: int) -> Tensor:
        """Sum over the task's connections of their entropy in nats; 0 where nothing is uncertain."""
        return torch.zeros(())

    def evaluation_weights(self, task: int) -> list[Tensor]:
        """Of each pool, (C,): weights without noise, equal at any step."""
        self._check(task)
        dtype = next((t.dtype for t in self.state_dict().values()), torch.float32)
        return [combined(matrix[task].to(dtype), self.normalize) for matrix in self.greedy()]

    def probabilities(self) -> list[Tensor]:
        """Of each pool, (T, C), without gradient."""
        with torch.no_grad():
            rows = [self.row_probabilities(task) for task in range(len(self.tasks))]
        return [torch.stack(column) for column in zip(*rows, strict=True)]

    def fraction_used(self, task: int | None = None) -> float:
        """Share of the routed components that are on, of one task or the mean of all; 1 where nothing is routed."""
        if task is not None:
            self._check(task)
        if not self.sizes:
            return 1.0
        on = torch.cat(self.greedy(), dim=1)
        return float((on if task is None else on[task]).double().mean())

    def _check(self, task: int) -> None:
        if not 0 <= task < len(self.tasks):
            raise InputError(f"task {task}: this allocation has tasks 0 to {len(self.tasks) - 1}")


class FixedAllocation(Allocation):
    """Matrices given by hand, (T, C) of 0 and 1 for each routed pool. Nothing is learned.

    `normalize` divides the sum of the active components by their number; the published shared bottom does not.
    """

    def __init__(self, tasks: Sequence[str], matrices: Sequence[Tensor | Sequence], normalize: bool) -> None:
        found = [torch.as_tensor(matrix, dtype=torch.float32).clone() for matrix in matrices]
        for number, matrix in enumerate(found):
            if matrix.ndim != 2 or len(matrix) != len(tasks):
                raise InputError(
                    f"matrix {number} has shape {tuple(matrix.shape)}: it needs a row for each of {len(tasks)} tasks"
                )
            wrong = matrix[(matrix != 0) & (matrix != 1)]
            if len(wrong):
                raise InputError(f"matrix {number} holds {wrong[0].item():g}: entries are 0 (off) or 1 (on)")
        super().__init__(tasks, [matrix.shape[1] for matrix in found], normalize)
        for number, matrix in enumerate(found):
            self.register_buffer(f"matrix_{number}", matrix)

    @classmethod
    def no_sharing(cls, tasks: Sequence[str], sizes: Sequence[int]) -> "FixedAllocation":
        """Component t of every pool belongs to task t alone; pools have as many components as there are tasks."""
        for number, size in enumerate(sizes):
            if size != len(tasks):
                raise InputError(
                    f"no_sharing: pool {number} has {size} components for {len(tasks)} tasks; it gives one to each "
                    "task, so make the numbers equal or choose another method"
                )
        return cls(tasks, [torch.eye(len(tasks)) for _ in sizes], normalize=False)

    @classmethod
    def shared_bottom(cls, tasks: Sequence[str], sizes: Sequence[int], normalize: bool = False) -> "FixedAllocation":
        """Every task uses everything. The published code sums the components; `normalize` takes their mean."""
        return cls(tasks, [torch.ones(len(tasks), size) for size in sizes], normalize)

    def _matrices(self) -> list[Tensor]:
        return [self.get_buffer(f"matrix_{number}") for number in range(len(self.sizes))]

    def row_probabilities(self, task: int) -> list[Tensor]:
        self._check(task)
        return [matrix[task] for matrix in self._matrices()]

    def greedy(self) -> list[Tensor]:
        return [matrix > 0 for matrix in self._matrices()]

    def weights(self, task: int, *, step: int, generator: torch.Generator) -> list[Tensor]:
        return self.evaluation_weights(task)


class LearnedAllocation(Allocation):
    """A probability for each task and component, learned by straight-through binary Gumbel samples.

    A connection is on with probability p = sigmoid(delta). A training step draws each connection of its task once:
    hard = [delta + noise >= 0] with noise ~ Logistic(0, 1). Forward it is hard, backward it is
    soft = sigmoid((delta + noise) / temperature), whose slope is soft (1 - soft) / temperature. The temperature never
    changes what is drawn.

    `initial_probability` is one number or a matrix (T, C) for each pool, inside (0, 1); what lies nearer than 1e-4 to
    an end starts there. `two_logits` keeps a logit for "on" and one for "off", as published; the default keeps delta.
    Under Adam both logits move, so delta alone needs `learning_rate_factor` times the rate to move as far.

    The parameter `logits` holds all connections, (T, N) or (T, N, 2); rows of other tasks get gradients of zero.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        sizes: Sequence[int],
        initial_probability: float | Sequence[Tensor | Sequence] = 0.5,
        temperature_init: float = 50.0,
        temperature_min: float = 0.5,
        normalize: bool = True,
        two_logits: bool = False,
    ) -> None:
        super().__init__(tasks, sizes, normalize)
        for name, value in (("temperature_init", temperature_init), ("temperature_min", temperature_min)):
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} is {value}: a temperature is greater than 0")
        self.temperature_init, self.temperature_min = temperature_init, temperature_min
        self.two_logits = two_logits
        p = self._initial(initial_probability)
        on, off = p.log(), (-p).log1p()
        self.logits = nn.Parameter((torch.stack([on, off], dim=-1) if two_logits else on - off).float())

    def _initial(self, given: float | Sequence[Tensor | Sequence]) -> Tensor:
        """Probabilities (T, N) inside (0, 1)."""
        count = len(self.tasks)
        if isinstance(given, (int, float)):
            parts = [torch.full((count, size), float(given)) for size in self.sizes]
        else:
            parts = [torch.as_tensor(matrix, dtype=torch.float32) for matrix in given]
            shapes = [tuple(part.shape) for part in parts]
            expected = [(count, size) for size in self.sizes]
            if shapes != expected:
                raise InputError(f"initial_probability has shapes {shapes}: this allocation needs {expected}")
        p = torch.cat([torch.empty(count, 0), *parts], dim=1)
        wrong = p[~((p > 0) & (p < 1))]
        if len(wrong):
            raise InputError(f"initial_probability is {wrong[0].item():g}: it lies between 0 and 1, without the ends")
        return p.double().clamp(SMALLEST, 1 - SMALLEST)

    @property
    def learning_rate_factor(self) -> float:
        """What to multiply the rate of the published two-logit form with, under Adam: 2 with one logit."""
        return 1.0 if self.two_logits else 2.0

    def temperature(self, step: int) -> float:
        """max(least, initial / sqrt(step + 1)); `step` counts updates of single tasks, from 0."""
        return max(self.temperature_min, self.temperature_init / math.sqrt(step + 1))

    def delta(self, task: int) -> Tensor:
        """Log-odds (N,) of all connections of a task, with gradient."""
        self._check(task)
        return self._deltas(self.logits[task])

    def _deltas(self, logits: Tensor) -> Tensor:
        return logits[..., 0] - logits[..., 1] if self.two_logits else logits

    def row_probabilities(self, task: int) -> list[Tensor]:
        return list(self.delta(task).sigmoid().split(self.sizes))

    def entropy(self, task: int) -> Tensor:
        delta = self.delta(task)  # from log-odds, so that probabilities of 1 have finite gradients
        p = delta.sigmoid()
        return (p * F.softplus(-delta) + (1 - p) * F.softplus(delta)).sum()

    def weights(self, task: int, *, step: int, generator: torch.Generator) -> list[Tensor]:
        delta = self.delta(task)
        noise = logistic(len(delta), generator).to(delta)
        samples = straight_through(delta, noise, self.temperature(step))
        return [combined(sample, self.normalize) for sample in samples.split(self.sizes)]

    @torch.no_grad()
    def greedy(self) -> list[Tensor]:
        return [delta >= 0 for delta in self._deltas(self.logits).split(self.sizes, dim=1)]


def logistic(count: int, generator: torch.Generator) -> Tensor:
    """`count` draws of Logistic(0, 1): the difference of two Gumbel draws, as the published code makes them."""
    uniform = torch.rand(2, count, generator=generator, device=generator.device)
    gumbel = -torch.log(-torch.log(uniform + 1e-20) + 1e-20)
    return gumbel[0] - gumbel[1]


def straight_through(delta: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """Samples of 0 and 1 whose gradient is that of sigmoid((delta + noise) / temperature)."""
    shifted = delta + noise
    soft = torch.sigmoid(shifted / temperature)
    hard = (shifted >= 0).to(soft.dtype)
    return hard + (soft - soft.detach())
