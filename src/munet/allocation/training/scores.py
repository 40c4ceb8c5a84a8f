"""Scores of a network on each task, with the measures of its allocation.

Classification is measured by accuracy, regression by the coefficient of determination (1 - squared error / variance),
so that more is better for both. Evaluation draws nothing: what a task uses is what its allocation makes likelier than
not, and only that is computed.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from munet.allocation.data.tasks import Examples, TaskData
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.training.measures import similarity
from munet.errors import InputError

BATCH = 512  # examples at a time
Scores = dict[str, float]  # task -> accuracy or coefficient of determination


def task_loss(outputs: Tensor, targets: Tensor, classes: int) -> Tensor:
    """Mean cross-entropy of outputs (B, classes), or mean squared error of outputs (B, 1) where classes is 0."""
    return F.cross_entropy(outputs, targets) if classes else F.mse_loss(outputs.flatten(), targets)


@torch.no_grad()
def score(
    network: MultitaskNetwork, weights: Sequence[Tensor], number: int, task: TaskData, part: str, device: str
) -> float:
    """Of one task on a split. InputError for a split that the task lacks or that is empty."""
    examples = split(task, part)
    network.eval()
    right, squared, total, squares, count = 0, 0.0, 0.0, 0.0, len(examples)
    for inputs, targets in examples.in_order(BATCH):
        outputs, targets = network(inputs.to(device), number, weights), targets.to(device)
        if task.classes:
            right += int((outputs.argmax(dim=1) == targets).sum())
            continue
        values = targets.double()
        squared += float((outputs.flatten().double() - values).square().sum())
        total += float(values.sum())
        squares += float(values.square().sum())
    if task.classes:
        return right / count
    return 1 - squared / max(squares - total * total / count, 1e-12)


def split(task: TaskData, part: str) -> Examples:
    """InputError for a split that the task lacks or that is empty."""
    examples = task.splits.get(part)
    if examples is None or not len(examples):
        raise InputError(f"task {task.name} has no {part} examples: it has {', '.join(task.splits)}")
    return examples


@torch.no_grad()
def scores(
    network: MultitaskNetwork, allocation: Allocation, tasks: Sequence[TaskData], part: str, *, device: str = "cpu"
) -> Scores:
    """Of every task on a split, by its name."""
    return {
        task.name: score(network, allocation.evaluation_weights(number), number, task, part, device)
        for number, task in enumerate(tasks)
    }


@torch.no_grad()
def used_matrices(allocation: Allocation) -> list[np.ndarray]:
    """For each routed layer which task uses which component in evaluation, bool (T, C)."""
    return [matrix.cpu().numpy() for matrix in allocation.greedy()]


def shares(matrices: Sequence[np.ndarray], tasks: int) -> np.ndarray:
    """Share of the routed components that each task uses, (T,); 1 where nothing is routed."""
    return np.concatenate(matrices, axis=1).mean(axis=1) if matrices else np.ones(tasks)


def empty_rows(allocation: Allocation) -> int:
    """Pairs (task, layer) in which no component is likelier than not, whatever evaluation puts in their place."""
    return sum(int((matrix < 0.5).all(dim=1).sum()) for matrix in allocation.probabilities())


@torch.no_grad()
def mean_entropy(allocation: Allocation) -> float:
    """Of the allocation's binary variables in nats, between 0 (all decided) and log 2."""
    found = torch.cat([p.detach().flatten() for p in allocation.probabilities()]) if allocation.sizes else None
    if found is None:
        return 0.0
    return float((torch.special.entr(found) + torch.special.entr(1 - found)).mean())


def grouped_similarity(matrices: Sequence[np.ndarray], clusters: Sequence[str]) -> dict[str, float | None]:
    """Mean cosine similarity of what two tasks use: of pairs within a cluster and across; None without such pairs."""
    if not matrices:
        return {"within": None, "across": None}
    values = np.asarray(similarity(np.concatenate(matrices, axis=1)))
    groups: dict[str, list[float]] = {"within": [], "across": []}
    for one, other in combinations(range(len(clusters)), 2):
        groups["within" if clusters[one] == clusters[other] else "across"].append(float(values[one, other]))
    return {name: float(np.mean(held)) if held else None for name, held in groups.items()}


def mean(values: Mapping[str, float]) -> float:
    """Unweighted mean over tasks."""
    return float(np.mean(list(values.values())))


def measured(
    network: MultitaskNetwork,
    allocation: Allocation,
    tasks: Sequence[TaskData],
    *,
    part: str = "validation",
    step: int,
    device: str,
) -> dict[str, Any]:
    """What one line of metrics.jsonl says, but for its round and losses. Without such a split: no scores."""
    matrices = used_matrices(allocation)
    used = shares(matrices, len(tasks))
    line: dict[str, Any] = {
        "fraction_used": float(used.mean()),
        "used": {task.name: float(share) for task, share in zip(tasks, used, strict=True)},
        "similarity": grouped_similarity(matrices, [task.cluster for task in tasks]),
        "entropy": mean_entropy(allocation),
        "empty_rows": empty_rows(allocation),
    }
    temperature = getattr(allocation, "temperature", None)
    line["temperature"] = None if temperature is None else float(temperature(step))
    if all(part in task.splits for task in tasks):
        found = scores(network, allocation, tasks, part, device=device)
        line |= {part: found, f"mean_{part}": mean(found)}
    return line
