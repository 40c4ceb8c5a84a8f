"""Where the tensors of a child come from: stored layers, or new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from munet.model.loader import Library
from munet.model.weight_init import new_adapter, new_head, resize_posembed
from munet.rng import Key, torch_stream

if TYPE_CHECKING:
    import torch


Tensors = dict[str, "torch.Tensor"]


@dataclass(frozen=True)
class Origin:
    """Where the tensors of a slot come from: a stored layer's id, or what to make anew and how large."""

    kind: Literal["stored", "head", "adapter", "posembed"]
    of: str | int  # layer id; classes; hidden width; image size in pixels


def build_layers(library: Library, origins: Mapping[str, Origin], key: Key) -> dict[str, Tensors]:
    """The tensors of every slot of a child before its training. Those of stored layers are shared: never write them."""
    return {slot: _build(library, slot, origin, key) for slot, origin in origins.items()}


def _build(library: Library, slot: str, origin: Origin, key: Key) -> Tensors:
    width = library.architecture.width
    if origin.kind == "stored":
        return library.layer(str(origin.of))
    if origin.kind == "head":
        return new_head(width, int(origin.of))
    if origin.kind == "adapter":
        return new_adapter(width, int(origin.of), torch_stream(*key, "init", slot))
    return resized_posembed(library, int(origin.of))


def resized_posembed(library: Library, image_size: int) -> Tensors:
    """The root's own position embeddings for an image size in pixels."""
    native = library.manifest(library.root)["root"]["native_posembed"]
    grid = library.layer(native["layer"])["pos_embed"]
    return {"pos_embed": resize_posembed(grid, library.architecture, native["image_size"], image_size)}
