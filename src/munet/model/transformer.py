"""The blocks of a vision transformer, as timm has them: the same operations in the same order, the same names.

They are not taken from timm, because importing it takes longer than importing torch, and answering for one image needs
nothing else of it; tests compare the two. There is no dropout and no stochastic depth.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from munet.model.vit import ViTArchitecture

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


def norm_of(architecture: ViTArchitecture, present: bool = True, width: int | None = None) -> nn.Module:
    """A norm of an architecture on the meta device; the identity where it has none."""
    a = architecture
    return nn.LayerNorm(width or a.width, eps=a.norm_eps, device="meta") if present else nn.Identity()


class Attention(nn.Module):
    """Multi-head attention of (B, T, H) tokens to themselves (Vaswani et al. 2017)."""

    def __init__(self, architecture: ViTArchitecture) -> None:
        super().__init__()
        a = architecture
        self.heads, self.scale, self.fused_attn = a.heads, (a.width // a.heads) ** -0.5, True
        self.qkv = nn.Linear(a.width, 3 * a.width, bias=a.qkv_bias, device="meta")
        self.q_norm = norm_of(a, a.qk_norm, a.width // a.heads)
        self.k_norm = norm_of(a, a.qk_norm, a.width // a.heads)
        self.proj = nn.Linear(a.width, a.width, bias=a.proj_bias, device="meta")

    def forward(self, x_BTH: Tensor) -> Tensor:
        B, T, H = x_BTH.shape
        q, k, v = self.qkv(x_BTH).reshape(B, T, 3, self.heads, H // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if self.fused_attn:
            x = F.scaled_dot_product_attention(q, k, v)
        else:
            x = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(x.transpose(1, 2).reshape(B, T, H))


class Mlp(nn.Module):
    """Two dense layers with an activation between them."""

    def __init__(self, architecture: ViTArchitecture) -> None:
        super().__init__()
        a = architecture
        self.act = a.act
        self.fc1 = nn.Linear(a.width, a.mlp_hidden, bias=a.proj_bias, device="meta")
        self.fc2 = nn.Linear(a.mlp_hidden, a.width, bias=a.proj_bias, device="meta")

    def forward(self, x_BTH: Tensor) -> Tensor:
        return self.fc2(FUNCTIONS[self.act](self.fc1(x_BTH)))


class LayerScale(nn.Module):
    """A factor for each feature (Touvron et al. 2021)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width, device="meta"))

    def forward(self, x_BTH: Tensor) -> Tensor:
        return x_BTH * self.gamma


class Block(nn.Module):
    """x + s1 attn(norm1(x)), then x + s2 mlp(norm2(x)), on the meta device."""

    def __init__(self, architecture: ViTArchitecture) -> None:
        super().__init__()
        a = architecture
        self.norm1, self.attn = norm_of(a), Attention(a)
        self.ls1: nn.Module = LayerScale(a.width) if a.layer_scale else nn.Identity()
        self.norm2, self.mlp = norm_of(a), Mlp(a)
        self.ls2: nn.Module = LayerScale(a.width) if a.layer_scale else nn.Identity()

    def forward(self, x_BTH: Tensor) -> Tensor:
        x_BTH = x_BTH + self.ls1(self.attn(self.norm1(x_BTH)))
        return x_BTH + self.ls2(self.mlp(self.norm2(x_BTH)))


@lru_cache(maxsize=32)
def block_template(architecture: ViTArchitecture) -> Block:
    """A block without values, shared by all networks of an architecture; never change it."""
    return Block(architecture)


class PatchEmbedding(nn.Module):
    """Images (B, C, S, S) as embedded patches (B, T, H), row by row."""

    def __init__(self, architecture: ViTArchitecture) -> None:
        super().__init__()
        a = architecture
        self.patch_size = a.patch_size
        sizes: dict[str, Any] = {"kernel_size": a.patch_size, "stride": a.patch_size}
        self.proj = nn.Conv2d(a.channels, a.width, **sizes, bias=a.patch_bias, device="meta")

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if x_BCHW.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return self.proj(x_BCHW).flatten(2).transpose(1, 2)
        # In bfloat16 a CPU computes one matrix product three times as fast as the convolution that it is.
        side = self.patch_size
        patches = x_BCHW.unfold(2, side, side).unfold(3, side, side)  # (B, C, rows, columns, side, side)
        patches_BTP = patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        return F.linear(patches_BTP, self.proj.weight.flatten(1), self.proj.bias)
