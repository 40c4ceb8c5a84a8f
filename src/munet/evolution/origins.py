"""Where the tensors of a child come from: stored layers, or new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from munet.model.loader import LayerSource, Tensors
from munet.model.weight_init import extended_head, new_adapter, new_head, resize_posembed
from munet.rng import Key, torch_rng
from munet.store.manifests import native_posembed_of


@dataclass(frozen=True)
class LayerOrigin:
    """Where the tensors of a slot come from: a stored layer's id, or what to make anew and how large."""

    kind: Literal["stored", "head", "closed-form", "extended", "adapter", "posembed"]
    of: str | int  # layer id; classes, twice; id of a head; hidden width; image size in pixels
    classes: int = 0  # of an extended head
    inputs: int = 0  # of a new head, where it reads more than the width of the model


def initial_layers(source: LayerSource, origins: Mapping[str, LayerOrigin], key: Key) -> dict[str, Tensors]:
    """The tensors of every slot of a child before its training, but for a head in closed form, which needs features.

    Those of stored layers are shared: never write them.
    """
    return {slot: _build(source, slot, origin, key) for slot, origin in origins.items() if origin.kind != "closed-form"}


def _build(source: LayerSource, slot: str, origin: LayerOrigin, key: Key) -> Tensors:
    width = source.architecture.width
    if origin.kind == "stored":
        return source.layer(str(origin.of))
    if origin.kind == "head":
        return new_head(origin.inputs or width, int(origin.of))
    if origin.kind == "extended":
        return extended_head(source.layer(str(origin.of)), origin.classes)
    if origin.kind == "adapter":
        return new_adapter(width, int(origin.of), torch_rng(*key, "init", slot))
    return resized_posembed(source, int(origin.of))


def resized_posembed(source: LayerSource, image_size: int) -> Tensors:
    """The root's own position embeddings for an image size in pixels."""
    native = native_posembed_of(source.manifest(source.root))
    grid = source.layer(native["layer"])["pos_embed"]
    return {"pos_embed": resize_posembed(grid, source.architecture, native["image_size"], image_size)}
