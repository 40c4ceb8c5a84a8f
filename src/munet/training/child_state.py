"""One child in training: its parameters, its optimiser, its best cycle."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional as F

from munet.model.slots import blocks_in
from munet.training.adamw import optimiser_of
from munet.training.capture import WORTH, CapturedStep, capture
from munet.training.memory import Parts, keep_freed_memory
from munet.training.optimiser import FlatParameters, Layers
from munet.training.precision import autocast
from munet.training.recipe import Recipe
from munet.training.trie import Function, Node, Step, Trie


class Trainable(Protocol):
    """What training needs of a network."""

    def __call__(self, x_BCHW: torch.Tensor, /) -> torch.Tensor: ...
    def stages(self) -> list[tuple[str, Function]]: ...
    def slots_of_stage(self, name: str, /) -> Collection[str]: ...
    def trained_layers(self) -> Mapping[str, Mapping[str, torch.Tensor]]: ...
    def slot_parameters(self, slot: str, /) -> Mapping[str, nn.Parameter]: ...


def count_blocks(network: Trainable) -> int:
    """Number of transformer blocks of a network."""
    return sum(blocks_in(network.slots_of_stage(stage)) for stage, _ in network.stages())


@dataclass(frozen=True)
class TrainItem:
    """A network, on the device that trains it, and how it is trained.

    `momentum` are buffers to begin with, slot -> name -> tensor of any float type. `names` tell by content what the
    stages below the lowest trainable slot are, from the first on; without them nobody shares what they compute.
    """

    network: Trainable
    recipe: Recipe
    momentum: Mapping[str, Mapping[str, torch.Tensor]] | None = None
    names: Sequence[str] | None = None
    keep_momentum: bool = True

    def split(self) -> tuple[list[Step], list[Function]]:
        """The stages below the lowest trainable one, named, and the others."""
        trained = set(self.network.trained_layers())
        stages = self.network.stages()
        frozen = 0
        while frozen < len(stages) and trained.isdisjoint(self.network.slots_of_stage(stages[frozen][0])):
            frozen += 1
        names = self.names or [f"{id(self.network)} {stage}" for stage, _ in stages[:frozen]]
        below = [(name, function) for name, (_, function) in zip(names, stages[:frozen], strict=True)]
        return below, [function for _, function in stages[frozen:]]


@dataclass(frozen=True)
class Outcome:
    """What came of training. `layers` and `momentum` are CPU tensors of their own, empty when it was rejected."""

    accuracies: list[float]  # validation accuracy of each cycle that ended
    best_cycle: int  # 0-based; -1 when none ended
    layers: Layers = field(repr=False)  # slot -> name -> float32, as they were in the best cycle
    momentum: Layers = field(repr=False)  # slot -> name -> bfloat16 SGD buffers of the same moment
    samples: int  # training samples seen
    rejected: str | None  # why it was given up, if it was
    train_seconds: float
    validation_seconds: float
    losses: list[float] = field(default_factory=list)  # mean training loss of each cycle that ended


class ChildState:
    """One child of a job group in training. Nothing here waits for the device before the end of a cycle."""

    def __init__(self, item: TrainItem, examples: int, device: torch.device, parts: Parts) -> None:
        network, self.recipe = item.network, item.recipe
        if self.recipe.step == "fused" and device.type == "cpu":
            keep_freed_memory()
        self.below, self._above = item.split()
        self.node: Node  # where its trainable part begins in the trie of the training images
        self.validation_node: Node
        self._device, self._parts, self._keep_momentum = device, parts, item.keep_momentum
        self.samples, self._steps = self.recipe.samples(examples), self.recipe.steps(examples)
        self._flat = FlatParameters({slot: network.slot_parameters(slot) for slot in network.trained_layers()})
        blocks = count_blocks(network)
        self._optimiser = optimiser_of(self.recipe, self._flat, blocks, item.momentum)
        self._total = torch.zeros((), dtype=torch.float64, device=device)  # of the samples' losses in this cycle
        self._kept: tuple[torch.Tensor, torch.Tensor | None] | None = None
        self._accuracies: list[float] = []
        self._losses: list[float] = []
        self._best = -1
        self._step = 0
        self._captured: CapturedStep | None = None
        self._captured_rows = 0
        self.rejected: str | None = None
        self._failed = False  # in the middle of a cycle
        self.seconds = {"train": 0.0, "validation": 0.0}

    def join(self, training: Trie, validation: Trie) -> None:
        """Find the place above which this member trains."""
        self.node, self.validation_node = training.add(self.below), validation.add(self.below)

    @property
    def alive(self) -> bool:
        return self.rejected is None

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B, classes), from activations below the lowest trainable stage."""
        for stage in self._above:
            hidden = stage(hidden)
        return hidden

    def step(self, hidden: torch.Tensor, labels: torch.Tensor) -> None:
        """One step of gradient descent on a batch."""
        began = perf_counter()
        rate = self.recipe.rate(self._step, self._steps)
        if self._step == 0 and self._device.type == "cuda" and self._steps * self.recipe.cycles >= WORTH:
            self._captured = capture(self.work, hidden, labels, rate, self.state)
            self._captured_rows = len(labels)
        if self._captured is not None and len(labels) == self._captured_rows:
            self._captured(hidden, labels, rate)
        else:
            self._total += self._parts.attempt(len(labels), lambda rows: self._gradients(hidden, labels, rows))
            self._optimiser.step(rate)
        self._step += 1
        self.seconds["train"] += perf_counter() - began

    @property
    def state(self) -> tuple[torch.Tensor, ...]:
        """All that a step changes."""
        return self._flat.values, *self._optimiser.state, self._total

    def work(self, hidden: torch.Tensor, labels: torch.Tensor, rate: torch.Tensor) -> None:
        """A step as it can be recorded: of a fixed shape, its learning rate on the device."""
        self._total += self._gradients(hidden, labels, len(labels))
        self._optimiser.step(rate)

    def _gradients(self, hidden: torch.Tensor, labels: torch.Tensor, rows: int) -> torch.Tensor:
        """Gradients of the mean loss, from parts of so many rows. Returns the sum of the samples' losses."""
        self._flat.forget_gradients()  # also what a part has left that ran out of memory
        total = torch.zeros_like(self._total)
        for part, wanted in zip(hidden.split(rows), labels.split(rows), strict=True):
            with autocast(self._device, self.recipe.precision):
                logits_BC = self.logits(part)
            loss = margin_loss(logits_BC.float(), wanted, self.recipe.margin)
            share = len(wanted) / len(labels)
            (loss if share == 1 else loss * share).backward()
            total += loss.detach() * len(wanted)
        return total

    def _give_up(self, reason: str) -> None:
        self.rejected, self._failed = reason, True

    def end_training(self, cycle: int) -> None:
        """Give up when the loss or a parameter is not finite."""
        loss = float(self._total)
        self._total.zero_()
        if not math.isfinite(loss):
            self._give_up(f"non-finite loss in cycle {cycle}")
        elif not bool(self._flat.values.isfinite().all()):
            self._give_up(f"non-finite parameters after cycle {cycle}")
        else:
            self._losses.append(loss / self.samples)

    def end_validation(self, cycle: int, correct: int, usable: int, examples: int) -> float | None:
        """Remember the cycle if it is the best. Returns its accuracy; None when a logit was not finite."""
        if usable < examples:
            self._give_up(f"non-finite logits in the validation of cycle {cycle}")
            self._losses.pop()
            return None
        self._accuracies.append(correct / examples)
        accuracies, tie = self._accuracies, self.recipe.keep == "later"
        if (
            self._best < 0
            or self.recipe.keep == "last"
            or accuracies[-1] > accuracies[self._best]
            or (tie and accuracies[-1] == accuracies[self._best])
        ):
            self._best = cycle
            self._keep()
        return accuracies[-1]

    def _keep(self) -> None:
        values, velocity = self._flat.values, self._optimiser.velocity
        if self._kept is None:
            momentum = velocity if self._keep_momentum else None
            self._kept = (values.clone(), None if momentum is None else momentum.to(torch.bfloat16))
            return
        self._kept[0].copy_(values)
        if self._kept[1] is not None and velocity is not None:
            self._kept[1].copy_(velocity)

    def close(self) -> Outcome:
        """Put the best cycle back into the network, and return the outcome."""
        self._captured = None
        self._flat.forget_gradients()
        layers, momentum = {}, {}
        if self._kept is not None and self.alive:
            values, velocity = self._kept
            self._flat.values.copy_(values)
            layers = self._flat.views(values.cpu())
            momentum = {} if velocity is None else self._flat.views(velocity.cpu())
        return Outcome(
            accuracies=self._accuracies,
            best_cycle=self._best,
            layers=layers,
            momentum=momentum,
            samples=self.samples * (len(self._accuracies) + self._failed),
            rejected=self.rejected,
            train_seconds=self.seconds["train"],
            validation_seconds=self.seconds["validation"],
            losses=self._losses,
        )


def margin_loss(logits_BC: torch.Tensor, labels: torch.Tensor, margin: float) -> torch.Tensor:
    """Mean cross entropy with `margin` taken from the logit of the right class, so that it must win by so much."""
    if margin:
        taken = torch.full((len(labels), 1), -margin, dtype=logits_BC.dtype, device=logits_BC.device)
        logits_BC = logits_BC.scatter_add(1, labels[:, None], taken)
    return F.cross_entropy(logits_BC, labels)


OnCycle = Callable[[int, int, float], None]  # (member, cycle, validation accuracy)
