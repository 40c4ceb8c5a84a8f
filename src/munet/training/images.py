"""A split as tensors on the device that computes, and the order in which training reads it."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch

from munet.errors import InputError
from munet.streams import Key, numpy_stream


class SplitLike(Protocol):
    """What a task gives: uint8 images (N, H, W, C) with C = 1 or 3, and int64 labels (N,); numpy or torch."""

    @property
    def images(self) -> Any: ...
    @property
    def labels(self) -> Any: ...


@dataclass(frozen=True)
class ImageSet:
    """uint8 images (N, H, W, C) and int64 labels (N,) on one device."""

    images: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, split: SplitLike, device: torch.device | str) -> Self:
        """A split on a device, without a copy where it is there already. InputError when there is nothing in it."""
        images, labels = _tensor(split.images), _tensor(split.labels).to(torch.int64)
        if len(images) == 0 or len(images) != len(labels):
            raise InputError(
                f"a split has {len(images)} images and {len(labels)} labels; it needs as many, at least one"
            )
        return cls(images.to(device), labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


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
        permutation = numpy_stream(*key, "order", epoch).permutation(examples)
        low = max(start - epoch * examples, 0)
        parts.append(permutation[low : start + count - epoch * examples])
    return np.concatenate(parts)
