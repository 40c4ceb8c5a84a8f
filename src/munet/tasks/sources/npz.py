"""`npz:DIR` or `npz:FILE.npz`: numpy archives.

DIR: each DIR/<split>.npz is a split; it holds `image` (or `images`) and `label` (or `labels`). `val.npz` means
validation. Files without these arrays are left out. DIR/meta.json may name the classes in a list `classes`.
FILE.npz: the arrays <split>_image(s) and <split>_label(s), or plain image(s) and label(s) as the split train; the
array `classes` may name the classes. Images: see `munet.tasks.arrays`. Examples keep the order of the file.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.arrays import Images, convert_images
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.splits import ALIASES

_IMAGE, _LABEL = ("image", "images"), ("label", "labels")
_PREFIXED = re.compile(r"(?P<split>[\w.-]+?)_(?P<kind>image|label)s?", re.ASCII)
_MOST_CLASSES = 100_000


class NpzSource(Source):
    """Image and label arrays of numpy archives. See the module for the layouts."""

    scheme = "npz"
    packed = True

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        super().__init__(str(path), options)
        self._keys = _find(path)
        self._labels = {split: _read_labels(*self._keys[split]) for split in self._keys}
        self._classes = _class_names(path, self._labels)
        self._images: dict[str, Images] = {}

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        return train_first({split: len(labels) for split, labels in self._labels.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        return self._labels[split]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        images = self._split_images(split)
        for row in rows:
            pixels = images.pixels[row]
            if row in images.unusable:
                yield Unusable(pixels.tobytes(), f"{self.stored_name(split, row)}: NaN or infinite values")
            else:
                yield pixels

    def stored_name(self, split: str, row: int) -> str:
        path, image, _ = self._keys[split]
        return f"{path} {image}[{row}]"

    def files(self, split: str) -> list[Path]:
        return [self._keys[split][0]]

    def _split_images(self, split: str) -> Images:
        if split not in self._images:
            path, image, label = self._keys[split]
            array = _read(path, image)
            count = len(self._labels[split])
            if array.ndim and len(array) != count:
                raise InputError(f"{path}: {len(array)} images in '{image}' but {count} labels in '{label}'")
            images = convert_images(array, f"{path} '{image}'")
            if array.dtype == np.uint8 and array.max() == 1:
                raise InputError(f"{path}: '{image}' holds only 0 and 1: multiply by 255, or store it as bool")
            self._images[split] = images
        return self._images[split]


def _find(path: Path) -> dict[str, tuple[Path, str, str]]:
    """For each split the archive and the names of its image and label arrays."""
    if path.is_dir():
        found = _find_in_folder(path)
    elif path.is_file():
        found = _find_in_file(path)
    else:
        raise InputError(f"{path}: there is no such folder or .npz file", kind="missing-file")
    if not found:
        raise InputError(f"{path}: no split found: there must be at least train.npz with the arrays image and label")
    return found


def _find_in_folder(folder: Path) -> dict[str, tuple[Path, str, str]]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".npz")
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}") from error
    found: dict[str, tuple[Path, str, str]] = {}
    for file in files:
        split = ALIASES.get(file.stem, file.stem)
        if split in found:
            raise InputError(f"{folder}: {found[split][0].name} and {file.name} are the same split: keep one of them")
        names = _array_names(file)
        image, label = (next((name for name in wanted if name in names), None) for wanted in (_IMAGE, _LABEL))
        if image and label:
            found[split] = file, image, label
        elif split in ("train", "validation", "test"):
            raise InputError(f"{file}: needs the arrays image and label, but holds {', '.join(names) or 'none'}")
    return found


def _find_in_file(file: Path) -> dict[str, tuple[Path, str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    names = _array_names(file)
    for name in names:
        match = _PREFIXED.fullmatch(name)
        if name in _IMAGE or name in _LABEL:
            kinds.setdefault("train", {})[name.rstrip("s")] = name
        elif match:
            kinds.setdefault(ALIASES.get(match["split"], match["split"]), {})[match["kind"]] = name
    for split, kind in kinds.items():
        if len(kind) == 1:
            there, lacks = next(iter(kind.values())), ({"image", "label"} - set(kind)).pop()
            raise InputError(f"{file}: the array '{there}' has no {split}_{lacks} beside it")
    if not kinds:
        raise InputError(
            f"{file}: needs the arrays train_image and train_label, or image and label, but holds "
            f"{', '.join(names) or 'none'}"
        )
    return {split: (file, kind["image"], kind["label"]) for split, kind in kinds.items()}


def _array_names(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except (zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{file}: not a numpy archive, or truncated: write it with numpy.savez") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error


def _read(file: Path, name: str) -> np.ndarray:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return archive[name]
    except ValueError as error:
        if "pickle" in str(error):
            raise InputError(
                f"{file}: the array '{name}' holds pickled objects, which may run code and are never read: "
                "store numbers of one shape"
            ) from error
        raise InputError(f"{file}: the array '{name}' is damaged ({error})") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise InputError(f"{file}: the array '{name}' is damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error


def _read_labels(file: Path, image: str, label: str) -> np.ndarray:
    labels = _read(file, label)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise InputError(
            f"{file}: '{label}' of shape {labels.shape} and type {labels.dtype} must be one whole number per image "
            "(one-hot labels: take argmax(1))"
        )
    if not len(labels):
        raise InputError(f"{file}: '{label}' is empty")
    if labels.min() < 0:
        row = int(np.argmax(labels < 0))
        raise InputError(f"{file}: '{label}'[{row}] is {labels[row]}: labels number the classes from 0")
    if labels.max() >= _MOST_CLASSES:
        raise InputError(f"{file}: '{label}' goes up to {labels.max()}: labels must number the classes from 0")
    return labels.astype(np.int64)


def _class_names(path: Path, labels: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Names that come with the data, or else the numbers themselves."""
    needed = max(int(values.max()) for values in labels.values()) + 1
    names = _names_in_meta(path / "meta.json") if path.is_dir() else _names_in_archive(path)
    if names is None:
        return tuple(str(label) for label in range(needed))
    if len(names) < needed:
        raise InputError(f"{path}: {len(names)} class names, but a label {needed - 1}")
    if len(set(names)) < len(names):
        raise InputError(f"{path}: a class name occurs twice among the {len(names)}")
    return names


def _names_in_archive(file: Path) -> tuple[str, ...] | None:
    if "classes" not in _array_names(file):
        return None
    return tuple(str(name) for name in _read(file, "classes").ravel().tolist())


def _names_in_meta(file: Path) -> tuple[str, ...] | None:
    if not file.is_file():
        return None
    try:
        names = json.loads(file.read_text("utf-8")).get("classes")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{file}: cannot be read as a JSON object ({error})") from error
    return tuple(str(name) for name in names) if isinstance(names, list) else None
