"""Tensors of a vision transformer as other libraries name them, under timm's names."""

import re
from collections.abc import Mapping
from os.path import commonprefix
from typing import TYPE_CHECKING

from munet.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

_FIRST = {"patch_embed", "cls_token", "pos_embed", "blocks", "embeddings"}  # what names begin with, unwrapped
_PLAIN = {
    "embeddings.cls_token": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.register_tokens": "reg_token",
    "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "layernorm.weight": "norm.weight",
    "layernorm.bias": "norm.bias",
}
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
_OF_LAYER = {
    "layernorm_before": "norm1",
    "norm1": "norm1",
    "layernorm_after": "norm2",
    "norm2": "norm2",
    "attention.output.dense": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_SCALES = {"layer_scale1.lambda1": "ls1.gamma", "layer_scale2.lambda1": "ls2.gamma"}
_PARTS = ("query", "key", "value")
_LEFT_OUT = ("classifier.", "pooler.", "embeddings.mask_token", "distillation_classifier.", "cls_classifier.")


def without_prefix(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """The same tensors without what wrappers put before all of their names, or all but a head's: `model.`, `module.`,
    `vit.`, `student.backbone.`."""
    common = commonprefix([key for key in state if not key.startswith(("head.", *_LEFT_OUT))])  # noqa: RUF071 - cut at the last dot below
    prefix = common[: common.rfind(".") + 1]
    found = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return found if _FIRST & {key.partition(".")[0] for key in found} else dict(state)


def _is_transformers(state: "Mapping[str, Tensor]") -> bool:
    return "embeddings.cls_token" in state


def from_transformers(state: "Mapping[str, Tensor]", name: str) -> "dict[str, Tensor] | None":
    """timm's tensors of a ViT, DeiT or DINOv2 of the library transformers; None where these are not such names.

    `name` is the file, for the InputError of one that lacks a part.
    """
    if not _is_transformers(state):
        return None
    import torch

    found: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state.items():
        layer = _LAYER.fullmatch(key)
        if key.startswith(_LEFT_OUT):
            continue
        if layer is None:
            found[_PLAIN.get(key, key)] = tensor
            continue
        block, rest = f"blocks.{layer[1]}.", layer[2]
        part, _, kind = rest.removeprefix("attention.attention.").partition(".")
        if rest.startswith("attention.attention.") and part in _PARTS:
            parts.setdefault(f"{block}attn.qkv.{kind}", {})[part] = tensor
        elif rest in _SCALES:
            found[block + _SCALES[rest]] = tensor
        else:
            stem, _, kind = rest.rpartition(".")
            found[f"{block}{_OF_LAYER.get(stem, stem)}.{kind}"] = tensor
    for key, three in parts.items():
        if missing := [part for part in _PARTS if part not in three]:
            raise InputError(f"{name} lacks the {missing[0]} of {key.partition('.attn')[0]}: fetch it again")
        found[key] = torch.cat([three[part] for part in _PARTS])
    return found
