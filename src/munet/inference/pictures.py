"""Images that a person wants classified, in whatever form, as arrays in the form of a task. Needs no torch."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from munet.errors import InputError
from munet.tasks.arrays import over_white
from munet.tasks.form import Form
from munet.tasks.white import Dark

_SHAPES = "give (N,H,W,C), (N,H,W) or (H,W,C) with C 1 (grey), 3 (RGB) or 4 (RGBA)"


def pictures_of(images: Any, form: Form, dark: Dark) -> Iterator[np.ndarray]:
    """Files, arrays, tensors, PIL images, or a sequence of those, one by one as uint8 (H,W,C) in the form of the task.

    InputError for what is no image, and for arrays that are not uint8 or not (N,H,W,C), (N,H,W) or (H,W,C), where C is
    1, 3, or 4 for RGBA, which is laid over white. `dark` hears how bright files and PIL images are.
    """
    images = _from_tensor(images)
    if isinstance(images, np.ndarray | str | Path | bytes) or not isinstance(images, Sequence):
        images = [images]
    if len(images) == 0:
        raise InputError("no images to classify: give at least one")
    for number, image in enumerate(map(_from_tensor, images)):
        if isinstance(image, np.ndarray):
            yield from map(form.fitted, _from_array(image))
        else:
            picture, brightest = form.looked_at(image)
            dark.add(str(image) if isinstance(image, str | Path) else f"image {number}", image, brightest, form.white)
            yield picture


def _from_tensor(image: Any) -> Any:
    """A tensor as an array; anything else as it is. Who holds a tensor has imported torch."""
    torch = sys.modules.get("torch")
    return image.cpu().numpy() if torch is not None and isinstance(image, torch.Tensor) else image


def _from_array(images: np.ndarray) -> list[np.ndarray]:
    """The images (H,W,1 or 3) of an array."""
    if images.dtype != np.uint8:
        raise InputError(f"images are {images.dtype}: give uint8 values from 0 to 255")
    shape = images.shape
    if images.ndim == 2 or (images.ndim == 3 and shape[-1] in (1, 3, 4)):
        images = images[None]
    elif images.ndim == 3 and shape[0] in (3, 4):  # an image of three planes, or three grey images?
        raise InputError(
            f"images have shape {shape}: if the channels come first, np.moveaxis(images, 0, -1) puts them last; "
            f"if these are {shape[0]} grey images, give images[..., None]"
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and shape[-1] not in (1, 3, 4) and shape[1] in (1, 3, 4):
        raise InputError(
            f"images have shape {shape}: the channels come first, np.moveaxis(images, 1, -1) puts them last"
        )
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape:
        raise InputError(f"images have shape {shape}: {_SHAPES}")
    if images.shape[-1] == 4:
        images = over_white(images[..., :3], images[..., 3:])
    return [np.ascontiguousarray(image) for image in images]
