"""A flax checkpoint: one msgpack map of components, indexed without reading its arrays, and read array by array.

flax.serialization writes nested maps whose leaves are extensions: type 1 is an array and type 3 a numpy scalar, both a
packed `(shape, dtype name, C-order bytes)`. Arrays above a limit are maps of flat chunks. A reader that seeks past the
arrays learns all shapes of 65 GB in seconds, so everything can be checked before anything is written, and then
takes the memory of one array at a time. (A general msgpack library holds a whole map entry, and cannot skip.)
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from munet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

ITEM_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
_CHUNKED = "__msgpack_chunked_array__"
_ARRAY, _SCALAR = 1, 3
_DEEPEST = 16  # maps in maps; a component has five
_LONGEST_NAME = 1000  # bytes
_AHEAD = 4096  # bytes read at once; more would read arrays only to skip them

# first byte -> (kind, bytes of the length that follows)
_SIZED = {0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4), 0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4)}
_SIZED |= {0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4), 0xDC: ("array", 2), 0xDD: ("array", 4)}
_SIZED |= {0xDE: ("map", 2), 0xDF: ("map", 4)}
_INTEGERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: -1, 0xD1: -2, 0xD2: -4, 0xD3: -8}  # negative: signed
_OTHERS = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8}  # nil, false, true, floats: bytes that follow


@dataclass(frozen=True, slots=True)
class StoredArray:
    """Where an array lies in a checkpoint: its pieces as (first byte, bytes), one behind the other when joined."""

    shape: tuple[int, ...]
    dtype: str
    pieces: tuple[tuple[int, int], ...]

    @property
    def bytes(self) -> int:
        return sum(length for _, length in self.pieces)


Arrays = dict[str, StoredArray | None]
"""The arrays of one component by their names in it, joined by "/"; "" for one that is the component itself. None for
what is no array."""

_Node = StoredArray | dict[str, "_Node"] | int | None


class _Malformed(ValueError):
    """What is wrong with a message, to be put behind the name of its file."""


def read_index(path: Path) -> dict[str, Arrays]:
    """Every component of a checkpoint by its key, in the order of the file; no array is read. InputError."""
    try:
        size = path.stat().st_size
        with path.open("rb", buffering=_AHEAD) as file:
            return {key: dict(_flat("", node)) for key, node in _Message(file, size).components().items()}
    except _Malformed as error:
        raise InputError(f"{path} {error}: copy or unpack it again") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def read_array(file: BinaryIO, array: StoredArray) -> "Tensor":
    """The values of an array whose dtype is in `ITEM_BYTES`, in memory of their own."""
    import torch

    buffer = torch.empty(array.bytes, dtype=torch.uint8)
    view, start = memoryview(buffer.numpy()), 0  # type: ignore[arg-type]
    for offset, length in array.pieces:
        file.seek(offset)
        while length:
            got = file.readinto(view[start : start + length])  # type: ignore[attr-defined]
            if not got:
                raise InputError(f"{file.name} became shorter while it was read: leave it alone and import it again")
            start, length = start + got, length - got
    return buffer.view(getattr(torch, array.dtype)).reshape(array.shape)


def _flat(name: str, node: _Node) -> "list[tuple[str, StoredArray | None]]":
    if isinstance(node, dict):
        return [leaf for key, child in node.items() for leaf in _flat(f"{name}/{key}" if name else key, child)]
    return [(name, node if isinstance(node, StoredArray) else None)]


class _Message:
    """A cursor in one msgpack message."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._inside = ""  # what is being read, for errors

    def components(self) -> dict[str, _Node]:
        if not self._size:
            raise _Malformed("is empty")
        kind, count = self._head()
        if kind != "map":
            raise _Malformed("is no flax checkpoint: it holds no map of components")
        found: dict[str, _Node] = {}
        for _ in range(count):
            self._inside = " behind " + next(reversed(found), "its start")
            key = self._name()
            if key in found:
                raise _Malformed(f"holds component {key!r} twice")
            self._inside = f" inside {key!r}"
            found[key] = self._node(0)
        if self._at != self._size:
            raise _Malformed(f"has {self._size - self._at} bytes more than the message that it holds")
        return found

    def _take(self, count: int) -> bytes:
        data = self._file.read(count) if self._at + count <= self._size else b""
        if len(data) != count:
            raise self._cut_short()
        self._at += count
        return data

    def _skip(self, count: int) -> None:
        if self._at + count > self._size:
            raise self._cut_short()
        self._at += count
        self._file.seek(self._at)

    def _cut_short(self) -> _Malformed:
        return _Malformed(f"is cut short{self._inside}: it ends at byte {self._size}")

    def _head(self) -> tuple[str, int]:
        """(kind, length, or value of an integer) of the next item."""
        code = self._take(1)[0]
        if code <= 0x7F or code >= 0xE0:
            return "int", code if code <= 0x7F else code - 0x100
        for first, last, kind in ((0x80, 0x8F, "map"), (0x90, 0x9F, "array"), (0xA0, 0xBF, "str")):
            if first <= code <= last:
                return kind, code - first
        if 0xD4 <= code <= 0xD8:
            return "ext", 1 << (code - 0xD4)
        if code in _SIZED:
            kind, length = _SIZED[code]
            return kind, int.from_bytes(self._take(length), "big")
        if code in _INTEGERS:
            length = _INTEGERS[code]
            return "int", int.from_bytes(self._take(abs(length)), "big", signed=length < 0)
        if code in _OTHERS:
            self._skip(_OTHERS[code])
            return "other", 0
        raise _Malformed(f"is garbled{self._inside}: byte {code:#x} at {self._at - 1} begins nothing")

    def _name(self) -> str:
        kind, length = self._head()
        if kind not in ("str", "bin") or length > _LONGEST_NAME:
            raise _Malformed(f"is garbled{self._inside}: there is no name at byte {self._at}")
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise _Malformed(f"is garbled{self._inside}: a name is no UTF-8") from error

    def _node(self, depth: int) -> _Node:
        if depth > _DEEPEST:
            raise _Malformed(f"is garbled{self._inside}: maps lie {depth} deep")
        kind, size = self._head()
        if kind == "int":
            return size
        if kind == "map":
            return self._map(size, depth)
        if kind == "ext":
            return self._extension(size)
        if kind == "array":
            for _ in range(size):
                self._node(depth + 1)
        elif kind in ("str", "bin"):
            self._skip(size)
        return None

    def _map(self, count: int, depth: int) -> _Node:
        found: dict[str, _Node] = {}
        for _ in range(count):
            name = self._name()
            if name in found:
                raise _Malformed(f"is garbled{self._inside}: it holds {name!r} twice")
            found[name] = self._node(depth + 1)
        return self._joined(found) if _CHUNKED in found else found

    def _extension(self, size: int) -> StoredArray | None:
        kind = self._take(1)[0]
        end = self._at + size
        if end > self._size:
            raise self._cut_short()
        if kind not in (_ARRAY, _SCALAR):
            self._skip(size)
            return None
        array = self._array()
        if self._at != end:
            raise _Malformed(f"is garbled{self._inside}: an array of {size} bytes ends at another one")
        return array

    def _array(self) -> StoredArray:
        if self._head() != ("array", 3):
            raise _Malformed(f"is garbled{self._inside}: an array is not (shape, type, bytes)")
        kind, sides = self._head()
        heads = [self._head() for _ in range(sides)] if kind == "array" and sides <= 8 else [("", 0)]
        if any(kind != "int" or side < 0 for kind, side in heads):
            raise _Malformed(f"is garbled{self._inside}: an array has no shape")
        shape, dtype = tuple(side for _, side in heads), self._name()
        kind, length = self._head()
        if kind not in ("bin", "str"):
            raise _Malformed(f"is garbled{self._inside}: an array has no bytes")
        if dtype in ITEM_BYTES and math.prod(shape) * ITEM_BYTES[dtype] != length:
            raise _Malformed(f"is garbled{self._inside}: {length} bytes for {dtype} values of shape {shape}")
        start = self._at
        self._skip(length)
        return StoredArray(shape, dtype, ((start, length),))

    def _joined(self, found: dict[str, _Node]) -> StoredArray:
        """An array that was cut into flat chunks."""
        shape, chunks = _in_order(found.get("shape")), _in_order(found.get("chunks"))
        arrays = [chunk for chunk in chunks if isinstance(chunk, StoredArray)]
        sides = tuple(side for side in shape if isinstance(side, int))
        dtypes = {array.dtype for array in arrays}
        if len(arrays) < max(1, len(chunks)) or len(sides) < max(1, len(shape)) or len(dtypes) != 1:
            raise _Malformed(f"is garbled{self._inside}: an array in chunks lacks some of them, or its shape")
        if sum(math.prod(array.shape) for array in arrays) != math.prod(sides):
            raise _Malformed(f"is garbled{self._inside}: the chunks of an array are not its shape {sides}")
        return StoredArray(sides, dtypes.pop(), tuple(piece for array in arrays for piece in array.pieces))


def _in_order(node: _Node) -> list[_Node]:
    """The values of {"0": …, "1": …}; empty for anything else."""
    if not isinstance(node, dict) or set(node) != {str(k) for k in range(len(node))}:
        return []
    return [node[str(k)] for k in range(len(node))]
