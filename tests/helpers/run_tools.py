"""Small tasks and networks that several tests of joint runs train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from munet.allocation.data.examples import Examples
from munet.allocation.data.tasks import TaskData
from munet.allocation.network.models import initialise
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import LearnedAllocation
from munet.allocation.runs.perform import configured, perform
from munet.allocation.training.settings import Settings
from munet.model.pools.pool import Pool
from munet.model.pools.same_padding import SeededDropout

NAMES = ("red-a", "red-b", "blue-a", "blue-b")
QUICK = Settings(rounds=12, batch_size=8, learning_rate=0.01, evaluate_every=4)


def image_tasks(seed: int = 0, count: int = 40) -> list[TaskData]:
    """Two clusters of two tasks: which of three squares of a 6x6 image is lit; blue tasks see it turned."""
    tasks = []
    for name in NAMES:
        splits = {}
        for number, part in enumerate(("train", "validation", "test")):
            rng = np.random.default_rng([seed, number, NAMES.index(name)])
            labels = rng.integers(0, 3, count).astype(np.int64)
            images = rng.integers(0, 90, (count, 6, 6, 1)).astype(np.uint8)
            for row, label in enumerate(labels):
                images[row, 2 * label : 2 * label + 2, :3] += 120
            splits[part] = Examples(images, labels, transform="rot90" if name.startswith("blue") else "")
        tasks.append(TaskData(name, name.partition("-")[0], 3, splits))
    return tasks


def image_network(seed: int = 0, *, dropout: nn.Module | None = None, tasks: int = 4) -> MultitaskNetwork:
    """Two routed pools of four components each, a norm, dropout, heads of three classes."""
    layers: list[nn.Module] = [
        Pool([nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()) for _ in range(4)]),
        nn.GroupNorm(2, 4),
        Pool([nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()) for _ in range(4)]),
        nn.Flatten(),
        SeededDropout(0.2) if dropout is None else dropout,
    ]
    network = MultitaskNetwork(layers, [nn.Linear(16, 3) for _ in range(tasks)])
    initialise(network, torch.Generator().manual_seed(seed))
    return network


def learned(names: Sequence[str] = NAMES, **options: Any) -> LearnedAllocation:
    return LearnedAllocation(names, (4, 4), **{"temperature_init": 2.0, **options})


def line_tasks(count: int = 300, dimension: int = 8, *, clusters: int = 2, seed: int = 0) -> list[TaskData]:
    """Regression tasks in pairs: a and b of a pair have the same weights, other pairs orthogonal ones."""
    rng = np.random.default_rng(seed)
    weights = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0].astype(np.float32)
    tasks = []
    for number in range(2 * clusters):
        splits = {}
        for part in ("train", "validation", "test"):
            inputs = rng.normal(size=(count, dimension)).astype(np.float32)
            splits[part] = Examples(inputs, np.abs(2 * inputs @ weights[number // 2]))
        tasks.append(TaskData(f"pair{number // 2}-{'ab'[number % 2]}", f"pair{number // 2}", 0, splits))
    return tasks


def without_times(summary: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on when and how fast a run was made."""
    return {name: value for name, value in summary.items() if name not in ("seconds", "started", "finished")}


class Stop:
    """Asks a run to stop after its first so many rounds."""

    def __init__(self, rounds: int) -> None:
        self.left = rounds

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def digits_run(folder: Path, rounds: int) -> None:
    """A run of mnist4 on noise: `folder/run`, and its images, `folder/data`."""
    (folder / "data" / "mnist").mkdir(parents=True)
    for seed, part in enumerate(("train", "validation", "test")):
        images = np.random.default_rng(seed).integers(0, 256, (40, 28, 28), np.uint8)
        np.savez(folder / "data" / "mnist" / f"{part}.npz", image=images, label=np.arange(40) % 10)
    config = configured("mnist4", preset_name="smoke", rounds=rounds, evaluate_every=2, threads=1)
    perform(config, folder / "run", folder / "data", device="cpu")
