"""New layers: heads, adapters, resized position embeddings, random roots. Every draw comes from a given generator."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from munet.model.modules import build_vit
from munet.model.state_dict import split_state_dict
from munet.model.vit import ViTArchitecture

Layer = dict[str, Tensor]

_CUT_NORMAL_STD = 0.87962566103423978  # standard deviation of a unit normal truncated at two sigma


def new_head(inputs: int, classes: int) -> Layer:
    """Linear head of zeros: `weight` (classes, inputs) and `bias` (classes)."""
    return {"weight": torch.zeros(classes, inputs), "bias": torch.zeros(classes)}


def extended_head(head: Layer, classes: int) -> Layer:
    """A linear head with rows of zeros behind those that it has, `classes` in all."""
    more = classes - len(head["bias"])
    return {name: torch.cat([tensor, tensor.new_zeros(more, *tensor.shape[1:])]) for name, tensor in head.items()}


def new_adapter(width: int, dim: int, generator: torch.Generator) -> Layer:
    """Residual adapter that starts as the identity, since its second dense layer is zero (muNet sec. 3)."""
    return {
        "norm.weight": torch.ones(width),
        "norm.bias": torch.zeros(width),
        "down.weight": lecun_normal((dim, width), width, generator),
        "down.bias": torch.zeros(dim),
        "up.weight": torch.zeros(width, dim),
        "up.bias": torch.zeros(width),
    }


def lecun_normal(shape: tuple[int, ...], fan_in: int, generator: torch.Generator) -> Tensor:
    """Normal truncated at two sigma with variance 1/fan_in after the truncation.

    What lies outside is drawn again. PyTorch's own `trunc_normal_` draws otherwise in some versions than in others, so
    that a seed would give other layers after an update.
    """
    std = 1 / math.sqrt(fan_in) / _CUT_NORMAL_STD
    values = torch.empty(shape).normal_(0.0, std, generator=generator)
    while (outside := values.abs() > 2 * std).any():
        values = torch.where(outside, torch.empty(shape).normal_(0.0, std, generator=generator), values)
    return values


def xavier_uniform(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Uniform with variance 2 / (fan in + fan out)."""
    return torch.nn.init.xavier_uniform_(torch.empty(shape), generator=generator)


def resize_posembed(pos_embed: Tensor, architecture: ViTArchitecture, from_size: int, to_size: int) -> Tensor:
    """Position embedding (1, rows, width) for another image size, in pixels.

    The rows of class and register tokens stay; the grid is interpolated linearly with aligned corners and without
    antialiasing, as the published systems do. A grid of one cell takes the upper left one.
    """
    architecture.check_image_size(to_size)
    old, new = architecture.grid(from_size), architecture.grid(to_size)
    if old == new:
        return pos_embed.clone()
    rows = architecture.posembed_rows(from_size) - old * old
    prefix, grid = pos_embed[:, :rows], pos_embed[:, rows:]
    grid = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).double()
    grid = F.interpolate(grid, size=(new, new), mode="bilinear", align_corners=True)
    grid = grid.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(pos_embed.dtype)
    return torch.cat([prefix, grid], dim=1)


def random_root(
    architecture: ViTArchitecture, num_blocks: int, image_size: int, generator: torch.Generator
) -> dict[str, Layer]:
    """Layers of an untrained ViT without a head; each block gets its own draw.

    Patch convolution LeCun normal, class token zero, positions N(0, 0.02), dense layers of the blocks Xavier uniform,
    MLP biases N(0, 1e-6), other biases zero, norms one and zero: the initialisation of the published models. Register
    tokens N(0, 1e-6), attention-pool latent N(0, 1/width). LayerScale 0.1, from 19 blocks on 1e-5 (CaiT).
    """
    layers = split_state_dict(build_vit(architecture, num_blocks, image_size).state_dict())
    scale = 0.1 if num_blocks <= 18 else 1e-5
    return {
        slot: {name: _initial(slot, name, tensor, scale, generator) for name, tensor in layer.items()}
        for slot, layer in layers.items()
    }


def _initial(slot: str, name: str, like: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """Value of one tensor of a random root; `like` has its shape."""
    shape = tuple(like.shape)
    kind, leaf = name.split(".")[-2:] if "." in name else ("", name)
    if leaf == "gamma":
        return torch.full(shape, scale)
    if leaf in ("pos_embed", "reg_token", "latent"):
        std = {"pos_embed": 0.02, "reg_token": 1e-6, "latent": shape[-1] ** -0.5}[leaf]
        return torch.randn(shape, generator=generator) * std
    if "norm" in kind and leaf == "weight":
        return torch.ones(shape)
    if leaf == "weight" and len(shape) == 4:
        return lecun_normal(shape, math.prod(shape[1:]), generator)
    if leaf == "weight" and len(shape) == 2:
        return xavier_uniform((shape[0], shape[1]), generator)
    if kind in ("fc1", "fc2"):
        return torch.randn(shape, generator=generator) * 1e-6
    return torch.zeros(shape)
