"""A model as an nn.Module: timm's own modules around the tensors of its layers.

Nothing is initialised and nothing is copied. One ViT of one block per architecture is built on the meta device and
kept; a network is a twin of its module tree whose parameters are the given tensors.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from .architecture import Architecture, adapters_of, depth_of
from .errors import InputError

Layers = Mapping[str, Mapping[str, Tensor]]
Stage = tuple[str, Callable[[Tensor], Tensor]]


def timm_arguments(architecture: Architecture, num_blocks: int, image_size: int, classes: int = 0) -> dict[str, Any]:
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
    architecture: Architecture, num_blocks: int, image_size: int, classes: int = 0, device: str = "meta"
) -> VisionTransformer:
    """timm's VisionTransformer of an architecture; on `meta` it has shapes and no values."""
    from timm.layers import LayerNorm

    arguments = timm_arguments(architecture, num_blocks, image_size, classes)
    norm = partial(LayerNorm, eps=architecture.norm_eps)
    return VisionTransformer(**arguments, norm_layer=norm, weight_init="skip", device=device).eval()  # type: ignore[arg-type]


@lru_cache(maxsize=32)
def _template(architecture: Architecture) -> VisionTransformer:
    return build_vit(architecture, 1, architecture.patch_size)


def twin(module: nn.Module) -> nn.Module:
    """A copy of a module tree that shares every tensor and can be given others; far cheaper than deepcopy."""
    copy = module.__new__(type(module))
    for name, value in module.__dict__.items():
        copy.__dict__[name] = value.copy() if isinstance(value, dict) else value
    copy._modules = {name: child if child is None else twin(child) for name, child in module._modules.items()}
    return copy


def assign(module: nn.Module, tensors: Mapping[str, Tensor], slot: str, trainable: bool) -> dict[str, nn.Parameter]:
    """Make `tensors` the parameters of `module`, whose names and shapes they must have; InputError otherwise."""
    wanted = dict(module.named_parameters())
    if set(wanted) != set(tensors):
        names = ", ".join(sorted(set(wanted) ^ set(tensors)))
        raise InputError(f"the layer in slot {slot} does not fit the architecture: it has too few or too many of {names}")
    given: dict[str, nn.Parameter] = {}
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"the layer in slot {slot} does not fit the architecture: {name} is {tuple(tensor.shape)}, "
                f"it should be {tuple(wanted[name].shape)}"
            )
        owner, _, leaf = name.rpartition(".")
        given[name] = nn.Parameter(tensor, requires_grad=trainable)
        module.get_submodule(owner)._parameters[leaf] = given[name]
    return given


class Adapter(nn.Module):
    """Residual adapter before a block: x + up(gelu(down(norm(x)))) (muNet sec. 3)."""

    def __init__(self, width: int, dim: int, device: str | None = None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-6, device=device)
        self.down = nn.Linear(width, dim, device=device)
        self.up = nn.Linear(dim, width, device=device)

    def forward(self, x_BTH: Tensor) -> Tensor:
        return x_BTH + self.up(F.gelu(self.down(self.norm(x_BTH))))


@lru_cache(maxsize=64)
def _adapter_template(width: int, dim: int) -> Adapter:
    return Adapter(width, dim, device="meta")


class _Embedding(nn.Module):
    """Patches, class and register tokens, positions: everything before the first block, in timm's order."""

    def __init__(self, architecture: Architecture, image_size: int) -> None:
        super().__init__()
        template = _template(architecture)
        self.patch_embed: Any = twin(template.patch_embed)
        self.patch_embed.set_input_size(img_size=(image_size, image_size))
        self.norm_pre = twin(template.norm_pre)
        for name in ("cls_token", "reg_token", "pos_embed"):
            self._parameters[name] = template._parameters.get(name)
        shape = (1, architecture.posembed_rows(image_size), architecture.width)
        self.pos_embed = nn.Parameter(torch.empty(shape, device="meta"))
        self.no_embed_class = architecture.no_embed_class

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x = self.patch_embed(x_BCHW)
        prefix = [token.expand(x.shape[0], -1, -1) for token in (self.cls_token, self.reg_token) if token is not None]
        if self.no_embed_class:
            x = x + self.pos_embed
        if prefix:
            x = torch.cat([*prefix, x], dim=1)
        if not self.no_embed_class:
            x = x + self.pos_embed
        return self.norm_pre(x)


class Network(nn.Module):
    """A model that computes. Its parameters are the given tensors themselves, so training changes those of `trainable`.

    `layers` maps each slot of the model to its tensors by name; `image_size` is the side of the square input in
    pixels. Only the slots in `trainable` require gradients: give copies for those whose layer is shared. A network is
    always in evaluation mode, which for these ViTs (no dropout) changes nothing in training. InputError when the
    layers do not fit the architecture.
    """

    def __init__(
        self, architecture: Architecture, layers: Layers, image_size: int, trainable: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.image_size = image_size
        self.num_blocks = depth_of(layers)
        self.trainable = frozenset(trainable)
        self.slots = architecture.slots(self.num_blocks, adapters_of(layers), head="head" in layers)
        if set(self.slots) != set(layers):
            wrong = ", ".join(sorted(set(self.slots) ^ set(layers)))
            raise InputError(f"the layers do not fit the architecture: missing or too many are {wrong}")
        unknown = sorted(self.trainable - set(self.slots))
        if unknown:
            raise InputError(f"slot {unknown[0]} cannot be trained: the model has no such slot")
        self._parameters_of: dict[str, dict[str, nn.Parameter]] = {}
        self.parts = nn.ModuleDict(self._build(layers))
        self.training = False
        self._stages = self._make_stages()

    def _build(self, layers: Layers) -> dict[str, nn.Module]:
        template = _template(self.architecture)
        width = self.architecture.width
        parts: dict[str, nn.Module] = {}
        embedding = _Embedding(self.architecture, self.image_size)
        self._fill_embedding(embedding, layers)
        parts["posembed"] = embedding
        for slot in self.slots:
            kind = slot.partition(".")[0]
            if kind == "block":
                module = twin(template.blocks[0])
            elif kind == "adapter":
                module = twin(_adapter_template(width, layers[slot]["down.weight"].shape[0]))
            elif kind == "norm":
                module = nn.Module()
                for name in ("norm", "fc_norm"):
                    module.add_module(name, twin(getattr(template, name)))
            elif kind == "pool":
                module = twin(template.attn_pool)  # type: ignore[arg-type]
            elif kind == "head":
                module = nn.Linear(width, layers[slot]["weight"].shape[0], device="meta")
            else:
                continue
            self._parameters_of[slot] = assign(module, layers[slot], slot, slot in self.trainable)
            parts[slot.replace(".", "_")] = module.eval()
        return parts

    def _fill_embedding(self, module: nn.Module, layers: Layers) -> None:
        """The three slots below the first block are one module."""
        tensors: dict[str, Tensor] = {}
        for slot in ("embedding", "cls", "posembed"):
            tensors |= layers.get(slot, {})
        given = assign(module, tensors, "embedding, cls or posembed", False)
        for slot in ("embedding", "cls", "posembed"):
            if slot in layers:
                mine = {name: given[name] for name in layers[slot]}
                self._parameters_of[slot] = mine
                for parameter in mine.values():
                    parameter.requires_grad_(slot in self.trainable)

    def _make_stages(self) -> list[Stage]:
        stages: list[Stage] = [("posembed", self.parts["posembed"])]
        for slot in self.slots:
            kind = slot.partition(".")[0]
            if kind in ("block", "adapter"):
                stages.append((slot, self.parts[slot.replace(".", "_")]))
            elif kind == "norm":
                stages.append((slot, self._norm))
            elif kind == "pool":
                stages.append((slot, self._pool))
            elif kind == "head":
                stages.append((slot, self.parts["head"]))
        return stages
