"""The files of a run of an allocation as bytes: each carries a checksum, which is checked whenever it is read."""

import hashlib
import io
import json
import pickle
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from munet.errors import DamagedError, StoreError
from munet.fs.decoding import DecodingError, decode_json
from munet.fs.sealed_zip import check_zip, seal_zip
from munet.fs.tree import Tree
from munet.store.records import canonical

_SEAL = "sha256"
_DIGEST = re.compile("[0-9a-fA-F]{64}")
_ANEW = "remove the run's folder and train it anew"


def write_json(files: Tree, path: Path, value: Mapping[str, Any]) -> None:
    """A JSON object for people to read, with the checksum of its canonical text as the last key."""
    text = json.dumps(_sealed(value), ensure_ascii=False, allow_nan=False, indent=2)
    files.write(path, f"{text}\n".encode())


def read_json(files: Tree, path: Path) -> dict[str, Any]:
    """What `write_json` wrote; an older version wrote no checksum. Raises DamagedError, StoreError."""
    try:
        return _checked(decode_json(files.read(path)))
    except ValueError as error:
        raise DamagedError(f"{path} is damaged ({error}): take it from a backup, or {_ANEW}") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): {_ANEW}") from error


def write_lines(files: Tree, path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """A JSON object a line, each with its checksum."""
    files.write(path, "".join(json.dumps(_sealed(line), allow_nan=False) + "\n" for line in lines).encode())


def read_lines(files: Tree, path: Path) -> list[dict[str, Any]]:
    """What `write_lines` wrote. A last line that was cut off is left out; DamagedError for any other that is wrong."""
    try:
        *whole, last = files.read(path).split(b"\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): {_ANEW}") from error
    found = []
    for number, line in enumerate(whole, start=1):
        try:
            found.append(_checked(decode_json(line)))
        except ValueError as error:
            raise DamagedError(
                f"{path} is damaged in line {number} ({error}): take it from a backup, or remove that line"
            ) from error
    if last:
        with suppress(ValueError):  # without a line end it may be whole all the same
            found.append(_checked(decode_json(last)))
    return found


def write_tensors(files: Tree, path: Path, held: Mapping[str, Any]) -> None:
    """Tensors and plain values to a file; `read_tensors` needs to trust nothing in it."""
    import torch

    out = io.BytesIO()
    torch.save(_compact(held), out)
    files.write(path, seal_zip(out.getvalue()))


def read_tensors(files: Tree, path: Path, way_out: str = _ANEW) -> dict[str, Any]:
    """What `write_tensors` wrote, on the CPU. Raises DamagedError, StoreError where the file is missing."""
    import torch

    try:
        data = files.read(path)
    except FileNotFoundError:
        raise StoreError(f"{path} is missing: {way_out}") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): {way_out}") from error
    try:
        check_zip(data)  # before anything makes sense of the bytes; an older version wrote no checksum
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    # What torch makes of an unsealed file that is damaged; a sealed one does not come so far.
    except (
        *(RuntimeError, EOFError, LookupError, ValueError, OSError, pickle.UnpicklingError, TypeError),
        *(AttributeError, AssertionError, MemoryError, OverflowError),
    ) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedError(f"{path} is damaged ({first}): {way_out}") from error


def _sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, _SEAL: _checksum(value)}


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DecodingError("it holds no JSON object")
    last, end = next(reversed(value.items()), ("", None))
    if last != _SEAL and isinstance(end, str) and _DIGEST.fullmatch(end):
        raise DecodingError(f"{last!r} should be {_SEAL!r}")  # or what is damaged would pass for an older version's
    seal = value.pop(_SEAL, None)
    if seal is not None and seal != _checksum(value):
        raise DecodingError("it does not match the checksum inside it")
    return value


def _checksum(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(dict(value), "a record of the run")).hexdigest()


def _compact(value: Any) -> Any:
    """A copy on the CPU in which no tensor is a view of a larger one, which would be written whole."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", copy=True).contiguous()
    if isinstance(value, Mapping):
        return {name: _compact(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_compact(held) for held in value)
    return value
