"""Arrays of the papers' JAX code as layers: their shapes there, and the way from each slot's arrays to timm's tensors.

Dense kernels are (in, out), attention kernels have the heads as an axis of their own, the patch convolution is
(rows, columns, channels, width). Names are flax's below the slot, joined by "/"; an array without a name is "".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from munet.model.slots import parse
from munet.model.vit import ViTArchitecture

Read = Callable[[str], Tensor]
"""Gives an array of a slot by its name."""

Layer = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

# Older checkpoints number a block's modules through, newer ones per kind.
_NEWER = {
    "MultiHeadDotProductAttention_1": "MultiHeadDotProductAttention_0",
    "LayerNorm_2": "LayerNorm_1",
    "MlpBlock_3": "MlpBlock_0",
}
_ATTENTION, _MLP = "MultiHeadDotProductAttention_0", "MlpBlock_0"


def newer_name(name: str) -> str:
    """An array's name inside an encoder block, in the newer numbering."""
    module, slash, rest = name.partition("/")
    return _NEWER.get(module, module) + slash + rest


def layer_of(slot: str, read: Read) -> Layer:
    """The layer that fills `slot`, in the dtype of its arrays. `read` takes the newer names; what it raises passes."""
    kind = parse(slot).kind
    if kind == "embedding":
        kernel = read("kernel").permute(3, 2, 0, 1)
        return _owned({"patch_embed.proj.weight": kernel, "patch_embed.proj.bias": read("bias")})
    if kind == "cls":
        return _owned({"cls_token": read("")})
    if kind == "posembed":
        return _owned({"pos_embed": read("pos_embedding")})
    if kind == "adapter":
        tensors = {**_norm(read, "LayerNorm_0", "norm"), **_dense(read, "Dense_0", "down")}
        return _owned(tensors | _dense(read, "Dense_1", "up"))
    if kind == "block":
        return _owned(_block(read))
    if kind == "norm":
        return _owned({"norm.weight": read("scale"), "norm.bias": read("bias")})
    return _owned({"weight": read("kernel").T, "bias": read("bias")})


def shapes_of(slot: str, architecture: ViTArchitecture, size: int = 0) -> Shapes:
    """Shape of every array of a slot by its newer name. `size`: side of the image in pixels for `posembed`, hidden
    width for adapters, classes for the head."""
    a, h = architecture, architecture.width
    kind = parse(slot).kind
    if kind == "embedding":
        return {"kernel": (a.patch_size, a.patch_size, a.channels, h), "bias": (h,)}
    if kind == "cls":
        return {"": (1, 1, h)}
    if kind == "posembed":
        return {"pos_embedding": (1, a.posembed_rows(size), h)}
    if kind == "adapter":
        return _norm_shapes("LayerNorm_0/", h) | _dense_shapes("Dense_0", h, size) | _dense_shapes("Dense_1", size, h)
    if kind == "block":
        return _block_shapes(a)
    return _norm_shapes("", h) if kind == "norm" else {"kernel": (h, size), "bias": (size,)}


def _block(read: Read) -> Layer:
    """One encoder block."""
    parts = [f"{_ATTENTION}/{part}" for part in ("query", "key", "value")]
    kernels = [read(f"{part}/kernel").flatten(1).T for part in parts]
    tensors = _norm(read, "LayerNorm_0", "norm1")
    tensors["attn.qkv.weight"] = torch.cat(kernels)
    tensors["attn.qkv.bias"] = torch.cat([read(f"{part}/bias").flatten() for part in parts])
    tensors["attn.proj.weight"] = read(f"{_ATTENTION}/out/kernel").flatten(0, -2).T
    tensors["attn.proj.bias"] = read(f"{_ATTENTION}/out/bias")
    tensors |= _norm(read, "LayerNorm_1", "norm2")
    return tensors | _dense(read, f"{_MLP}/Dense_0", "mlp.fc1") | _dense(read, f"{_MLP}/Dense_1", "mlp.fc2")


def _norm(read: Read, name: str, to: str) -> Layer:
    return {f"{to}.weight": read(f"{name}/scale"), f"{to}.bias": read(f"{name}/bias")}


def _dense(read: Read, name: str, to: str) -> Layer:
    return {f"{to}.weight": read(f"{name}/kernel").T, f"{to}.bias": read(f"{name}/bias")}


def _owned(tensors: Layer) -> Layer:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _block_shapes(a: ViTArchitecture) -> Shapes:
    h, m, one = a.width, a.mlp_hidden, a.width // a.heads
    shapes = _norm_shapes("LayerNorm_0/", h) | _norm_shapes("LayerNorm_1/", h)
    for part in ("query", "key", "value"):
        shapes |= {f"{_ATTENTION}/{part}/kernel": (h, a.heads, one), f"{_ATTENTION}/{part}/bias": (a.heads, one)}
    shapes |= {f"{_ATTENTION}/out/kernel": (a.heads, one, h), f"{_ATTENTION}/out/bias": (h,)}
    return shapes | _dense_shapes(f"{_MLP}/Dense_0", h, m) | _dense_shapes(f"{_MLP}/Dense_1", m, h)


def _norm_shapes(start: str, width: int) -> Shapes:
    return {f"{start}scale": (width,), f"{start}bias": (width,)}


def _dense_shapes(name: str, rows: int, columns: int) -> Shapes:
    return {f"{name}/kernel": (rows, columns), f"{name}/bias": (columns,)}
