"""A split as tensors on the device that computes, and the order in which training reads it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch

from munet.errors import InputError
from munet.rng import Key, numpy_rng


class SplitLike(Protocol):
    """What a task gives: uint8 images (N, H, W, C) with C = 1 or 3, and int64 labels (N,); numpy or torch."""

    @property
    def images(self) -> Any: ...
    @property
    def labels(self) -> Any: ...


@dataclass(frozen=True)
class ImageSet:
    """uint8 images (N, H, W, C) and int64 labels (N,) for one device; the images stay on the CPU where they must.

    `check` is called with the indices of images before they are used (`munet.tasks.Split`).
    """

    images: torch.Tensor
    labels: torch.Tensor
    device: torch.device
    check: Callable[[np.ndarray], None] | None = None

    @classmethod
    def of(cls, split: SplitLike, device: torch.device | str) -> Self:
        """A split on a device, without a copy where it is there already. InputError when there is nothing in it.

        Images that would take more than half of what a GPU has free stay in the computer's memory.
        """
        place = torch.device(device)
        images, labels = _tensor(split.images), _tensor(split.labels).to(torch.int64)
        if len(images) == 0 or len(images) != len(labels):
            raise InputError(
                f"a split has {len(images)} images and {len(labels)} labels; it needs as many, at least one"
            )
        check = getattr(split, "check", None)
        if place.type != "cuda" or images.nbytes <= torch.cuda.mem_get_info(place)[0] // 2:
            if check is not None and place.type != "cpu":  # they leave the file for good
                check(np.arange(len(images)))
                check = None
            images = images.to(place)
        return cls(images, labels.to(place), place, check)

    def rows(self, indices: np.ndarray) -> torch.Tensor:
        """Images (B, H, W, C) at these indices, on the device; a view where the indices follow one another."""
        if self.check is not None:
            self.check(indices)
        return gather(self.images, indices).to(self.device, non_blocking=True)

    def batches(self, order: np.ndarray, size: int) -> Iterator[torch.Tensor]:
        """Images in this order, `size` at a time, on the device. One transfer of the order serves them all."""
        where = torch.from_numpy(order).to(self.images.device)
        for start, part in zip(range(0, len(order), size), where.split(size), strict=True):
            if self.check is not None:
                self.check(order[start : start + size])
            yield self.images[part].to(self.device, non_blocking=True)

    def __len__(self) -> int:
        return len(self.labels)


def gather(values: torch.Tensor, indices: np.ndarray) -> torch.Tensor:
    """Rows of a tensor, on its device; a view where they follow one another."""
    first, count = int(indices[0]), len(indices)
    if int(indices[-1]) - first + 1 == count and np.array_equal(indices, np.arange(first, first + count)):
        return values[first : first + count]
    return values[torch.from_numpy(indices).to(values.device, non_blocking=True)]


def _tensor(values: Any) -> torch.Tensor:
    if isinstance(values, torch.Tensor):
        return values
    array = np.asarray(values)
    return torch.from_numpy(array if array.flags.writeable else array.copy())  # torch would warn of read-only memory


def stream_order(key: Key, examples: int, start: int, count: int) -> np.ndarray:
    """Indices of samples start to start + count - 1 of an endless stream over `examples`, int64 (count,).

    Each epoch is one permutation of everything, drawn from the stream `(*key, "order", epoch)`, so that any part of it
    can be had without what came before.
    """
    parts = []
    first, last = start // examples, (start + count - 1) // examples
    for epoch in range(first, last + 1):
        permutation = numpy_rng(*key, "order", epoch).permutation(examples)
        low = max(start - epoch * examples, 0)
        parts.append(permutation[low : start + count - epoch * examples])
    return np.concatenate(parts)
