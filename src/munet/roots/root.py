"""What a root is, and what all roots have in common: depth, image size, whole fp32 tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.model.slots import depth_of
from munet.model.vit import ViTArchitecture

if TYPE_CHECKING:
    from torch import Tensor

    Layers = Mapping[str, Mapping[str, Tensor]]


@dataclass(frozen=True)
class Root:
    """A model without a task and without a head, from which a system grows.

    `native_posembed` is the layer of position embeddings at the image size of the pretraining: those of any other size
    are resized from it. `source` names where the root comes from, without a folder.
    """

    architecture: ViTArchitecture
    layers: "dict[str, dict[str, Tensor]]"
    image_size: int
    native_posembed: "dict[str, Tensor]"
    native_image_size: int
    source: str


def native_size(architecture: ViTArchitecture, pos_embed: "Tensor", source: str) -> int:
    """Side in pixels of the images that a position embedding (1, rows, width) is made for."""
    prefix = 0 if architecture.no_embed_class else architecture.prefix_tokens
    grid = round(max(pos_embed.shape[1] - prefix, 0) ** 0.5)
    if grid < 1 or grid * grid != pos_embed.shape[1] - prefix:
        raise InputError(f"{source}: its {pos_embed.shape[1]} position embeddings are no square grid")
    return grid * architecture.patch_size


def check_depth(depth: int | None, available: int | None, source: str) -> None:
    """InputError unless `depth` is at least 1 and at most what is `available`."""
    if depth is not None and depth < 1:
        raise InputError(f"depth {depth}: a model needs at least 1 block")
    if depth is not None and available is not None and depth > available:
        raise InputError(f"depth {depth}: {source} has {available} blocks; give a depth of 1 to {available}, or none")


def finish(
    architecture: ViTArchitecture, layers: "Layers", source: str, depth: int | None, image_size: int | None
) -> Root:
    """Cap the depth, drop the head, copy to fp32 tensors that own their memory, check them, resize the positions."""
    from munet.model.network import Network
    from munet.model.weight_init import resize_posembed

    available = depth_of(layers)
    check_depth(depth, available, source)
    kept = architecture.slots(depth or available, head=False)
    missing = [slot for slot in kept if slot not in layers]
    if missing:
        raise InputError(f"{source} has no tensors for the slot {missing[0]}")
    owned = {slot: {name: _own(tensor) for name, tensor in layers[slot].items()} for slot in kept}
    native = owned["posembed"]
    native_image_size = native_size(architecture, native["pos_embed"], source)
    size = native_image_size if image_size is None else image_size
    try:
        Network(architecture, owned, native_image_size)
    except InputError as error:
        raise InputError(f"{source} does not hold a whole model: {error}") from error
    for slot, layer in owned.items():
        if not all(bool(tensor.isfinite().all()) for tensor in layer.values()):
            raise InputError(f"{source} has values in slot {slot} that are not finite: fetch the weights again")
    resized = resize_posembed(native["pos_embed"], architecture, native_image_size, size)
    owned["posembed"] = {"pos_embed": resized}
    return Root(architecture, owned, size, native, native_image_size, source)


def _own(tensor: "Tensor") -> "Tensor":
    return tensor.detach().float().clone().contiguous()
