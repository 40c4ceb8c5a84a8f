"""Reading one array of a file, in memory and time that the file deserves. Nothing is ever unpickled."""

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.lib import format as npy

from munet.errors import InputError
from munet.tasks.sources.unpacking import refuse_bomb

T = TypeVar("T")


@dataclass(frozen=True)
class Array:
    """An array in a file: how it is called in errors, and how it is read. `parts` are the files that it is put together
    from, where they are several, in the folder `path`."""

    path: Path
    name: str
    read: Callable[[], np.ndarray]
    parts: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.path} '{self.name}'" if self.name else str(self.path)

    def row(self, row: int) -> str:
        """What to call a row in an error."""
        return f"{self.path} {self.name}[{row}]" if self.name else f"{self.path}[{row}]"


def array_names(file: Path) -> list[str]:
    """The arrays of a numpy archive. InputError where it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:  # RuntimeError: encrypted, or packed as nobody does
        raise InputError(f"{file}: not a numpy archive, or truncated: write it with numpy.savez") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error


def from_archive(file: Path, name: str) -> np.ndarray:
    """One array of a numpy archive. InputError where it is damaged, holds objects, or lies about its size."""
    what = f"{file}: the array '{name}'"

    def read() -> np.ndarray:
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo(f"{name}.npy")
            refuse_bomb(what, member.compress_size, member.file_size)
            with archive.open(member) as stream:
                _check_header(stream, member.file_size)
            with archive.open(member) as stream:
                return npy.read_array(stream, allow_pickle=False)

    return guarded(read, what, file)


def from_npy(file: Path) -> np.ndarray:
    """The array of an .npy file, mapped: only what is used is read. InputError as for archives."""
    return guarded(lambda: np.load(file, mmap_mode="r", allow_pickle=False), f"{file}: the array", file)


def _check_header(stream: IO[bytes], size: int) -> None:
    """ValueError where an array claims to be another size than its bytes."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        return  # only names of fields need another, which images do not have
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(stream)
    if dtype.hasobject:
        raise ValueError("pickle")
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != size - stream.tell():
        raise ValueError(f"shape {shape} of {dtype} is not what its {size - stream.tell():,} bytes hold")


def guarded(read: Callable[[], T], what: str, file: Path) -> T:
    """What `read` gives; whatever it raises becomes one line about `what`, in `file`."""
    try:
        return read()
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such file", kind="missing-file") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # damaged headers raise SyntaxError, TokenError, RecursionError and more
        reason = " ".join(str(error).split()) or type(error).__name__
        if any(word in reason for word in ("pickle", "Object arrays", "Python objects")):
            raise InputError(
                f"{what} holds pickled objects, which may run code and are never read: store numbers of one shape"
            ) from error
        raise InputError(f"{what} is damaged ({reason[:200]})") from error
