"""Inputs with their targets, and the training batches made of them.

Examples are rows of a base array, so forty tasks over one image set hold its pixels once, as bytes. A batch is gathered
with one indexing step and only then becomes floating point.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from munet.allocation.data.transforms import AUGMENTATIONS, TRANSFORMS
from munet.errors import InputError, suggest
from munet.rng import Key, numpy_rng, torch_rng

Indices = np.ndarray | Tensor | Sequence[int]


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs with their targets.

    `inputs` is the base array: uint8 images (M, H, W, C), C 1 or 3, or float32 vectors (M, d). `targets` is int64 (N,)
    for classes or float32 (N,) for values. `rows`, int64 (N,), says which row of `inputs` each example is; without it
    example i is row i. `transform` is applied to every image: "" (none), "rot90" (a quarter turn counter-clockwise) or
    "rgb" (grey repeated in three channels). `augmentation` is what training does to images: "" or "crop" (zero-padded
    by 4 pixels on each side, then a random crop of the original size).

    InputError where these do not fit each other.
    """

    inputs: np.ndarray
    targets: np.ndarray
    rows: np.ndarray | None = None
    transform: str = ""
    augmentation: str = ""
    placed: Tensor | None = field(default=None, repr=False)
    """The base array on another device, where batches are wanted there. See `munet.allocation.data.on_device`."""

    def __post_init__(self) -> None:
        _check_arrays(self.inputs, self.targets, self.rows)
        for value, known, what in (
            (self.transform, TRANSFORMS, "transform"),
            (self.augmentation, AUGMENTATIONS, "augmentation"),
        ):
            if value and value not in known:
                raise InputError(f"unknown {what} '{value}'{suggest(value, known)}: use one of {', '.join(known)}")
            if value and not self.images:
                raise InputError(f"{what} '{value}' is for uint8 images, but the inputs are {self.inputs.dtype}")

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def images(self) -> bool:
        """Whether the inputs are images rather than vectors."""
        return self.inputs.dtype == np.uint8

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input as a network sees it: (C, H, W) or (d,)."""
        inputs, _ = self.batch([0])
        return tuple(inputs.shape[1:])

    def batch(self, indices: Indices, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The examples `indices` as inputs float32 (B, C, H, W) in [0, 1] or (B, d), and targets int64 or float32 (B,).

        With a CPU `generator` the augmentation is applied, drawn from it; without one the images stay as they are.
        """
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        targets = self._targets[chosen]
        rows = chosen if self._rows is None else self._rows[chosen]
        device = self._base.device
        inputs, targets = self._base.index_select(0, rows.to(device)), targets.to(device)
        if not self.images:
            return inputs, targets
        if generator is not None and self.augmentation:
            inputs = AUGMENTATIONS[self.augmentation](inputs, generator)
        inputs = inputs.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).div_(255)
        if self.transform:
            inputs = TRANSFORMS[self.transform](inputs).contiguous()
        return inputs, targets

    def in_order(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All examples once in their own order, `size` at a time (the last fewer), without augmentation."""
        for first in range(0, len(self), size):
            yield self.batch(range(first, min(first + size, len(self))))

    def on_device(self, device: torch.device | str, copies: dict[int, Tensor]) -> "Examples":
        """The same examples with batches on `device`; `copies` holds the base arrays that are there already, by id."""
        if id(self.inputs) not in copies:
            copies[id(self.inputs)] = _tensor(self.inputs).to(device)
        return replace(self, placed=copies[id(self.inputs)])

    @cached_property
    def _base(self) -> Tensor:
        return _tensor(self.inputs) if self.placed is None else self.placed

    @cached_property
    def _rows(self) -> Tensor | None:
        return None if self.rows is None else _tensor(self.rows)

    @cached_property
    def _targets(self) -> Tensor:
        return _tensor(self.targets)


class Batches:
    """The training batches of one task, numbered over the whole run: round i of a joint run takes batch i.

    Batch i is the batch `i % per_epoch` of epoch `i // per_epoch`. Every epoch is a fresh permutation, and its
    last batch is smaller where `size` does not divide the examples. Each batch follows from `key`, usually
    `(seed, task name)`, and its number alone: a run that resumes asks for the next number. InputError for a size
    below 1 or no examples.
    """

    def __init__(self, examples: Examples, size: int, key: Key) -> None:
        if size < 1:
            raise InputError(f"batch size {size}: it must be at least 1")
        if not len(examples):
            raise InputError(f"no examples to make batches of ({', '.join(map(str, key))})")
        self.examples = examples
        self.size = size
        self.key = key
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch, the last partial one included."""
        return -(-len(self.examples) // self.size)

    def indices(self, number: int) -> np.ndarray:
        """Which examples batch `number` holds, int64 (B,)."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            self._order, self._epoch = epoch_order(self.key, self.examples, epoch), epoch
        return self._order[place * self.size : (place + 1) * self.size]

    def of_round(self, number: int) -> tuple[Tensor, Tensor]:
        """The batch of round `number` as inputs and targets (`Examples.batch`), augmented where the examples say so."""
        generator = torch_rng(*self.key, "augmentation", number) if self.examples.augmentation else None
        return self.examples.batch(self.indices(number), generator=generator)


def epoch_order(key: Key, examples: Examples, epoch: int) -> np.ndarray:
    """The permutation int64 (N,) in which epoch `epoch` (from 0) visits the examples; a function of key and epoch."""
    return numpy_rng(*key, "order", epoch).permutation(len(examples))


def _tensor(array: np.ndarray) -> Tensor:
    """`array` as a tensor that shares its memory where torch can: it knows no read-only or reversed arrays."""
    array = np.ascontiguousarray(array)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _check_arrays(inputs: np.ndarray, targets: np.ndarray, rows: np.ndarray | None) -> None:
    images = inputs.dtype == np.uint8 and inputs.ndim == 4 and inputs.shape[-1] in (1, 3)
    if not images and not (inputs.dtype == np.float32 and inputs.ndim == 2):
        raise InputError(
            f"inputs of shape {inputs.shape} and type {inputs.dtype}: "
            "give uint8 images (N, H, W, C) with C 1 or 3, or float32 vectors (N, d)"
        )
    if targets.ndim != 1 or targets.dtype not in (np.int64, np.float32):
        raise InputError(
            f"targets of shape {targets.shape} and type {targets.dtype}: give int64 labels or float32 values, one each"
        )
    if rows is None:
        if len(inputs) != len(targets):
            raise InputError(f"{len(inputs)} inputs but {len(targets)} targets")
    elif rows.shape != targets.shape or rows.dtype != np.int64:
        raise InputError(f"rows of shape {rows.shape} and type {rows.dtype}: give int64, one for each target")
    elif len(rows) and not 0 <= rows.min() <= rows.max() < len(inputs):
        raise InputError(f"rows from {rows.min()} to {rows.max()}, but there are {len(inputs)} inputs")
