"""Training of one child: cycles of SGD, each followed by one validation; the best cycle is what it gives back."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

import torch
from torch.nn import functional as F

from munet.errors import InputError
from munet.streams import Key, torch_stream
from munet.training.evaluation import autocast, count_correct
from munet.training.images import ImageSet, SplitLike, stream_order
from munet.training.optimiser import ClippedSGD, FlatParameters, Layers
from munet.training.preprocessing import Preprocessing, apply, draw
from munet.training.reuse import FixedInputs, Halves, Trainable
from munet.training.schedules import learning_rate_at

MEMORY_BUDGET = 512 * 2**20  # bytes of activations that one child may keep


@dataclass(frozen=True)
class Recipe:
    """How a child is trained. Raises InputError for a value that cannot be."""

    learning_rate: float
    preprocessing: Preprocessing
    cycles: int
    samples_per_cycle: int  # at most; an epoch if that is less
    batch_size: int
    schedule: str = "cosine"
    warmup_ratio: float = 0.1
    warmup_start: float = 0.01  # first learning rate of the warm-up, times the peak
    momentum: float = 0.9
    nesterov: bool = False
    clip_norm: float | None = 1.0
    keep: Literal["earlier", "later"] = "earlier"  # among cycles of equal validation accuracy
    precision: str = "fp32"

    def __post_init__(self) -> None:
        for name in ("cycles", "samples_per_cycle", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.keep not in ("earlier", "later"):
            raise InputError(f"keep is '{self.keep}'; it must be earlier or later")
        for name in ("warmup_ratio", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in [0, 1)")
        self.rate(0, 1)
        autocast("cpu", self.precision)

    def samples(self, examples: int) -> int:
        """Training samples of one cycle on a task with so many examples."""
        return min(examples, self.samples_per_cycle)

    def rate(self, step: int, steps_per_cycle: int) -> float:
        """Learning rate of a step, counted from 0 at the start of the child."""
        return learning_rate_at(
            step,
            schedule=self.schedule,
            learning_rate=self.learning_rate,
            warmup_ratio=self.warmup_ratio,
            warmup_start=self.warmup_start,
            steps_per_cycle=steps_per_cycle,
            cycles=self.cycles,
        )


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


def train(
    network: Trainable,
    recipe: Recipe,
    train: SplitLike,
    validation: SplitLike,
    *,
    momentum: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    key: Key,
    device: torch.device | str = "cpu",
    on_cycle: Callable[[int, float], None] | None = None,
    reuse: bool = True,
    memory_budget: int = MEMORY_BUDGET,
) -> Outcome:
    """Train the trainable slots of a network, which must be on `device`; on return it holds the best cycle.

    Each cycle takes the next min(n, samples_per_cycle) samples of an endless shuffled stream, in batches of batch_size
    and a smaller last one, then counts the correct answers on all of `validation`. Everything random comes from
    streams named by `key`. `on_cycle` is told (cycle, validation accuracy). `momentum` are buffers to begin with.
    A non-finite loss, parameter or validation logit ends the training, and `Outcome.rejected` says so.
    The tensors that the network was made of are not written to: trainable parameters move into new memory.
    `reuse` False computes the frozen prefix anew for every batch: slower, the same result up to the rounding that
    follows a batch's composition.
    """
    session = _Session(network, recipe, train, validation, momentum, key, device, reuse, memory_budget)
    return session.run(on_cycle)


class _Session:
    """The state of one training."""

    def __init__(
        self,
        network: Trainable,
        recipe: Recipe,
        train: SplitLike,
        validation: SplitLike,
        momentum: Mapping[str, Mapping[str, torch.Tensor]] | None,
        key: Key,
        device: torch.device | str,
        reuse: bool,
        budget: int,
    ) -> None:
        began = perf_counter()
        self.recipe, self.key, self.device = recipe, key, device
        self.data = ImageSet.of(train, device)
        self.flat = FlatParameters({slot: network.slot_parameters(slot) for slot in network.trained_layers()})
        self.optimiser = ClippedSGD(
            self.flat,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            clip_norm=recipe.clip_norm,
            buffers=momentum,
        )
        self.halves = Halves.of(network, cut=reuse)
        self.samples = recipe.samples(len(self.data))
        self.steps = -(-self.samples // recipe.batch_size)  # in a cycle
        # Validation keeps no activations for gradients, so a larger batch takes no more memory than a training step.
        size = min(512, 4 * recipe.batch_size)
        self.validation = FixedInputs(ImageSet.of(validation, device), recipe.preprocessing, self.halves.prefix, size)
        self.features: torch.Tensor | None = None  # of every training image, below the suffix
        self.seconds = {"train": perf_counter() - began, "validation": 0.0}
        if reuse:
            with autocast(device, recipe.precision):
                self._keep_inputs(budget)

    def _keep_inputs(self, budget: int) -> None:
        """Compute what stays the same over cycles, first of the validation images: every cycle reads them all."""
        recipe = self.recipe
        if recipe.cycles > 1:
            with self._clock("validation"):
                budget -= self.validation.keep(budget)
        repeats = recipe.cycles * self.samples > len(self.data)  # else no training image comes twice
        if recipe.preprocessing.deterministic and repeats and self.halves.frozen:
            with self._clock("train"):
                whole = FixedInputs(self.data, recipe.preprocessing, self.halves.prefix, recipe.batch_size)
                whole.keep(budget // 2)  # joining the batches takes as much again for a moment
                self.features = torch.cat(whole.kept) if whole.kept else None

    def run(self, on_cycle: Callable[[int, float], None] | None) -> Outcome:
        """All cycles, or as many as stay finite."""
        accuracies: list[float] = []
        losses: list[float] = []
        best, kept, rejected = -1, None, None
        for cycle in range(self.recipe.cycles):
            with self._clock("train"):
                loss, finite = self._train_cycle(cycle)
            if rejected := _why(loss, finite, cycle):
                break
            with self._clock("validation"):
                correct, usable = self._validate()
            if usable < len(self.validation):
                rejected = f"non-finite logits in the validation of cycle {cycle}"
                break
            accuracies.append(correct / len(self.validation))
            losses.append(loss / self.samples)
            tie = self.recipe.keep == "later"
            if best < 0 or accuracies[-1] > accuracies[best] or (tie and accuracies[-1] == accuracies[best]):
                best, kept = cycle, (self.flat.values.clone(), self.optimiser.velocity.clone())
            if on_cycle is not None:
                on_cycle(cycle, accuracies[-1])
        with self._clock("train"):
            layers, momentum = self._close(kept, rejected is None)
        return Outcome(
            accuracies=accuracies,
            best_cycle=best,
            layers=layers,
            momentum=momentum,
            samples=self.samples * (len(accuracies) + (rejected is not None)),
            rejected=rejected,
            train_seconds=self.seconds["train"],
            validation_seconds=self.seconds["validation"],
            losses=losses,
        )

    @contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        began = perf_counter()
        yield
        self.seconds[part] += perf_counter() - began

    def _train_cycle(self, cycle: int) -> tuple[float, bool]:
        """Sum of the samples' losses, and whether every parameter is finite after the last step."""
        recipe, data, size = self.recipe, self.data, self.recipe.batch_size
        order = torch.from_numpy(stream_order(self.key, len(data), cycle * self.samples, self.samples)).to(self.device)
        generator = torch_stream(*self.key, "augment", cycle)
        height, width = data.images.shape[1:3]
        draws = draw(recipe.preprocessing, self.samples, height, width, generator).to(self.device)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for step, start in enumerate(range(0, self.samples, size)):
            stop = min(start + size, self.samples)
            batch = order[start:stop]
            with autocast(self.device, recipe.precision):
                if self.features is not None:
                    hidden = self.features[batch]
                else:
                    images_BCHW = apply(data.images[batch], recipe.preprocessing, draws.part(start, stop))
                    hidden = self.halves.prefix(images_BCHW)
                logits_BC = self.halves.suffix(hidden)
            loss = F.cross_entropy(logits_BC.float(), data.labels[batch])
            loss.backward()
            self.optimiser.step(recipe.rate(cycle * self.steps + step, self.steps))
            total += loss.detach() * (stop - start)
        return float(total), bool(self.flat.values.isfinite().all())

    def _validate(self) -> list[int]:
        return count_correct(self.halves.suffix, self.validation, self.device, self.recipe.precision).tolist()

    def _close(self, kept: tuple[torch.Tensor, torch.Tensor] | None, accepted: bool) -> tuple[Layers, Layers]:
        """Put the best cycle back into the network; its layers and momentum."""
        self.flat.release()
        if kept is None or not accepted:
            return {}, {}
        self.flat.values.copy_(kept[0])
        return self.flat.read(kept[0]), self.flat.read(kept[1], torch.bfloat16)


def _why(loss: float, finite: bool, cycle: int) -> str | None:
    """Reason to give up after a training cycle."""
    if not math.isfinite(loss):
        return f"non-finite loss in cycle {cycle}"
    return None if finite else f"non-finite parameters after cycle {cycle}"
