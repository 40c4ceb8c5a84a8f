"""CIFAR-100 (Krizhevsky 2009) with its super-classes, from whichever form is at hand."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from munet.allocation.data.archives import read_arrays
from munet.allocation.data.pickled import read_pickled
from munet.allocation.data.sets import folder_of, missing, read_images
from munet.errors import InputError
from munet.tasks.sources import open_source

SUPER_CLASSES = (
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
)
FINE = 5  # classes in each super-class
_HUB = "hf:uoft-cs/cifar100"


class Cifar100(NamedTuple):
    """Train images first, then `tests` test images: uint8 (M, 32, 32, 3), fine and coarse labels int64 (M,)."""

    images: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    tests: int


def read_cifar100(data: Path | None) -> Cifar100:
    """CIFAR-100 from the first of these that is there:

        DATA/cifar-100-python/train, test       as published, pickled (read by `munet.allocation.data.pickled`)
        DATA/cifar100/train.npz, test.npz       arrays image, fine_label, coarse_label
        the Hugging Face hub

    InputError where none is, or it is not CIFAR-100.
    """
    if missing("cifar-100-python", data, "train") is None:
        folder = folder_of("cifar-100-python", data)
        parts, where = [_pickled(folder / part) for part in ("train", "test")], str(folder)
    elif missing("cifar100", data) is None:
        folder = folder_of("cifar100", data)
        parts, where = [_archived(folder / f"{part}.npz") for part in ("train", "test")], str(folder)
    else:
        parts, where = _from_hub(data), _HUB
    for part in parts:
        _check(where, *part)
    images, fine, coarse = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    _check_classes(where, fine, coarse)
    return Cifar100(images, fine, coarse, len(parts[1][1]))


_Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def _pickled(file: Path) -> _Arrays:
    content = read_pickled(file)
    absent = [name for name in ("data", "fine_labels", "coarse_labels") if name not in content]
    if absent:
        raise InputError(f"{file}: {' and '.join(absent)} missing; it holds {', '.join(content) or 'nothing'}")
    pixels = content["data"]
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != 3072:
        raise InputError(f"{file}: 'data' must be an array of bytes (N, 3072): 32 x 32 pixels, channels first")
    images = np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return images, _labels(file, content["fine_labels"]), _labels(file, content["coarse_labels"])


def _labels(file: Path, values: object) -> np.ndarray:
    if not isinstance(values, list) or not all(isinstance(value, int) for value in values):
        raise InputError(f"{file}: the labels must be a list of whole numbers")
    return np.array(values, np.int64)


def _archived(file: Path) -> _Arrays:
    arrays = read_arrays(file, ("image", "fine_label", "coarse_label"))
    return arrays["image"], arrays["fine_label"], arrays["coarse_label"]


def _from_hub(data: Path | None) -> list[_Arrays]:
    try:
        fine, coarse = (open_source(f"{_HUB}?label={kind}_label") for kind in ("fine", "coarse"))
    except InputError as error:
        first, second = missing("cifar-100-python", data, "train"), missing("cifar100", data)
        reason = first if first == second else f"{first}, {second}"
        raise InputError(
            f"CIFAR-100 cannot be had: {reason}, and {error}; the experiment 'clusters-local' does without it"
        ) from error
    counts = fine.counts()
    return [
        (read_images(fine, ((part, 0, counts[part]),)), fine.labels(part), coarse.labels(part))
        for part in ("train", "test")
    ]


def _check(where: str, images: np.ndarray, fine: np.ndarray, coarse: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
        raise InputError(
            f"{where}: images of shape {images.shape} and type {images.dtype}, but CIFAR-100 has uint8 (N, 32, 32, 3)"
        )
    for name, labels, classes in (("fine", fine, 100), ("coarse", coarse, len(SUPER_CLASSES))):
        if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
            raise InputError(f"{where}: {name} labels of shape {labels.shape} and type {labels.dtype} do not fit")
        if set(labels.tolist()) != set(range(classes)):
            raise InputError(
                f"{where}: {len(set(labels.tolist()))} {name} classes, but CIFAR-100 has {classes}, numbered from 0, "
                "in train and in test"
            )


def _check_classes(where: str, fine: np.ndarray, coarse: np.ndarray) -> None:
    """Every fine class lies in one super-class, and every super-class has five."""
    pairs = np.unique(np.stack([coarse, fine]), axis=1)
    counts = np.bincount(pairs[0])
    if pairs.shape[1] != 100 or (counts != FINE).any():
        odd = SUPER_CLASSES[int(np.argmax(counts != FINE))]
        raise InputError(
            f"{where}: the super-class {odd} has {counts.max()} classes: each of the 20 must have its own {FINE}"
        )
