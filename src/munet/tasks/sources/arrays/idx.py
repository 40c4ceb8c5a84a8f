"""`idx:DIR`, or `idx:DIR/NAME` for files that begin with NAME: the files of MNIST and of the sets made like it.

Files are called `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, `t10k-…` or `test-…`, with or without `.gz`
and with the name of the set in front (`emnist-balanced-train-images-idx3-ubyte.gz`).
"""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.sources.arrays.reading import Array
from munet.tasks.sources.arrays.source import ArraySource, Part
from munet.tasks.sources.unpacking import read_unpacked
from munet.tasks.sources.walk import files_in
from munet.tasks.split_names import match_splits

IDX_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<split>train|t10k|test|val|valid|validation)[-_.](?P<kind>images|labels)[-_.]idx\d-ubyte"
    r"(\.gz)?",
    re.IGNORECASE,
)
_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


class IdxSource(ArraySource):
    """Images and labels in idx files. See the module for their names."""

    scheme = "idx"

    def _find(self, path: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        folder, wanted = (path, None) if path.is_dir() else (path.parent, path.name)
        if not folder.is_dir():
            raise InputError(f"{path}: there is no such folder", kind="missing-file")
        sets: dict[str, dict[tuple[str, str], Path]] = defaultdict(dict)
        for file in files_in(folder):
            if match := IDX_NAME.fullmatch(file.name):
                split = "test" if match["split"].lower() == "t10k" else match_splits([match["split"]])[match["split"]]
                if (before := sets[match["set"]].setdefault((split, match["kind"].lower()), file)) != file:
                    raise InputError(f"{before} and {file.name} are the same {match['kind']}: keep one of them")
        files = self._chosen(folder, wanted, sets)
        if not any(kind == "images" for _, kind in files):
            raise InputError(
                f"{folder}: there are labels, but no images beside them, such as train-images-idx3-ubyte.gz"
            )
        if any("emnist" in file.name.lower() for file in files.values()):
            self._notes.append("EMNIST stores its images on their side: rows and columns are exchanged")
        return {split: _pair(files, split) for split, kind in files if kind == "images"}, None

    def _chosen(
        self, folder: Path, wanted: str | None, sets: dict[str, dict[tuple[str, str], Path]]
    ) -> dict[tuple[str, str], Path]:
        if wanted is None and len(sets) == 1:
            return next(iter(sets.values()))
        if wanted in sets:
            return sets[wanted]
        if not sets:
            raise InputError(f"{folder}: no idx file, such as train-images-idx3-ubyte.gz", kind="missing-file")
        some = ", ".join(f"idx:{folder / name}" for name in sorted(sets)[:3])
        what = "holds several sets" if wanted is None else f"holds no set '{wanted}'"
        raise InputError(f"{folder} {what}: name one, {some}")


def _pair(files: dict[tuple[str, str], Path], split: str) -> Part:
    images, labels = files[split, "images"], files.get((split, "labels"))
    if labels is None:
        raise InputError(f"{images}: the labels are not beside it, {images.name.replace('images-idx3', 'labels-idx1')}")
    return Part(*(Array(file, "", partial(_read, file)) for file in (images, labels)))


def _read(file: Path) -> np.ndarray:
    """The array in an idx file: two zeros, type, number of axes, their lengths, values; most significant byte first."""
    content = read_unpacked(file)
    kind = _TYPES.get(content[2]) if len(content) > 4 and content[:2] == b"\0\0" else None
    if kind is None or len(content) < 4 + 4 * content[3]:
        raise InputError(f"{file}: not an idx file, or damaged")
    start = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist())
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size != len(content) - start:
        raise InputError(f"{file}: damaged or truncated: {len(content) - start:,} bytes, but {size:,} are expected")
    values = np.frombuffer(content, kind, offset=start).reshape(shape)
    return values.astype(values.dtype.newbyteorder("="))
