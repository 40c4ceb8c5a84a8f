"""Images that a person wants classified, in whatever form, as arrays. Needs no torch."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from munet.errors import InputError
from munet.tasks import decode_image


def as_pictures(images: Any) -> list[np.ndarray]:
    """Files, arrays, tensors, PIL images, or a sequence of those, as a list of uint8 arrays (H,W,C).

    InputError for what is no image, and for arrays that are not uint8 or not (N,H,W,C), (N,H,W) or (H,W,C).
    """
    images = _from_tensor(images)
    if isinstance(images, np.ndarray):
        return _from_array(images)
    if isinstance(images, str | Path | bytes) or not isinstance(images, Sequence):
        images = [images]
    if len(images) == 0:
        raise InputError("no images to classify: give at least one")
    pictures: list[np.ndarray] = []
    for image in map(_from_tensor, images):
        pictures += _from_array(image) if isinstance(image, np.ndarray) else [decode_image(image)]
    return pictures


def _from_tensor(image: Any) -> Any:
    """A tensor as an array; anything else as it is. Who holds a tensor has imported torch."""
    torch = sys.modules.get("torch")
    return image.cpu().numpy() if torch is not None and isinstance(image, torch.Tensor) else image


def _from_array(images: np.ndarray) -> list[np.ndarray]:
    if images.dtype != np.uint8:
        raise InputError(f"images are {images.dtype}: give uint8 values from 0 to 255")
    if images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in (1, 3)):
        images = images[None]
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(f"images have shape {images.shape}: give (N,H,W,3), (N,H,W,1), (N,H,W) or (H,W,3)")
    return [np.ascontiguousarray(image) for image in images]
