"""Both families in one experiment: blocks of a trunk that all tasks use, and pools of blocks that each chooses from.

The stem and the lowest block of the root stay frozen; above them each block is a pool of `--components` copies of the
root's, and learned allocation (Gumbel-Matrix routing) says which of them a task uses: all tasks the one (a trunk), each
its own, or what it learns. Heads start in closed form. Same samples, optimiser and images, none augmented.

    python benchmarks/routed_trunk.py --data DATA --samples 12800 --seeds 2
"""

import argparse
import json
import statistics
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from munet import System
from munet.allocation import (
    Examples,
    FixedAllocation,
    LearnedAllocation,
    MultitaskNetwork,
    Pool,
    Settings,
    TaskData,
    train,
)
from munet.catalog import load_benchmark
from munet.experiments.running import add_tasks, prepare
from munet.model.network import Network
from munet.rng import numpy_rng
from munet.tasks.cache.splits import Splits
from munet.training.closed_form import fit, hold_out
from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing
from munet.training.preprocessing import prepare as resized

BATCH, VALIDATION, HEAD_IMAGES, TEMPERATURE = 32, 512, 5000, 0.5  # the last two as in `adaptive`
METHODS = ("trunk", "own blocks", "learned")


class Tokens(nn.Module):
    """Rows (B, T H) to tokens (B, T, H)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1, self.width)


class Head(nn.Module):
    """A norm, and a linear layer on the class token."""

    def __init__(self, norm: nn.Module, start: dict[str, Tensor]) -> None:
        super().__init__()
        self.norm, self.linear = norm, nn.Linear(start["weight"].shape[1], len(start["weight"]))
        self.linear.load_state_dict(start)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.norm(x)[:, 0])


class Frozen:
    """The root, and the tokens of all tasks behind its lowest block."""

    def __init__(self, system: System) -> None:
        network = system.models.network(system.models.root)
        assert isinstance(network, Network)
        self.network, norms = network, network.parts["norm"]
        assert isinstance(norms, nn.ModuleDict)
        self.blocks = [self.network.parts[f"block_{number}"] for number in range(1, self.network.num_blocks)]
        self.norm = norms["norm"]
        self.width, self.splits = self.network.architecture.width, Splits()
        architecture = network.architecture
        self.pre = Preprocessing(image_size=network.image_size, mean=architecture.mean, std=architecture.std)
        self.tasks = [self._task(system, name) for name in system.tasks]

    @torch.no_grad()
    def _tokens(self, data: ImageSet) -> Tensor:
        parts = self.network.parts
        stem, lowest = parts["posembed"], parts["block_0"]
        return torch.cat([lowest(stem(resized(part, self.pre))) for part in data.images.split(500)])

    def _task(self, system: System, name: str) -> tuple[TaskData, dict[str, Tensor]]:
        record, examples = system.store.read_task(name), {}
        for part, cap in (("train", None), ("validation", VALIDATION), ("test", None)):
            data = ImageSet.of(self.splits.get(record, part, self.network.image_size, cap), "cpu")
            examples[part] = Examples(self._tokens(data).flatten(1).numpy(), data.labels.numpy())
        task = TaskData(name, name, len(record["classes"]), examples)
        return task, self._head(task)

    @torch.no_grad()
    def _head(self, task: TaskData) -> dict[str, Tensor]:
        x = torch.from_numpy(task.splits["train"].inputs[:HEAD_IMAGES]).view(-1, *self._shape(task))
        labels = torch.from_numpy(task.splits["train"].targets[:HEAD_IMAGES])
        for block in self.blocks:
            x = torch.cat([block(part) for part in x.split(500)])
        features = self.norm(x)[:, 0]
        evidence = hold_out(features, labels, task.classes, numpy_rng(0, task.name))
        return {
            name: value.float() for name, value in fit(features, labels, task.classes, evidence, TEMPERATURE).items()
        }

    def _shape(self, task: TaskData) -> tuple[int, int]:
        return task.splits["train"].inputs.shape[1] // self.width, self.width


def allocation_of(method: str, names: list[str], sizes: tuple[int, ...]) -> FixedAllocation | LearnedAllocation:
    if method == "learned":
        return LearnedAllocation(names, sizes, initial_probability=0.75, temperature_init=10.0)
    return FixedAllocation(names, [torch.eye(len(names)) for _ in sizes], normalize=True)


def run(frozen: Frozen, method: str, components: int, samples: int, rate: float, seed: int) -> dict[str, Any]:
    """Test accuracy in percent, parameters of blocks in use, of one training."""
    names = [task.name for task, _ in frozen.tasks]
    count = {"trunk": 1, "own blocks": len(names), "learned": components}[method]
    torch.manual_seed(seed)
    pools = [
        Pool([_copy(block, noisy=count > 1 and method == "learned") for _ in range(count)]) for block in frozen.blocks
    ]
    heads = [Head(deepcopy(frozen.norm), start) for _, start in frozen.tasks]
    network = MultitaskNetwork([Tokens(frozen.width), *pools], heads)
    network.requires_grad_(True)
    allocation = allocation_of(method, names, network.routed_sizes)
    rounds = samples // BATCH
    settings = Settings(
        rounds=rounds, batch_size=BATCH, learning_rate=rate, router_learning_rate=0.02,
        evaluate_every=max(rounds // 4, 1), update="per-round", inactive_gradients="skip", disconnect_penalty=1.0,
        seed=seed, evaluate_train=False,
    )  # fmt: skip
    summary = train(network, allocation, [task for task, _ in frozen.tasks], settings)
    return summary["best"] | {"rate": rate}


def _copy(block: nn.Module, noisy: bool) -> nn.Module:
    """A copy of a block; copies that start alike learn alike, so those of a pool differ by a hundredth."""
    copy = deepcopy(block)
    if noisy:
        with torch.no_grad():
            for parameter in copy.parameters():
                parameter.mul_(1 + 0.01 * torch.randn_like(parameter))
    return copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of local image sets (docs/catalog.md)")
    parser.add_argument("--samples", type=int, default=12_800, help="of each task")
    parser.add_argument("--components", type=int, default=3, help="of each learned pool")
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    benchmark = load_benchmark("mccb-local")
    with tempfile.TemporaryDirectory() as folder:
        system = prepare(Path(folder) / "system", benchmark, args.data)
        add_tasks(system, benchmark.tasks, args.data, lambda task: None)
        frozen = Frozen(system)
    for method in args.methods:
        for rate in args.rates:
            found = [run(frozen, method, args.components, args.samples, rate, seed) for seed in range(args.seeds)]
            print(json.dumps({"method": method, "rate": rate, "found": found}), flush=True)
            print(method, rate, statistics.mean(one["means"]["test"] for one in found), flush=True)


if __name__ == "__main__":
    main()
