"""The frozen prefix of a network: computed once for inputs that never change, and reused over the cycles of a child.

Below its lowest trainable layer a child is a fixed function. Validation images never change, and neither do training
images whose preprocessing is deterministic, so their activations at that point are computed once, within a budget.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing, prepare

Function = Callable[[torch.Tensor], torch.Tensor]


class Trainable(Protocol):
    """What training needs of a network."""

    def __call__(self, x_BCHW: torch.Tensor, /) -> torch.Tensor: ...
    def stages(self) -> list[tuple[str, Function]]: ...
    def trained_layers(self) -> Mapping[str, Mapping[str, torch.Tensor]]: ...
    def slot_parameters(self, slot: str, /) -> Mapping[str, nn.Parameter]: ...


@dataclass(frozen=True)
class Halves:
    """A network cut below its lowest trainable stage: logits = suffix(prefix(x))."""

    prefix: Function  # runs without autograd
    suffix: Function
    frozen: int  # stages in the prefix

    @classmethod
    def of(cls, network: Trainable, *, cut: bool = True) -> "Halves":
        """`cut` False keeps the whole network in the suffix."""
        if not cut:
            return cls(lambda x: x, network, 0)
        trained = set(network.trained_layers())
        stages = network.stages()
        frozen = 0
        while frozen < len(stages) and not _slots_of(stages[frozen][0]) & trained:
            frozen += 1
        below, above = [stage for _, stage in stages[:frozen]], [stage for _, stage in stages[frozen:]]
        return cls(torch.no_grad()(lambda x: _chain(below, x)), lambda x: _chain(above, x), frozen)


def _slots_of(stage: str) -> set[str]:
    return {"embedding", "cls", "posembed"} if stage == "posembed" else {stage}


def _chain(stages: list[Function], x: torch.Tensor) -> torch.Tensor:
    for stage in stages:
        x = stage(x)
    return x


class FixedInputs:
    """A split in fixed batches, as the suffix reads it: (activations, labels), computed anew or kept.

    Batches are the same either way, so that the activations are too, bit for bit: the shape of a batch may change how
    a matrix product is rounded.
    """

    def __init__(self, data: ImageSet, pre: Preprocessing, prefix: Function, batch_size: int) -> None:
        self._data, self._pre, self._prefix, self._batch_size = data, pre, prefix, batch_size
        self.kept: list[torch.Tensor] | None = None

    def __len__(self) -> int:
        return len(self._data)

    def keep(self, budget: int) -> int:
        """Compute everything now and keep it, if that takes at most `budget` bytes. Returns the bytes it holds."""
        kept: list[torch.Tensor] = []
        for start in range(0, len(self._data), self._batch_size):
            kept.append(self._compute(start))
            size = kept[0].element_size() * kept[0][0].numel() * len(self._data)
            if size > budget:  # known from the first batch
                return 0
        self.kept = kept
        return sum(part.nbytes for part in kept)

    def _compute(self, start: int) -> torch.Tensor:
        return self._prefix(prepare(self._data.images[start : start + self._batch_size], self._pre))

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for number, start in enumerate(range(0, len(self._data), self._batch_size)):
            inputs = self._compute(start) if self.kept is None else self.kept[number]
            yield inputs, self._data.labels[start : start + self._batch_size]
