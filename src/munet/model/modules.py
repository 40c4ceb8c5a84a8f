"""The modules around the blocks, built once per architecture without values and then cloned; and timm's own ViT."""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from munet.errors import InputError
from munet.model.transformer import PatchEmbedding, norm_of
from munet.model.vit import ViTArchitecture

if TYPE_CHECKING:
    from timm.models.vision_transformer import VisionTransformer

M = TypeVar("M", bound=nn.Module)


def timm_arguments(architecture: ViTArchitecture, num_blocks: int, image_size: int, classes: int = 0) -> dict[str, Any]:
    """Arguments (JSON values but for the norm's eps) of the timm VisionTransformer that this architecture describes."""
    a = architecture
    ratio = a.mlp_hidden / a.width
    if int(a.width * ratio) != a.mlp_hidden:  # timm rounds the product down
        ratio = (a.mlp_hidden + 0.5) / a.width
    return {
        "img_size": image_size,
        "patch_size": a.patch_size,
        "in_chans": a.channels,
        "num_classes": classes,
        "global_pool": a.global_pool,
        "embed_dim": a.width,
        "depth": num_blocks,
        "num_heads": a.heads,
        "mlp_ratio": ratio,
        "qkv_bias": a.qkv_bias,
        "qk_norm": a.qk_norm,
        "proj_bias": a.proj_bias,
        "init_values": 1e-5 if a.layer_scale else None,
        "class_token": a.class_token,
        "no_embed_class": a.no_embed_class,
        "reg_tokens": a.reg_tokens,
        "pre_norm": a.pre_norm,
        "final_norm": a.final_norm,
        "fc_norm": a.fc_norm,
        "pool_include_prefix": a.pool_include_prefix,
        "act_layer": a.act,
    }


def build_vit(
    architecture: ViTArchitecture, num_blocks: int, image_size: int, classes: int = 0, device: str = "meta"
) -> "VisionTransformer":
    """timm's VisionTransformer of an architecture; on `meta` it has shapes and no values."""
    from timm.layers.norm import LayerNorm
    from timm.models.vision_transformer import VisionTransformer

    arguments = timm_arguments(architecture, num_blocks, image_size, classes)
    norm = partial(LayerNorm, eps=architecture.norm_eps)
    return VisionTransformer(**arguments, norm_layer=norm, weight_init="skip", device=device).eval()  # type: ignore[arg-type]


@lru_cache(maxsize=32)
def pool_template(architecture: ViTArchitecture) -> nn.Module:
    """timm's attention pool on the meta device, of the few architectures that have one; never change it."""
    pool: Any = build_vit(architecture, 1, architecture.patch_size).attn_pool
    return pool


def shallow_clone(module: M) -> M:
    """A copy of a module tree that shares every tensor and can be given others; far cheaper than deepcopy."""
    copy = module.__new__(type(module))
    for name, value in module.__dict__.items():
        copy.__dict__[name] = value.copy() if isinstance(value, dict) else value
    copy._modules = {name: child if child is None else shallow_clone(child) for name, child in module._modules.items()}
    return copy


def assign(module: nn.Module, tensors: Mapping[str, Tensor], slot: str) -> None:
    """Make `tensors` the frozen parameters of `module`, whose names and shapes they must have; InputError otherwise."""
    wanted = dict(module.named_parameters())
    if set(wanted) != set(tensors):
        names = ", ".join(sorted(set(wanted) ^ set(tensors)))
        raise InputError(
            f"the layer in slot {slot} does not fit the architecture: it has too few or too many of {names}"
        )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"the layer in slot {slot} does not fit the architecture: {name} is {tuple(tensor.shape)}, "
                f"it should be {tuple(wanted[name].shape)}"
            )
        owner, _, leaf = name.rpartition(".")
        module.get_submodule(owner)._parameters[leaf] = nn.Parameter(tensor, requires_grad=False)


class Adapter(nn.Module):
    """Residual adapter before a block: x + up(gelu(down(norm(x)))) (muNet sec. 3).

    `act` is gelu or gelu_tanh, the approximation that the papers' code computes.
    """

    def __init__(self, width: int, dim: int, device: str | None = None, act: str = "gelu") -> None:
        super().__init__()
        self.approximate = "tanh" if act == "gelu_tanh" else "none"
        self.norm = nn.LayerNorm(width, eps=1e-6, device=device)
        self.down = nn.Linear(width, dim, device=device)
        self.up = nn.Linear(dim, width, device=device)

    def forward(self, x_BTH: Tensor) -> Tensor:
        return x_BTH + self.up(F.gelu(self.down(self.norm(x_BTH)), approximate=self.approximate))


@lru_cache(maxsize=64)
def adapter_template(width: int, dim: int, act: str) -> Adapter:
    """Adapter on the meta device; never change it."""
    return Adapter(width, dim, device="meta", act=act)


class Embedding(nn.Module):
    """Patches, class and register tokens, positions: everything before the first block, in timm's order."""

    cls_token: Any
    reg_token: Any

    def __init__(self, architecture: ViTArchitecture, image_size: int) -> None:
        super().__init__()
        a, self.image_size = architecture, image_size
        self.patch_embed = PatchEmbedding(a)
        self.norm_pre = norm_of(a, a.pre_norm)
        for name, tokens in (("cls_token", int(a.class_token)), ("reg_token", a.reg_tokens)):
            empty = nn.Parameter(torch.empty(1, tokens, a.width, device="meta")) if tokens else None
            self.register_parameter(name, empty)
        shape = (1, architecture.posembed_rows(image_size), architecture.width)
        self.pos_embed = nn.Parameter(torch.empty(shape, device="meta"))
        self.no_embed_class = architecture.no_embed_class

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if x_BCHW.shape[2:] != (self.image_size, self.image_size):
            raise ValueError(f"images of {tuple(x_BCHW.shape[2:])} pixels: this network reads {self.image_size} a side")
        x = self.patch_embed(x_BCHW)
        prefix = [token.expand(x.shape[0], -1, -1) for token in (self.cls_token, self.reg_token) if token is not None]
        if self.no_embed_class:
            x = x + self.pos_embed
        if prefix:
            x = torch.cat([*prefix, x], dim=1)
        if not self.no_embed_class:
            x = x + self.pos_embed
        return self.norm_pre(x)
