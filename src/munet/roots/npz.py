"""Roots from the AugReg checkpoints of the papers: `npz:FILE` ("How to train your ViT?", JAX arrays)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.model.slots import block as block_slot
from munet.model.vit import ViTArchitecture
from munet.roots.files import check_file
from munet.roots.root import Root, check_depth, finish

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_BLOCK = re.compile(r"Transformer/encoderblock_(\d+)/")


def npz_root(path: Path, depth: int | None, image_size: int | None) -> Root:
    """Read an AugReg .npz, and of its blocks only the first `depth`. InputError names the file."""

    import numpy as np

    check_file(path)
    try:
        # opened here, since numpy leaves the file of a damaged archive open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            architecture, layers = _convert(arrays, path, depth)
    except InputError:
        raise
    except Exception as error:  # damaged archives and headers raise SyntaxError, TokenError, zlib.error and more
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path} is no AugReg checkpoint (.npz): {reason}") from error
    return finish(architecture, layers, f"npz:{path.name}", depth, image_size)


def _convert(arrays: Any, path: Path, depth: int | None) -> "tuple[ViTArchitecture, dict[str, dict[str, Tensor]]]":
    from munet.roots.flax_layers import layer_of, newer_name

    keys = set(arrays.files)
    if "conv_root/kernel" in keys or any(key.startswith("block1/") for key in keys):
        raise InputError(f"{path} is a hybrid of a ResNet and a ViT, which cannot be cut: use a plain ViT checkpoint")
    available = 1 + max((int(match[1]) for key in keys if (match := _BLOCK.match(key))), default=-1)
    if not available:
        raise InputError(f"{path} is no AugReg checkpoint (.npz): it has no Transformer/encoderblock_0")
    check_depth(depth, available, str(path))

    def reader(place: str) -> "Callable[[str], Tensor]":
        start = f"{place}/"
        known = {newer_name(key.removeprefix(start)): key for key in keys if key.startswith(start)}

        def read(name: str) -> "Tensor":
            key = known.get(name, start + name if name else place)
            if key not in keys:
                raise InputError(f"{path} is no AugReg checkpoint (.npz): it has no {key}")
            return _tensor(arrays[key])

        return read

    places = {"embedding": "embedding", "cls": "cls", "posembed": "Transformer/posembed_input"}
    places |= {"norm": "Transformer/encoder_norm"}
    places |= {block_slot(k): f"Transformer/encoderblock_{k}" for k in range(depth or available)}
    # query kernel (width, heads, width / heads) tells the heads, which no other array does
    kernel, block = reader("embedding")("kernel"), reader("Transformer/encoderblock_0")
    heads = block("MultiHeadDotProductAttention_0/query/kernel").shape[1]
    hidden = block("MlpBlock_0/Dense_0/kernel").shape[1]
    architecture = ViTArchitecture(kernel.shape[0], kernel.shape[3], heads, hidden, channels=kernel.shape[2])
    return architecture, {slot: layer_of(slot, reader(place)) for slot, place in places.items()}


def _tensor(array: "np.ndarray") -> "Tensor":
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
