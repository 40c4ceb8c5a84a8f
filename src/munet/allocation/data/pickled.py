"""Pickled dictionaries of numbers, read without running what is in them.

A pickle is a program. This reader lets it build lists, dictionaries, texts, numbers and arrays of bytes, and nothing
else: the three numpy names and the one codec that such files mention mean stand-ins of ours; any other name ends the
reading.
"""

import io
import math
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np

from munet.errors import InputError


def read_pickled(file: Path) -> dict[str, Any]:
    """The dictionary of `file`, names as text, arrays as uint8. InputError for anything else, or a damaged file."""
    try:
        pickled = file.read_bytes()
        _refuse_lies(pickled)
        content = _Reader(io.BytesIO(pickled), encoding="bytes").load()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    except _Forbidden as error:
        raise InputError(
            f"{file}: names {error}, which plain data never does; it was not run: get the file anew"
        ) from error
    except Exception as error:  # a damaged pickle raises nearly anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{file}: not a pickle of plain data, or damaged ({reason[:120]})") from error
    if not isinstance(content, dict):
        raise InputError(f"{file}: holds a {type(content).__name__}, not a dictionary")
    return {_text(name): value.array() if isinstance(value, _Array) else value for name, value in content.items()}


def _refuse_lies(pickled: bytes) -> None:
    """ValueError for lengths that are not there and for places that nothing leads to: seven bytes of a pickle can make
    a reader allocate gigabytes. Nothing is built on the way."""
    for count, (code, argument, _) in enumerate(pickletools.genops(pickled)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument) > count:  # type: ignore[arg-type]
            raise ValueError(f"place {argument} after {count} steps")


class _Forbidden(Exception):
    """The name of what a pickle wanted to call."""


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        found = _STAND_INS.get((module_name.replace("numpy.core.", "numpy._core."), global_name))
        if found is None:
            raise _Forbidden(f"{module_name}.{global_name}")
        return found


class _Type:
    """In place of numpy.dtype."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code = _text(code)

    def __setstate__(self, state: object) -> None:
        """Byte order and the like; a type of one byte has none."""


class _Array:
    """In place of numpy.ndarray, of bytes only."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, kind, self.fortran, self.content = state
        if not isinstance(kind, _Type) or kind.code != "u1":
            raise ValueError(f"an array of type {getattr(kind, 'code', kind)}, not of bytes")
        if not isinstance(self.content, bytes) or len(self.content) != math.prod(self.shape):
            raise ValueError(f"an array of shape {self.shape} with other content")

    def array(self) -> np.ndarray:
        flat = np.frombuffer(self.content, np.uint8)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: str, codec: str) -> bytes:
    if codec != "latin1":
        raise ValueError(f"text in {codec}")
    return text.encode("latin1")


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


_STAND_INS = {
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
}
