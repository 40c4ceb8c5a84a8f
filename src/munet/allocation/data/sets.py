"""A whole image set in one array, from a folder of prepared sets or from the hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from munet.catalog.places import VARIABLE, data_folder
from munet.errors import InputError, suggest
from munet.rng import numpy_rng
from munet.tasks.planning import plan_splits
from munet.tasks.reading import read
from munet.tasks.sources import open_source
from munet.tasks.sources.base import Source, Unusable
from munet.tasks.splits import PARTS
from munet.tasks.stack import Gathering

SPLITS = ("clean", "paper")
HUB = {"mnist": "hf:ylecun/mnist", "fashion_mnist": "hf:zalando-datasets/fashion_mnist"}


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images uint8 (M, H, W, C) of all splits in one array, labels int64 (M,), and the rows of each split, int64."""

    images: np.ndarray
    labels: np.ndarray
    rows: Mapping[str, np.ndarray]

    @property
    def learnable(self) -> np.ndarray:
        """Rows of train and validation, the former first."""
        return np.concatenate([self.rows["train"], self.rows["validation"]])


def check_splits(splits: str) -> None:
    """InputError unless `splits` is one of SPLITS."""
    if splits not in SPLITS:
        raise InputError(f"splits '{splits}'{suggest(str(splits), SPLITS)}: use one of {', '.join(SPLITS)}")


def read_set(name: str, data: Path | None, *, classes: int, shape: tuple[int, ...]) -> ImageSet:
    """The set `name`: the archives of `data`/`name`, else the hub where that has it.

    A set without a validation split gives the first 5 % of its train split for one, as elsewhere in munet. InputError
    where it cannot be had, or does not hold exactly `classes` classes of images of `shape` (H, W, C).
    """
    source = _open(name, data)
    counts = source.counts()
    if "test" not in counts:
        raise InputError(f"{source.address}: there is no split 'test', only {', '.join(counts)}")
    plan = plan_splits(counts, dict.fromkeys(PARTS))
    parts = {part: _read_ranges(source, plan[part].ranges) for part in PARTS}
    for part, (images, labels) in parts.items():
        if images.shape[1:] != shape:
            size = " x ".join(map(str, images.shape[1:]))
            raise InputError(f"{source.address}: {part} images of {size}, but {name} has {' x '.join(map(str, shape))}")
        found = np.unique(labels)
        if found[-1] >= classes or (part != "validation" and len(found) < classes):
            raise InputError(
                f"{source.address}: {part} has {len(found)} classes from {found[0]} to {found[-1]}, "
                f"but {name} has {classes}, numbered from 0"
            )
    ends = np.cumsum([len(labels) for _, labels in parts.values()]).tolist()
    rows = {part: np.arange(end - len(parts[part][1]), end) for part, end in zip(parts, ends, strict=True)}
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts.values(), strict=True))
    return ImageSet(images, labels, rows)


def hold_out(rows: np.ndarray, labels: np.ndarray, percent: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """`rows` as (train, validation): `percent` % of each class, rounded, are drawn for validation.

    `labels` int64 (len(rows),). The draw is named by `name` alone, so that it is the same in every run and for every
    task made of the set: no task trains on what another is validated on.
    """
    held = np.zeros(len(rows), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = numpy_rng("allocation", name, "validation", int(label)).permutation(len(members))
        held[members[order[: round(len(members) * percent / 100)]]] = True
    return rows[~held], rows[held]


def missing(name: str, data: Path | None, entry: str = "train.npz") -> str | None:
    """Why the file or folder `data`/`name`/`entry` is not there, or None. InputError where `data` is no folder."""
    folder = data_folder(data)
    if folder is None:
        return f"no folder of image sets is given (--data DIR or {VARIABLE})"
    path = folder / name / entry
    return None if path.exists() else f"there is no {path}"


def folder_of(name: str, data: Path | None) -> Path:
    """The folder of a set that is not `missing`."""
    folder = data_folder(data)
    assert folder is not None
    return folder / name


def _open(name: str, data: Path | None) -> Source:
    reason = missing(name, data)
    if reason is None:
        return open_source(f"npz:{folder_of(name, data)}")
    if name not in HUB:
        raise InputError(f"{name} cannot be had: {reason}")
    try:
        return open_source(HUB[name])
    except InputError as error:
        raise InputError(f"{name} cannot be had: {reason}, and {error}") from error


def _read_ranges(source: Source, ranges: tuple[tuple[str, int, int], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (N, H, W, C) and labels int64 (N,)."""
    labels = np.concatenate([source.labels(split)[start:stop] for split, start, stop in ranges])
    return read_images(source, ranges), labels


def read_images(source: Source, ranges: tuple[tuple[str, int, int], ...]) -> np.ndarray:
    """The images of `ranges`, uint8 (N, H, W, C). InputError where one is unusable or has another size."""
    if source.scheme != "npz":
        gathering = Gathering(sum(stop - start for _, start, stop in ranges))
        read(source, ranges, to=gathering.add)
        return gathering.array()
    images = []  # decoded already: no need for threads and fingerprints
    for split, start, stop in ranges:
        for item in source.items(split, start, stop):
            if isinstance(item, Unusable):
                raise InputError(item.reason)
            images.append(item)
    return np.stack(images)
