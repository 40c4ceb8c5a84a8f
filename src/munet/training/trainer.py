"""Training a job group: siblings on the same batches, cycle by cycle, each cycle followed by one validation.

What siblings have in common below their lowest trainable layers is computed once for all of them, and only once for
images that come again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import torch

from munet.errors import InputError
from munet.rng import Key, torch_rng
from munet.training.child_state import ChildState, OnCycle, Outcome, Trainable, TrainItem
from munet.training.evaluation import count_correct
from munet.training.features import FeatureCache
from munet.training.images import ImageSet, SplitLike, gather, stream_order
from munet.training.inputs import FixedInputs
from munet.training.memory import Note, Parts
from munet.training.precision import autocast
from munet.training.preprocessing import apply, draw
from munet.training.recipe import Recipe
from munet.training.trie import Target, Trie, walk

CACHE_BYTES = 512 * 2**20  # of the activations that a training on its own may keep


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
    cache_bytes: int = CACHE_BYTES,
    note: Note = lambda text: None,
) -> Outcome:
    """Train one network on its own; see `train_together`. `on_cycle` is called with (cycle, validation accuracy).

    With `reuse`, activations below its lowest trainable layer are cached in up to `cache_bytes`.
    """
    each = None if on_cycle is None else (lambda child, cycle, accuracy: on_cycle(cycle, accuracy))
    cache = FeatureCache(cache_bytes) if reuse else None
    item = TrainItem(network, recipe, momentum)
    return train_together([item], train, validation, key=key, device=device, on_cycle=each, cache=cache, note=note)[0]


def train_together(
    items: Sequence[TrainItem],
    train: SplitLike,
    validation: SplitLike,
    *,
    key: Key,
    device: torch.device | str = "cpu",
    on_cycle: OnCycle | None = None,
    cache: FeatureCache | None = None,
    note: Note = lambda text: None,
    names: tuple[str, str] | None = None,
    kind: str = "",
) -> list[Outcome]:
    """Train the trainable slots of each network; on return it holds its best cycle.

    Each cycle takes the next min(n, samples_per_cycle) samples of an endless shuffled stream, in batches of batch_size
    and a smaller last one, then counts the correct answers on all of `validation`. Order and augmentation come from
    streams named by `key`, so that siblings see the same batches. A non-finite loss, parameter or validation logit
    ends a member's training, and `Outcome.rejected` says so. The tensors that a network was made of are not written
    to: trainable parameters move into new memory. What one member learns does not depend on the others.

    Recipes may differ in all but budget, precision and what is done to the images. `cache` keeps activations of
    frozen layers beyond this job group, under `names` of the two splits and `kind` of network; with None nothing is
    kept, which is slower and changes no result. Running out of device memory makes batches go through in parts.
    """
    session = TrainingSession(items, train, validation, key, device, on_cycle, cache, note, names, kind)
    session.advance(session.recipe.cycles)
    return session.close()


class TrainingSession:
    """A training that goes on cycle by cycle; arguments as of `train_together`.

    `advance` it, look at what the children reached, `drop` some, advance it again; `close` gives what came of it.
    """

    def __init__(
        self,
        items: Sequence[TrainItem],
        train: SplitLike,
        validation: SplitLike,
        key: Key,
        device: torch.device | str,
        on_cycle: OnCycle | None,
        cache: FeatureCache | None,
        note: Note,
        names: tuple[str, str] | None,
        kind: str,
    ) -> None:
        began = perf_counter()
        self.cycle = 0  # the next one
        self.recipe, self.key, self.on_cycle = items[0].recipe, key, on_cycle
        _check(items)
        self.data, held_out = ImageSet.of(train, device), ImageSet.of(validation, device)
        self.parts = Parts(note)
        self.children = [ChildState(item, len(self.data), self.data.device, self.parts) for item in items]
        names = names or (f"{id(self)} train", f"{id(self)} validation")
        kind = f"{kind} {self.recipe.precision} {self.recipe.step}"
        pre = self.recipe.preprocessing
        common = {"cache": cache, "parts": self.parts, "kind": kind}
        if cache is not None:
            cache.begin_session()
        self.fixed = FixedInputs(self.data, pre, name=names[0], **common) if pre.deterministic else None
        self.validation = FixedInputs(held_out, pre, name=names[1], in_order=True, **common)
        self.held_out = held_out
        trie = self.fixed.trie if self.fixed else Trie("augmented")
        for child in self.children:
            child.join(trie, self.validation.trie)
        self._share("train", began, {})

    @property
    def alive(self) -> list[ChildState]:
        return [child for child in self.children if child.alive]

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train: all cycles are done, or nobody is left."""
        return self.cycle == self.recipe.cycles or not self.alive

    def advance(self, cycles: int) -> None:
        """Train on for at most so many cycles, each followed by its validation; between two calls it stands still.

        How the cycles are divided among calls changes no number.
        """
        for _ in range(cycles):
            if self.finished:
                return
            with self._clock("train"):
                self._train_cycle(self.cycle)
            if self.alive:
                with self._clock("validation"):
                    self._validate(self.cycle)
            self.cycle += 1

    def drop(self, number: int, reason: str) -> None:
        """Train a child no further: it has lost a race. The others do not notice."""
        self.children[number].rejected = reason

    def close(self) -> list[Outcome]:
        """Put the best cycle of each child back into its network, and say what came of it."""
        return [child.close() for child in self.children]

    @contextmanager
    def _clock(self, part: str) -> Iterator[None]:
        """Time that no member claimed for itself is shared by all that were alive."""
        began, own = perf_counter(), {child: child.seconds[part] for child in self.alive}
        yield
        self._share(part, began, own)

    def _share(self, part: str, began: float, own: Mapping[ChildState, float]) -> None:
        children = list(own) or self.children
        claimed = sum(child.seconds[part] - before for child, before in own.items())
        for child in children:
            child.seconds[part] += (perf_counter() - began - claimed) / len(children)

    def _train_cycle(self, cycle: int) -> None:
        samples, size = self.recipe.samples(len(self.data)), self.recipe.batch_size
        order = stream_order(self.key, len(self.data), cycle * samples, samples)
        labels = gather(self.data.labels, order)
        children = self.alive
        batches = self._fixed_batches(self.fixed, order) if self.fixed else self._random_batches(cycle, order)
        for hidden, wanted in zip(batches, labels.split(size), strict=True):
            for child, x in zip(children, hidden, strict=True):
                child.step(x, wanted)
        for child in children:
            child.end_training(cycle)

    def _fixed_batches(self, fixed: FixedInputs, order: np.ndarray) -> Iterator[list[torch.Tensor]]:
        """Activations for each member that is alive, of every batch of a cycle."""
        nodes = [child.node for child in self.alive]
        size = self.recipe.batch_size
        # several batches at a time: what is missing of them fills the chunks in which it is computed
        window = size * -(-4 * fixed.chunk // size)
        for start in range(0, len(order), window):
            ahead = order[start : start + window]
            with autocast(self.data.device, self.recipe.precision):
                values = fixed.read(ahead, nodes)
            for first in range(0, len(ahead), size):
                yield [value[first : first + size] for value in values]

    def _random_batches(self, cycle: int, order: np.ndarray) -> Iterator[list[torch.Tensor]]:
        """As `_fixed_batches`, each batch augmented once for all members."""
        data, pre, size = self.data, self.recipe.preprocessing, self.recipe.batch_size
        targets = [Target(child.node) for child in self.alive]
        generator = torch_rng(*self.key, "augment", cycle)
        height, width = data.images.shape[1:3]
        draws = draw(pre, len(order), height, width, generator).to(data.device)
        for images, start in zip(data.batches(order, size), range(0, len(order), size), strict=True):
            part = draws.part(start, start + len(images))
            with autocast(data.device, self.recipe.precision):
                hidden = walk(targets, lambda x=images, p=part: apply(x, pre, p), apply=self.parts)
            yield hidden

    def _validate(self, cycle: int) -> None:
        # Validation keeps no activations for gradients, so a larger batch takes no more memory than a training step.
        size = min(512, 4 * self.recipe.batch_size)
        children = self.alive
        counts = [torch.zeros(2, dtype=torch.int64, device=self.data.device) for _ in children]
        for start in range(0, len(self.held_out), size):
            rows = np.arange(start, min(start + size, len(self.held_out)))
            labels = gather(self.held_out.labels, rows)
            with autocast(self.data.device, self.recipe.precision), torch.no_grad():
                hidden = self.validation.read(rows, [child.validation_node for child in children])
                for child, count, x in zip(children, counts, hidden, strict=True):
                    began = perf_counter()
                    count += count_correct(self.parts(child.logits, x), labels)
                    child.seconds["validation"] += perf_counter() - began
        for number, child in enumerate(self.children):
            if child in children:
                correct, usable = counts[children.index(child)].tolist()
                accuracy = child.end_validation(cycle, correct, usable, len(self.held_out))
                if self.on_cycle is not None and accuracy is not None:
                    self.on_cycle(number, cycle, accuracy)


def _check(items: Sequence[TrainItem]) -> None:
    """Raises InputError for recipes that cannot be followed side by side."""
    first = items[0].recipe
    for recipe in (item.recipe for item in items[1:]):
        for name in ("cycles", "samples_per_cycle", "batch_size", "precision", "preprocessing"):
            if getattr(recipe, name) != getattr(first, name):
                raise InputError(f"siblings that are trained together differ in {name}: train them one by one")
