"""A layer is the tensors that fill one slot of a model. Its id is the SHA-256 of its canonical content.

The content is hashed, not the file: for each tensor in the order of its name, one JSON line `[name, dtype, shape]` and
then its bytes, little endian and contiguous. Any writer of any version that keeps the tensors keeps the id.
Files are safetensors without metadata, because the order of metadata keys is not fixed.
"""

import hashlib
import json
import operator
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

_PREFIX = b"munet-layer-1\n"
_MAX_HEADER = 100_000_000  # bytes; the limit that safetensors itself sets


class LayerFormatError(ValueError):
    """The bytes are not a whole safetensors file."""


def read_header(data: bytes | memoryview) -> dict[str, dict[str, Any]]:
    """Tensor name -> `{"dtype", "shape", "data_offsets"}` of a safetensors file, checked to cover it exactly."""
    view = memoryview(data)
    if len(view) < 8:
        raise LayerFormatError(f"{len(view)} bytes are too few for a safetensors file")
    (length,) = struct.unpack("<Q", view[:8])
    if length > _MAX_HEADER or 8 + length > len(view):
        raise LayerFormatError(f"the header should hold {length} bytes, the file holds {len(view)}")
    try:
        header = json.loads(bytes(view[8 : 8 + length]))
        entries = {str(name): _entry(entry) for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LayerFormatError(f"the header is not that of a safetensors file ({error})") from error
    spans = sorted(entry["data_offsets"] for entry in entries.values())
    end = 0
    for start, stop in spans:
        if start != end or stop < start:
            raise LayerFormatError(f"the tensors do not follow one another at byte {end}")
        end = stop
    if 8 + length + end != len(view):
        raise LayerFormatError(f"the tensors should end at byte {8 + length + end}, the file holds {len(view)}")
    return entries


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """One tensor's entry with every value of the type that it must have."""
    start, stop = (operator.index(offset) for offset in entry["data_offsets"])
    shape = [operator.index(side) for side in entry["shape"]]
    return {"dtype": str(entry["dtype"]), "shape": shape, "data_offsets": (start, stop)}


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
