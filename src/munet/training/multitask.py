"""One trunk trained on several tasks at once: mixed batches, a head for each task (ours, docs/method.md).

Each batch holds images of every task in fixed numbers, its share of the batch, so that the trunk sees all tasks in each
step. The loss is the mean over all samples of the cross entropy among the classes of the sample's own task.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from munet.rng import Key, torch_rng
from munet.training.adamw import optimiser_of
from munet.training.child_state import Trainable, count_blocks, margin_loss
from munet.training.images import ImageSet, SplitLike, gather, stream_order
from munet.training.optimiser import FlatParameters, Layers
from munet.training.precision import autocast
from munet.training.preprocessing import Preprocessing, apply, draw, prepare
from munet.training.recipe import Recipe

_VALIDATION_BATCH = 512
OnCycle = Callable[[int, list[float]], None]  # (cycle, validation accuracy of each task)
OnState = Callable[["TrunkState"], None]


@dataclass(frozen=True)
class TaskPart:
    """What a trunk is trained on of one task.

    `head` holds `weight` (C, D) and `bias` (C,) to begin with, and reads the first D of the features. `share` is of the
    samples; those of all parts add up to 1.
    """

    name: str
    train: SplitLike
    validation: SplitLike
    head: Mapping[str, Tensor]
    preprocessing: Preprocessing
    margin: float
    share: float


@dataclass(frozen=True)
class TrunkOutcome:
    """What came of it. Tensors are on the CPU, float32, empty when training was given up."""

    accuracies: list[list[float]]  # of each task, after each cycle
    trunk: Layers = field(repr=False)
    heads: list[dict[str, Tensor]] = field(repr=False)
    samples: list[int]  # of each task
    rejected: str | None
    train_seconds: float
    validation_seconds: float


@dataclass(frozen=True)
class TrunkState:
    """A training between two cycles: with the same arguments it goes on from here, bit for bit.

    Tensors are those of the training itself, so a state is good until its next step.
    """

    accuracies: list[list[float]]  # of each task, after each cycle that is over
    seen: list[int]  # images of each task so far
    seconds: dict[str, float]  # spent on "train" and "validation"
    tensors: dict[str, Tensor] = field(repr=False)  # all that a step changes


def batch_counts(shares: Sequence[float], batch_size: int, steps: int) -> np.ndarray:
    """Images of each task in each batch, int64 (steps, tasks). A row adds up to the batch size, and after any number of
    steps no task is more than one image away from its share."""
    counts = np.zeros((steps, len(shares)), np.int64)
    given, weights = np.zeros(len(shares)), np.asarray(shares, np.float64) / sum(shares)
    for step in range(steps):
        due = weights * batch_size * (step + 1) - given
        counts[step] = np.maximum(np.floor(due + 1e-9), 0)
        missing = batch_size - int(counts[step].sum())
        late = np.argsort(-(due - counts[step]), kind="stable")
        counts[step, late[: max(missing, 0)]] += 1
        for task in late[::-1][: max(-missing, 0)]:
            counts[step, task] -= 1
        given += counts[step]
    return counts


def train_trunk(
    network: Trainable,
    parts: Sequence[TaskPart],
    recipe: Recipe,
    *,
    key: Key,
    device: torch.device | str = "cpu",
    on_cycle: OnCycle = lambda cycle, accuracies: None,
    on_state: OnState = lambda state: None,
    resume: TrunkState | None = None,
) -> TrunkOutcome:
    """Train the trainable slots of a network without a head, and all heads; the last step counts.

    `recipe` says samples of a cycle, cycles, batch size, rates; what is done to the images, and the margin, are each
    part's own. The tensors that the network was made of are not written to. `on_state` has the state after each cycle
    but the last; a training that is given one as `resume` skips what it holds. ValueError where that is of another.
    """
    trunk = _Trunk(network, parts, recipe, key, torch.device(device))
    if resume is not None:
        trunk.restore(resume)
    return trunk.run(on_cycle, on_state)


class _Trunk:
    def __init__(
        self, network: Trainable, parts: Sequence[TaskPart], recipe: Recipe, key: Key, device: torch.device
    ) -> None:
        self._network, self._parts, self._recipe, self._key, self._device = network, parts, recipe, key, device
        self._train = [ImageSet.of(part.train, device) for part in parts]
        self._validation = [ImageSet.of(part.validation, device) for part in parts]
        self._heads = [
            {name: nn.Parameter(tensor.detach().clone().to(device)) for name, tensor in part.head.items()}
            for part in parts
        ]
        heads = {f"head {number}": head for number, head in enumerate(self._heads)}
        trunk = {slot: network.slot_parameters(slot) for slot in network.trained_layers()}
        self._trunk_slots = list(trunk)
        self._flat = FlatParameters({**trunk, **heads})
        self._optimiser = optimiser_of(recipe, self._flat, count_blocks(network), None)
        steps = recipe.samples_per_cycle // recipe.batch_size
        self._counts = batch_counts([part.share for part in parts], recipe.batch_size, steps * recipe.cycles)
        self._steps = steps
        self._seen = np.zeros(len(parts), np.int64)
        self._accuracies: list[list[float]] = [[] for _ in parts]
        self._seconds = {"train": 0.0, "validation": 0.0}

    def state(self) -> TrunkState:
        seen = [int(count) for count in self._seen]
        return TrunkState([list(one) for one in self._accuracies], seen, dict(self._seconds), self._tensors)

    def restore(self, state: TrunkState) -> None:
        mine = self._tensors
        shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in mine.items()}
        if len(state.seen) != len(self._parts) or shapes != {n: (t.shape, t.dtype) for n, t in state.tensors.items()}:
            raise ValueError("the state is of another training")
        with torch.no_grad():
            for name, tensor in mine.items():
                tensor.copy_(state.tensors[name])
        self._accuracies, self._seconds = [list(one) for one in state.accuracies], dict(state.seconds)
        self._seen = np.asarray(state.seen, np.int64)

    @property
    def _tensors(self) -> dict[str, Tensor]:
        """All that a step changes, by a name."""
        state = {f"optimiser.{number}": tensor for number, tensor in enumerate(self._optimiser.state)}
        return {"values": self._flat.values, **state}

    def run(self, on_cycle: OnCycle, on_state: OnState) -> TrunkOutcome:
        accuracies, seconds, rejected = self._accuracies, self._seconds, None
        for cycle in range(len(accuracies[0]), self._recipe.cycles):
            clock = perf_counter()
            loss = self._train_cycle(cycle)
            seconds["train"] += perf_counter() - clock
            if not math.isfinite(loss) or not bool(self._flat.values.isfinite().all()):
                rejected = f"non-finite loss or parameters in cycle {cycle}"
                break
            clock = perf_counter()
            found = [self._accuracy(number) for number in range(len(self._parts))]
            seconds["validation"] += perf_counter() - clock
            for values, accuracy in zip(accuracies, found, strict=True):
                values.append(accuracy)
            if cycle + 1 < self._recipe.cycles:
                on_state(self.state())
            on_cycle(cycle, found)
        self._flat.forget_gradients()
        layers = {} if rejected else self._flat.views(self._flat.values.cpu())
        trunk = {slot: layers[slot] for slot in self._trunk_slots if slot in layers}
        heads = [layers.get(f"head {number}", {}) for number in range(len(self._parts))]
        spent = [int(count) for count in self._seen]
        return TrunkOutcome(accuracies, trunk, heads, spent, rejected, seconds["train"], seconds["validation"])

    def _train_cycle(self, cycle: int) -> float:
        """Mean loss of a cycle."""
        counts = self._counts[cycle * self._steps : (cycle + 1) * self._steps]
        total, streams = torch.zeros((), dtype=torch.float64, device=self._device), self._streams(cycle, counts)
        for step, batch in enumerate(streams):
            self._flat.forget_gradients()
            images, labels = torch.cat([x for x, _ in batch]), [wanted for _, wanted in batch]
            with autocast(self._device, self._recipe.precision):
                features = self._network(images)
            loss = self._loss(features.float(), labels)
            loss.backward()
            self._fill_gradients()
            self._optimiser.step(self._recipe.rate(cycle * self._steps + step, self._steps))
            total += loss.detach()
        return float(total) / self._steps

    def _streams(self, cycle: int, counts: np.ndarray) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """(augmented images, labels) of each task, batch by batch."""
        ready = []
        for number, (part, data) in enumerate(zip(self._parts, self._train, strict=True)):
            wanted = int(counts[:, number].sum())
            order = stream_order((*self._key, part.name), len(data), int(self._seen[number]), max(wanted, 1))[:wanted]
            height, width = data.images.shape[1:3]
            generator = torch_rng(*self._key, part.name, "augment", cycle)
            ready.append((order, draw(part.preprocessing, wanted, height, width, generator).to(self._device)))
            self._seen[number] += wanted
        starts = np.zeros(len(self._parts), np.int64)
        for row in counts:
            batch = []
            for number, count in enumerate(row):
                first, (order, draws), data = int(starts[number]), ready[number], self._train[number]
                rows = order[first : first + count]
                if count:
                    chosen = draws.part(first, first + int(count))
                    images = apply(data.rows(rows), self._parts[number].preprocessing, chosen)
                    batch.append((images, gather(data.labels, rows)))
                else:
                    batch.append((torch.empty(0, *self._shape, device=self._device), data.labels[:0]))
                starts[number] += count
            yield batch

    @property
    def _shape(self) -> tuple[int, int, int]:
        pre = self._parts[0].preprocessing
        return len(pre.mean), pre.image_size, pre.image_size

    def _loss(self, features: Tensor, labels: Sequence[Tensor]) -> Tensor:
        total, start = features.new_zeros(()), 0
        for number, wanted in enumerate(labels):
            if len(wanted):
                logits = self._logits(number, features[start : start + len(wanted)])
                share = len(wanted) / len(features)
                total = total + share * margin_loss(logits, wanted, self._parts[number].margin)
            start += len(wanted)
        return total

    def _logits(self, number: int, features: Tensor) -> Tensor:
        weight, bias = self._heads[number]["weight"], self._heads[number]["bias"]
        return F.linear(features[:, : weight.shape[1]], weight, bias)

    def _fill_gradients(self) -> None:
        """A head that had no image in a batch has no gradient, which the optimiser wants of every parameter."""
        for parameter in self._flat.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)

    @torch.no_grad()
    def _accuracy(self, number: int) -> float:
        data, part, correct = self._validation[number], self._parts[number], 0
        for start in range(0, len(data), _VALIDATION_BATCH):
            rows = np.arange(start, min(start + _VALIDATION_BATCH, len(data)))
            with autocast(self._device, self._recipe.precision):
                features = self._network(prepare(data.rows(rows), part.preprocessing))
            logits = self._logits(number, features.float())
            correct += int((logits.argmax(1) == gather(data.labels, rows)).sum())
        return correct / len(data)
