"""Joint training: in each round every task once, one batch and one update for each (arXiv 1910.04915, its code).

Nothing random has a state that would have to be saved: the order of a round, the batch, the sampled allocation and the
dropout of an update each come from a stream that (seed, round or update, task) names. So a run that goes on from a
saved state is, on a CPU, the same to the last bit as one that was never interrupted.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from munet.allocation.data.tasks import Batches, TaskData
from munet.allocation.network.fused import fuse
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import Allocation
from munet.allocation.routing.objective import Objective
from munet.allocation.training.measures import component_costs
from munet.allocation.training.optimisers import FlatAdam, Optimiser, RestingAdam, RowAdam
from munet.allocation.training.scores import task_loss
from munet.allocation.training.settings import Settings
from munet.errors import InputError
from munet.model.pools.same_padding import SeededDropout
from munet.rng import numpy_rng, seed_of


class JointTrainer:
    """A network and an allocation in training on `tasks`, whose places are the task numbers of both.

    `network` and `allocation` are moved to `device` and changed in place.
    """

    def __init__(
        self,
        network: MultitaskNetwork,
        allocation: Allocation,
        tasks: Sequence[TaskData],
        settings: Settings,
        *,
        device: str = "cpu",
    ) -> None:
        _check(network, allocation, tasks)
        self.network, self.allocation = network.to(device), allocation.to(device)
        self.tasks, self.settings, self.device = list(tasks), settings, device
        self.round = self.step = self.samples = self.summed = 0
        self.losses = torch.zeros(len(tasks), dtype=torch.float64, device=device)  # over the last `summed` rounds
        self._make_optimisers()
        sample, _ = tasks[0].splits["train"].batch([0])
        unit = settings.budget_unit
        costs = None if unit == "components" else component_costs(self.network, unit, sample.to(device))
        self.objective = Objective(self.allocation, settings, settings.updates(len(tasks)), costs)
        self._fused = fuse(self.network)
        self._global_dropout = _draws_globally(network)
        self._batches = [
            Batches(task.splits["train"], settings.batch_size, (settings.seed, task.name)) for task in self.tasks
        ]

    def _make_optimisers(self) -> None:
        settings, skip = self.settings, self.settings.inactive_gradients == "skip"
        parameters = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        decayed = _decayed(self.network, settings.l2_norms) if settings.l2_penalty else set()
        decays = [settings.l2_penalty if parameter in decayed else 0.0 for parameter in parameters]
        logits = [parameter for parameter in self.allocation.parameters() if parameter.requires_grad]
        rate = settings.router_rate * getattr(self.allocation, "learning_rate_factor", 1.0)
        kind = RestingAdam if skip else FlatAdam
        self.optimisers: dict[str, Optimiser] = {"network": kind(parameters, settings.learning_rate, decays)}
        if logits:
            self.optimisers["allocation"] = (
                RowAdam(logits, rate) if skip else FlatAdam(logits, rate, [0.0] * len(logits))
            )
        self._owners = _owners(self.network) if skip else {}

    def train_round(self) -> None:
        """Every task once."""
        if not (self._fused.training and self.network.training):  # evaluation came before
            self._fused.train()
            self.network.train()
        order = numpy_rng(self.settings.seed, "allocation", "order", self.round).permutation(len(self.tasks))
        if self.settings.update == "per-task":
            for task in order.tolist():
                self._clear()
                self._update({task: self._gradients(task, 1)})
        else:
            self._clear()
            self._update({task: self._gradients(task, len(self.tasks)) for task in order.tolist()})
        self.round += 1
        self.summed += 1

    def _clear(self) -> None:
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()

    def _gradients(self, task: int, among: int) -> list[Tensor]:
        """Adds the gradients of one batch of a task, divided by `among`; returns the weights of its components."""
        inputs, targets = self._batches[task].of_round(self.round)
        inputs, targets = inputs.to(self.device), targets.to(self.device)
        weights = self.allocation.weights(task, step=self.step, generator=self._stream("sample", task))
        outputs = self._forward(inputs, task, weights)
        loss = task_loss(outputs, targets, self.tasks[task].classes)
        self.losses[task] += loss.detach()
        self.samples += len(targets)
        ((loss + self.objective.penalty(task, self.step)) / among).backward()
        return [weight.detach() for weight in weights]

    def _forward(self, inputs: Tensor, task: int, weights: Sequence[Tensor]) -> Tensor:
        generator = self._stream("dropout", task)
        if not self._global_dropout:
            return self._fused(inputs, task, weights, generator=generator)
        with torch.random.fork_rng():  # PyTorch's own dropout draws from its global generators
            torch.manual_seed(generator.initial_seed())
            return self._fused(inputs, task, weights, generator=generator)

    def _stream(self, purpose: str, task: int) -> torch.Generator:
        """A generator of its own for each draw of an update."""
        key = (self.settings.seed, "allocation", purpose, self.step, task)
        return torch.Generator(device=self.device).manual_seed(seed_of(*key))

    def _update(self, used: Mapping[int, Sequence[Tensor]]) -> None:
        inactive = self._inactive(used)
        for optimiser in self.optimisers.values():
            optimiser.step(used, inactive)
        self.step += 1

    def _inactive(self, used: Mapping[int, Sequence[Tensor]]) -> list[nn.Parameter]:
        """What none of the tasks of an update used; only "skip" asks."""
        active: set[tuple[str, int, int]] = {("task", 0, task) for task in used}
        for weights in used.values() if self._owners else ():
            for pool, weight in enumerate(weights):
                active |= {("pool", pool, component) for component in weight.nonzero().flatten().tolist()}
        return [parameter for parameter, owner in self._owners.items() if owner not in active]

    def take_losses(self) -> list[float]:
        """Mean training loss of each task since this was last asked. InputError if one is not finite."""
        means = (self.losses / max(1, self.summed)).tolist()
        self.losses.zero_()
        self.summed = 0
        for task, loss in zip(self.tasks, means, strict=True):
            if not math.isfinite(loss):
                raise InputError(
                    f"the loss of task {task.name} is not finite by round {self.round}: lower --learning-rate "
                    f"(it is {self.settings.learning_rate})"
                )
        return means

    # State

    def state(self) -> dict[str, Any]:
        """All that going on needs, as tensors and plain values."""
        return {
            "round": self.round,
            "step": self.step,
            "samples": self.samples,
            "summed": self.summed,
            "losses": self.losses,
            "network": self.network.state_dict(),
            "allocation": self.allocation.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.round, self.step, self.samples = state["round"], state["step"], state["samples"]
        self.summed = state["summed"]
        self.losses.copy_(state["losses"])
        self.network.load_state_dict(state["network"])
        self.allocation.load_state_dict(state["allocation"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])


def _check(network: MultitaskNetwork, allocation: Allocation, tasks: Sequence[TaskData]) -> None:
    """InputError where the three do not fit each other."""
    names = tuple(task.name for task in tasks)
    if tuple(allocation.tasks) != names:
        raise InputError(f"the allocation is of tasks {', '.join(allocation.tasks)}, the data of {', '.join(names)}")
    if len(network.heads) != len(tasks):
        raise InputError(f"the network has {len(network.heads)} heads for {len(tasks)} tasks: give one for each")
    if tuple(allocation.sizes) != tuple(network.routed_sizes):
        raise InputError(
            f"the allocation is of pools of {_listed(allocation.sizes)} components, "
            f"the network has pools of {_listed(network.routed_sizes)}"
        )


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes)) or "none"


def _decayed(network: MultitaskNetwork, norms: bool) -> set[nn.Parameter]:
    """What the L2 penalty is on: all but the biases of convolutions and dense layers; norms' scales and offsets too."""
    kinds = (nn.GroupNorm, nn.LayerNorm, nn.modules.batchnorm._NormBase)
    found: set[nn.Parameter] = set()
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if norms if isinstance(module, kinds) else name != "bias":
                found.add(parameter)
    return found


def _draws_globally(network: MultitaskNetwork) -> bool:
    """Whether it holds a dropout that the network cannot hand a generator: PyTorch's own, or one inside a module."""
    seeded = {layer for layer in network.layers if isinstance(layer, SeededDropout)}
    kinds = (SeededDropout, nn.modules.dropout._DropoutNd)
    return any(isinstance(module, kinds) and module not in seeded for module in network.modules())


def _owners(network: MultitaskNetwork) -> dict[nn.Parameter, tuple[str, int, int]]:
    """("pool", number of the routed pool, component) or ("task", 0, task) of each parameter that not all tasks use."""
    owners: dict[nn.Parameter, tuple[str, int, int]] = {}
    for number, pool in enumerate(network.pools):
        for place, component in enumerate(pool.components):
            owners |= dict.fromkeys(component.parameters(), ("pool", number, place))
    for task, head in enumerate(network.heads):
        owners |= dict.fromkeys(head.parameters(), ("task", 0, task))
    return owners
