"""`cifar:DIR`: the binary version of CIFAR-10 (`data_batch_1.bin`, …) or CIFAR-100 (`train.bin`, `test.bin`).

For CIFAR-100, `label=coarse` takes the 20 super-classes. The Python version is pickles, which are never read.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.sources.arrays.reading import Array
from munet.tasks.sources.arrays.source import ArraySource, Part
from munet.tasks.sources.walk import files_in

_PIXELS = 3 * 32 * 32


class CifarSource(ArraySource):
    """CIFAR-10 or CIFAR-100 as binary files. See the module."""

    scheme = "cifar"
    options_known = ("label", "order", "white")

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        kind = options.get("label", "fine")
        if kind not in ("fine", "coarse"):
            raise InputError(f"label={kind}{suggest(kind, ('fine', 'coarse'))}: use fine or coarse")
        super().__init__(location, options)

    def _find(self, path: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        if not path.is_dir():
            raise InputError(f"{path}: there is no such folder", kind="missing-file")
        files = {file.name: file for file in files_in(path)}
        batches = tuple(
            file for name, file in files.items() if name.startswith("data_batch_") and name.endswith(".bin")
        )
        if batches:
            if "label" in self.options:
                raise InputError(f"{self.address}: CIFAR-10 has one kind of label: leave out ?label=")
            found, before, column = {"train": batches, "test": (files.get("test_batch.bin"),)}, 1, 0
            names = _names(files.get("batches.meta.txt"))
        elif "train.bin" in files:
            column = 0 if self.options.get("label") == "coarse" else 1
            found, before = {"train": (files["train.bin"],), "test": (files.get("test.bin"),)}, 2
            names = _names(files.get(f"{('coarse', 'fine')[column]}_label_names.txt"))
        else:
            raise InputError(_neither(path, files))
        parts: dict[str, Part] = {}
        for split, several in found.items():
            if there := tuple(file for file in several if file is not None):
                images = Array(path, split, partial(_images, there, before), there)
                labels = Array(path, f"{split} labels", partial(_labels, there, before, column), there)
                parts[split] = Part(images, labels)
        return parts, names


def _neither(folder: Path, files: Mapping[str, Path]) -> str:
    if "batches.meta" in files or "data_batch_1" in files or {"train", "meta"} <= set(files):
        return (
            f"{folder}: the Python version of CIFAR is pickles, which may run code and are never read: get the binary "
            "version, cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, which cifar: reads"
        )
    return f"{folder}: no binary CIFAR: there must be data_batch_1.bin (CIFAR-10) or train.bin (CIFAR-100)"


def _records(files: Sequence[Path], before: int) -> np.ndarray:
    """uint8 (N, before + 3072): labels, then red, green and blue."""
    found: list[np.ndarray] = []
    for file in files:
        try:
            content = np.fromfile(file, np.uint8)
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
        if not len(content) or len(content) % (before + _PIXELS):
            raise InputError(f"{file}: damaged or truncated: its size is no multiple of {before + _PIXELS} bytes")
        found.append(content.reshape(-1, before + _PIXELS))
    return np.concatenate(found)


def _images(files: Sequence[Path], before: int) -> np.ndarray:
    planes = _records(files, before)[:, before:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(np.moveaxis(planes, 1, -1))


def _labels(files: Sequence[Path], before: int, column: int) -> np.ndarray:
    return _records(files, before)[:, column]


def _names(file: Path | None) -> tuple[str, ...] | None:
    if file is None:
        return None
    try:
        names = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error
    return tuple(name.strip() for name in names if name.strip())
