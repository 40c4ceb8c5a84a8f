"""A layer is the tensors that fill one slot of a model. Its id is the SHA-256 of its canonical content.

The content is hashed, not the file: for each tensor in the order of its name, one JSON line `[name, dtype, shape]` and
then its bytes, little endian and contiguous. Any writer of any version that keeps the tensors keeps the id.
Files are safetensors without metadata, because the order of metadata keys is not fixed.
"""

import hashlib
import json
import math
import operator
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from munet.fs.decoding import decode_json

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

_PREFIX = b"munet-layer-1\n"
_MAX_HEADER = 1 << 20  # bytes; a layer of a hundred tensors takes a hundredth
_MAX_SIDES = 8
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32}
_BITS |= {"F8_E4M3": 8, "F8_E5M2": 8, "U64": 64, "I64": 64, "F64": 64}


Header = dict[str, dict[str, Any]]
BEGINNING = 8 + _MAX_HEADER  # bytes in which every header is whole
_CHUNK = 1 << 20  # values looked at together: they stay in the cache of a processor
_EXPONENT = {"F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80), "F32": ("<u4", 0x7F800000), "F64": ("<u8", 0x7FF << 52)}


class LayerFormatError(ValueError):
    """The bytes are not a whole safetensors file."""


def parse_header(data: bytes | memoryview) -> Header:
    """Tensor name -> `{"dtype", "shape", "data_offsets"}`, from the first `BEGINNING` bytes of a safetensors file."""
    view = memoryview(data)
    if len(view) < 8:
        raise LayerFormatError(f"{len(view)} bytes are too few for a safetensors file")
    (length,) = struct.unpack("<Q", view[:8])
    if length > _MAX_HEADER or 8 + length > len(view):
        raise LayerFormatError(f"the header should hold {length} bytes, the file holds {len(view)}")
    try:
        header = decode_json(bytes(view[8 : 8 + length]), _MAX_HEADER)
        return {str(name): _entry(entry) for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LayerFormatError(f"the header is not that of a safetensors file ({error})") from error


def read_header(data: bytes | memoryview) -> Header:
    """As `parse_header` of a whole file, whose header is checked to cover it exactly."""
    view = memoryview(data)
    entries = parse_header(view)
    (length,) = struct.unpack("<Q", view[:8])
    spans = sorted(entry["data_offsets"] for entry in entries.values())
    end = 0
    for start, stop in spans:
        if start != end or stop < start:
            raise LayerFormatError(f"the tensors do not follow one another at byte {end}")
        end = stop
    if 8 + length + end != len(view):
        raise LayerFormatError(f"the tensors should end at byte {8 + length + end}, the file holds {len(view)}")
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        if math.prod(entry["shape"]) * _BITS[entry["dtype"]] != 8 * (stop - start):
            raise LayerFormatError(f"{name[:40]} has the shape {entry['shape']} and {stop - start} bytes")
    return entries


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """One tensor's entry with every value of the type that it must have."""
    start, stop = (operator.index(offset) for offset in entry["data_offsets"])
    shape = [operator.index(side) for side in entry["shape"]]
    dtype = str(entry["dtype"])
    if dtype not in _BITS:
        raise ValueError(f"a tensor of the unknown type {dtype[:20]}")
    if len(shape) > _MAX_SIDES or any(side < 0 for side in shape):
        raise ValueError(f"a tensor of the shape {shape[: _MAX_SIDES + 1]}")
    return {"dtype": dtype, "shape": shape, "data_offsets": (start, stop)}


def refuse_infinite(data: bytes | memoryview) -> None:
    """LayerFormatError where a layer holds a number that is none or infinite, with which nothing can be computed."""
    import numpy as np

    view = memoryview(data)
    header = read_header(view)
    (length,) = struct.unpack("<Q", view[:8])
    for name, entry in header.items():
        if entry["dtype"] not in _EXPONENT:
            continue
        kind, exponent = _EXPONENT[entry["dtype"]]
        start, stop = entry["data_offsets"]
        values = np.frombuffer(view[8 + length + start : 8 + length + stop], kind)
        for first in range(0, len(values), _CHUNK):
            # All bits of the exponent are set in infinities and in what is no number, and in nothing else.
            if int((values[first : first + _CHUNK] & np.array(exponent, kind)).max()) == exponent:
                raise LayerFormatError(f"{name} holds infinite values, or what is no number")


def id_of_bytes(data: bytes | memoryview) -> str:
    """Id of the layer in a safetensors file's bytes; needs no torch. Raises LayerFormatError."""
    view = memoryview(data)
    header = read_header(view)
    (length,) = struct.unpack("<Q", view[:8])
    digest = hashlib.sha256(_PREFIX)
    for name in sorted(header):
        entry = header[name]
        start, stop = entry["data_offsets"]
        line = json.dumps([name, entry["dtype"], entry["shape"]], ensure_ascii=True, separators=(",", ":"))
        digest.update(line.encode() + b"\n")
        digest.update(view[8 + length + start : 8 + length + stop])
    return digest.hexdigest()


def serialize(tensors: "Tensors") -> bytes:
    """The layer's file: detached CPU tensors as safetensors, without metadata."""
    from safetensors.torch import save

    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def deserialize(data: bytes) -> "dict[str, torch.Tensor]":
    """Inverse of `serialize`: CPU tensors that own their memory."""
    from safetensors.torch import load

    return load(data)


def layer_id(tensors: "Tensors") -> str:
    """Id of a layer held as tensors."""
    return id_of_bytes(serialize(tensors))


def layer_size(tensors: "Tensors") -> int:
    """Number of parameters in a layer."""
    return sum(tensor.numel() for tensor in tensors.values())
