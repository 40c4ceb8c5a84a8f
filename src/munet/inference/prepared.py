"""Images in the form of a task as the batches that a network reads: after `pictures.py`, the last step before it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.store.schema import Manifest
from munet.training import Preprocessing, prepare

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def preprocessing_of(models: "ModelLoader", manifest: Manifest) -> Preprocessing:
    """How a model sees images outside training: resized to its input size and normalised as its root was."""
    return Preprocessing.from_hyperparameters(
        {"image_size": manifest["hyperparameters"]["image_size"]},
        variant="mu2net-plus",
        mean=models.kind.mean,
        std=models.kind.std,
    )


def batches(
    pictures: Iterable[np.ndarray], pre: Preprocessing, size: int, device: torch.device | str
) -> Iterator[torch.Tensor]:
    """Images uint8 (H, W, C), `size` at a time, as float32 (B, channels, S, S) on the device: resized, normalised."""
    rest = iter(pictures)
    while part := list(islice(rest, size)):
        yield torch.cat([prepare(torch.from_numpy(group).to(device), pre) for group in _stacked(part)])


def _stacked(pictures: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Neighbours of one shape as one array. All have one shape, unless the task's record does not tell its form."""
    start = 0
    for stop in range(1, len(pictures) + 1):
        if stop == len(pictures) or pictures[stop].shape != pictures[start].shape:
            yield np.stack(pictures[start:stop])
            start = stop
