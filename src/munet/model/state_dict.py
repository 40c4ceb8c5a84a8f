"""From a timm state dict to layers and back."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.model.slots import STEM, adapter, block, body, depth_of, parse

if TYPE_CHECKING:
    from torch import Tensor

_SLOTS = {
    "patch_embed": "embedding",
    "norm_pre": "embedding",
    "cls_token": "cls",
    "reg_token": "cls",
    "pos_embed": "posembed",
    "norm": "norm",
    "fc_norm": "norm",
}
# slots whose tensors lose their prefix: timm's prefix -> slot
_NESTED = {"attn_pool": "pool", "head": "head"}
_INDEXED = re.compile(r"(blocks|adapters)\.(\d+)\.(.+)")
_INDEXED_SLOTS = {"blocks": block, "adapters": adapter}


def slot_of(key: str) -> tuple[str, str]:
    """(slot, name inside its layer) of a key of a timm state dict; InputError for a key that no slot holds."""
    indexed = _INDEXED.fullmatch(key)
    if indexed:
        return _INDEXED_SLOTS[indexed[1]](int(indexed[2])), indexed[3]
    first, _, rest = key.partition(".")
    if first in _SLOTS:
        return _SLOTS[first], key
    if first in _NESTED and rest:
        return _NESTED[first], rest
    raise InputError(f"tensor '{key}' belongs to no slot: only plain vision transformers can be cut into layers")


def key_of(slot: str, name: str) -> str:
    """Inverse of `slot_of`."""
    kind, number, _ = parse(slot)
    if number is not None:
        return f"{kind}s.{number}.{name}"
    prefixes = {slot: prefix for prefix, slot in _NESTED.items()}
    return f"{prefixes[kind]}.{name}" if kind in prefixes else name


def split_state_dict(state: "Mapping[str, Tensor]") -> "dict[str, dict[str, Tensor]]":
    """Layers by slot, in forward order, of a timm ViT's state dict. Nothing is copied."""
    layers: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        slot, name = slot_of(key)
        layers.setdefault(slot, {})[name] = tensor
    depth = depth_of(layers)
    order = [*STEM, *body(depth, range(depth)), "norm", "pool", "head"]
    stray = sorted(set(layers) - set(order))
    if stray:
        raise InputError(f"slot {stray[0]} has no block behind it")
    return {slot: layers[slot] for slot in order if slot in layers}


def join_state_dict(layers: "Mapping[str, Mapping[str, Tensor]]") -> "dict[str, Tensor]":
    """timm's state dict of a model's layers: the inverse of `cut`. An adapter becomes `adapters.k.*`."""
    return {key_of(slot, name): tensor for slot, tensors in layers.items() for name, tensor in tensors.items()}
