"""`mat:FILE`, or `mat:DIR` whose files are called after splits: MATLAB files up to version 7, read by scipy.

`X` and `y` as SVHN has them, or arrays called as in `npz:`. Images may be (H, W, C, N), as MATLAB has them.
"""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from munet.errors import InputError
from munet.tasks.sources.arrays.reading import Array, guarded
from munet.tasks.sources.arrays.roles import find_roles
from munet.tasks.sources.arrays.source import ArraySource, Part
from munet.tasks.sources.unpacking import refuse_bomb
from munet.tasks.sources.walk import files_in
from munet.tasks.split_names import in_grammar, match_splits

_BYTES = {
    "double": 8,
    "single": 4,
    "int64": 8,
    "uint64": 8,
    "int32": 4,
    "uint32": 4,
    "int16": 2,
    "uint16": 2,
} | dict.fromkeys(("int8", "uint8", "logical"), 1)


class MatSource(ArraySource):
    """Arrays of MATLAB files. See the module."""

    scheme = "mat"

    def _find(self, path: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        if path.is_file():
            return self._in_file(path), None
        if not path.is_dir():
            raise InputError(f"{path}: there is no such file or folder", kind="missing-file")
        files = [file for file in files_in(path) if file.suffix.lower() == ".mat"]
        known = match_splits(file.stem for file in files)
        parts: dict[str, Part] = {}
        for file in files:
            split = known.get(file.stem, in_grammar(file.stem))
            if split in parts:
                first = parts[split].image.path.name
                raise InputError(f"{path}: {first} and {file.name} are the same split: keep one of them")
            parts[split] = self._in_file(file)["train"]
        if not parts:
            raise InputError(f"{path}: no .mat file is there")
        return parts, None

    def _in_file(self, file: Path) -> dict[str, Part]:
        shapes = _shapes(file)
        roles = find_roles(shapes, str(file))
        if "train" not in roles.splits:
            reason = next(
                iter(roles.alone.values()), f"needs the arrays X and y, but holds {', '.join(shapes) or 'none'}"
            )
            raise InputError(f"{file}: {reason}")
        return {"train": Part(*(Array(file, name, partial(_read, file, name)) for name in roles.splits["train"]))}


def _scipy(file: Path) -> Any:
    try:
        import scipy.io
    except ImportError as error:
        raise InputError(f"{file}: needs scipy: pip install 'munet-ml[mat]'", kind="missing-extra") from error
    return scipy.io


def _shapes(file: Path) -> dict[str, tuple[tuple[int, ...], int]]:
    """The arrays of numbers in a file: their shapes, and bytes of a number."""
    io = _scipy(file)
    try:
        listed = guarded(lambda: io.whosmat(str(file)), str(file), file)
    except InputError as error:
        if isinstance(error.__cause__, NotImplementedError):
            raise InputError(
                f"{file}: MATLAB 7.3 files are HDF5: "
                f"python -c \"import h5py, numpy; f = h5py.File('{file}'); numpy.savez('images.npz', "
                "image=f['X'][:].transpose(0, 3, 2, 1), label=f['y'][:].ravel())\", and npz:images.npz reads them"
            ) from error
        raise
    return {name: (shape, _BYTES[kind]) for name, shape, kind in listed if kind in _BYTES}


def _read(file: Path, name: str) -> np.ndarray:
    io, (shape, size) = _scipy(file), _shapes(file)[name]
    what = f"{file}: the array '{name}'"
    refuse_bomb(what, file.stat().st_size, math.prod(shape) * size)
    return guarded(lambda: io.loadmat(str(file), variable_names=[name])[name], what, file)
