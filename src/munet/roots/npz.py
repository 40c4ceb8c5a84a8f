"""Roots from the AugReg checkpoints of the papers: `npz:FILE` ("How to train your ViT?", JAX arrays)."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..architecture import Architecture
from ..errors import InputError
from .files import check_file
from .root import Root, check_depth, finish

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_BLOCK = re.compile(r"Transformer/encoderblock_(\d+)/")


def npz_root(path: Path, depth: int | None, image_size: int | None) -> Root:
    """Read an AugReg .npz, and of its blocks only the first `depth`. InputError names the file."""
    import zipfile

    import numpy as np

    check_file(path)
    try:
        # opened here, since numpy leaves the file of a damaged archive open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            architecture, layers = _convert(arrays, path, depth)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, TypeError) as error:
        raise InputError(f"{path} is no AugReg checkpoint (.npz): {str(error).splitlines()[0]}") from error
    return finish(architecture, layers, f"npz:{path.name}", depth, image_size)


def _convert(arrays: Any, path: Path, depth: int | None) -> "tuple[Architecture, dict[str, dict[str, Tensor]]]":
    keys = set(arrays.files)
    if "conv_root/kernel" in keys or any(key.startswith("block1/") for key in keys):
        raise InputError(f"{path} is a hybrid of a ResNet and a ViT, which cannot be cut: use a plain ViT checkpoint")
    available = 1 + max((int(match[1]) for key in keys if (match := _BLOCK.match(key))), default=-1)
    if not available:
        raise InputError(f"{path} is no AugReg checkpoint (.npz): it has no Transformer/encoderblock_0")
    check_depth(depth, available, str(path))

    def read(key: str) -> "np.ndarray":
        if key not in keys:
            raise InputError(f"{path} is no AugReg checkpoint (.npz): it has no {key}")
        return arrays[key]

    # query kernel (width, heads, width / heads) tells the heads, which no other array does
    kernel, query = read("embedding/kernel"), read(f"{_attention(keys, 0)}/query/kernel")
    hidden = read(f"{_mlp(keys, 0)}/Dense_0/kernel").shape[1]
    architecture = Architecture(kernel.shape[0], kernel.shape[3], query.shape[1], hidden, channels=kernel.shape[2])
    layers = {
        "embedding": {
            "patch_embed.proj.weight": _tensor(kernel.transpose(3, 2, 0, 1)),
            "patch_embed.proj.bias": _tensor(read("embedding/bias")),
        },
        "cls": {"cls_token": _tensor(read("cls"))},
        "posembed": {"pos_embed": _tensor(read("Transformer/posembed_input/pos_embedding"))},
        "norm": {
            "norm.weight": _tensor(read("Transformer/encoder_norm/scale")),
            "norm.bias": _tensor(read("Transformer/encoder_norm/bias")),
        },
    }
    for k in range(depth or available):
        layers[f"block.{k}"] = _block(read, keys, k, architecture.width)
    return architecture, layers


def _block(read: Any, keys: set[str], k: int, width: int) -> "dict[str, Tensor]":
    """One encoder block: dense kernels are (in, out), attention kernels have the heads as an axis of their own."""
    import numpy as np

    start = f"Transformer/encoderblock_{k}"
    attention, mlp = _attention(keys, k), _mlp(keys, k)
    second = "LayerNorm_2" if f"{start}/LayerNorm_2/scale" in keys else "LayerNorm_1"
    parts = ("query", "key", "value")
    qkv = [read(f"{attention}/{part}/kernel").reshape(width, width).T for part in parts]
    return {
        "norm1.weight": _tensor(read(f"{start}/LayerNorm_0/scale")),
        "norm1.bias": _tensor(read(f"{start}/LayerNorm_0/bias")),
        "attn.qkv.weight": _tensor(np.concatenate(qkv)),
        "attn.qkv.bias": _tensor(np.concatenate([read(f"{attention}/{part}/bias").reshape(width) for part in parts])),
        "attn.proj.weight": _tensor(read(f"{attention}/out/kernel").reshape(width, width).T),
        "attn.proj.bias": _tensor(read(f"{attention}/out/bias")),
        "norm2.weight": _tensor(read(f"{start}/{second}/scale")),
        "norm2.bias": _tensor(read(f"{start}/{second}/bias")),
        "mlp.fc1.weight": _tensor(read(f"{mlp}/Dense_0/kernel").T),
        "mlp.fc1.bias": _tensor(read(f"{mlp}/Dense_0/bias")),
        "mlp.fc2.weight": _tensor(read(f"{mlp}/Dense_1/kernel").T),
        "mlp.fc2.bias": _tensor(read(f"{mlp}/Dense_1/bias")),
    }


def _attention(keys: set[str], k: int) -> str:
    return _numbered(keys, k, "MultiHeadDotProductAttention", ("1", "0"))


def _mlp(keys: set[str], k: int) -> str:
    return _numbered(keys, k, "MlpBlock", ("3", "0"))


def _numbered(keys: set[str], k: int, name: str, numbers: tuple[str, str]) -> str:
    """Checkpoints number a block's modules through (older) or per kind (newer)."""
    found = [f"Transformer/encoderblock_{k}/{name}_{number}" for number in numbers]
    return next((path for path in found if any(key.startswith(f"{path}/") for key in keys)), found[0])


def _tensor(array: "np.ndarray") -> "Tensor":
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
