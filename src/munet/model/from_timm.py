"""Which vision transformers can be cut into slots, and the Architecture of those that can.

A ViT is plain when the Architecture read off its modules, built again and given the same random values, computes the
same features. So what no field of Architecture describes is refused, and not silently dropped.
"""

from typing import Any, NoReturn

import torch
from timm.layers.attention import Attention
from timm.layers.mlp import Mlp
from timm.layers.patch_embed import PatchEmbed
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from munet.errors import InputError
from munet.model.modules import build_vit, shallow_clone
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.model.transformer import FUNCTIONS
from munet.model.vit import POOLS, ViTArchitecture

CAN_BE_CUT = (
    "what can be cut is timm's plain VisionTransformer: vit_* and deit_* (AugReg, DeiT, DeiT-3, MAE), DINOv2 "
    "(small, base, large; with or without registers), SigLIP and CLIP image towers"
)


def refuse(name: str, reason: str) -> NoReturn:
    """The one error for everything that is no plain ViT."""
    raise InputError(f"{name} cannot be cut into layers, because {reason}; {CAN_BE_CUT}")


def read_architecture(vit: nn.Module, name: str = "the model") -> ViTArchitecture:
    """Architecture of a timm VisionTransformer, on any device including meta. InputError when it is not plain."""
    if type(vit) is not VisionTransformer:
        refuse(name, f"it is a {type(vit).__name__}")
    _check_parts(vit, name)
    architecture = _read(vit, name)
    side = vit.patch_embed.img_size[0]  # type: ignore[index]
    rebuilt = build_vit(architecture, len(vit.blocks), side)
    rebuilt.head = nn.Identity()
    shapes = _shapes(vit)
    if shapes != _shapes(rebuilt):
        odd = sorted(set(shapes.items()) ^ set(_shapes(rebuilt).items()))
        refuse(name, f"it has tensors that a plain one has not, or lacks some ({odd[0][0]})")
    if not _same_features(vit, architecture):
        refuse(name, "a plain one with the same weights computes something else")
    return architecture


def _check_parts(vit: Any, name: str) -> None:
    """Refuse modules of a type that no Architecture describes."""
    block = vit.blocks[0] if len(vit.blocks) else refuse(name, "it has no blocks")
    plain = (
        (vit, "patch_embed", PatchEmbed),
        (vit.blocks, "0", Block),
        (block, "attn", Attention),
        (block, "mlp", Mlp),
    )
    for owner, part, kind in plain:
        found = type(getattr(owner, part))
        if found is not kind:
            refuse(name, f"it has {found.__name__} where a plain one has {kind.__name__}")
    if any(_structure(other) != _structure(block) for other in vit.blocks):
        refuse(name, "its blocks differ in structure")
    if vit.pos_embed is None:
        refuse(name, "it has no learned position embedding")
    if vit.global_pool not in POOLS:
        refuse(name, f"its pooling is '{vit.global_pool}' and not one of {', '.join(POOLS)}")
    patch, image = vit.patch_embed.patch_size, vit.patch_embed.img_size
    if patch[0] != patch[1] or image[0] != image[1]:
        refuse(name, "its patches or images are not square")


def _structure(block: nn.Module) -> list[tuple[str, str, str]]:
    """Names, types and settings of a block's modules, but for dropout, which evaluation switches off."""
    skip = ("Dropout", "DropPath", "Identity")
    modules = [(name, type(module).__name__, module) for name, module in block.named_modules()]
    return [(name, kind, "" if list(m.children()) else m.extra_repr()) for name, kind, m in modules if kind not in skip]


def _read(vit: Any, name: str) -> ViTArchitecture:
    block = vit.blocks[0]
    fc_norm = not isinstance(vit.fc_norm, nn.Identity)
    config = vit.pretrained_cfg if isinstance(getattr(vit, "pretrained_cfg", None), dict) else {}
    channels = vit.patch_embed.proj.in_channels
    return ViTArchitecture(
        patch_size=vit.patch_embed.patch_size[0],
        width=vit.embed_dim,
        heads=block.attn.num_heads,
        mlp_hidden=block.mlp.fc1.out_features,
        channels=channels,
        act=_activation(block.mlp.act, name),
        norm_eps=getattr(block.norm1, "eps", None) or refuse(name, "its norms have no eps"),
        qkv_bias=block.attn.qkv.bias is not None,
        qk_norm=not isinstance(block.attn.q_norm, nn.Identity),
        proj_bias=block.attn.proj.bias is not None,
        class_token=vit.cls_token is not None,
        reg_tokens=vit.num_reg_tokens,
        no_embed_class=vit.no_embed_class,
        pre_norm=not isinstance(vit.norm_pre, nn.Identity),
        layer_scale=not isinstance(block.ls1, nn.Identity),
        global_pool=vit.global_pool,
        final_norm=fc_norm or not isinstance(vit.norm, nn.Identity),
        fc_norm=fc_norm,
        pool_include_prefix=vit.pool_include_prefix,
        mean=_per_channel(config.get("mean"), channels),
        std=_per_channel(config.get("std"), channels),
    )


def _per_channel(values: Any, channels: int) -> tuple[float, ...]:
    """timm's mean or std of the input; 0.5 where it says none for this number of channels."""
    return tuple(float(v) for v in values) if values and len(values) == channels else (0.5,) * channels


def _activation(module: nn.Module, name: str) -> str:
    probe = torch.linspace(-3, 3, 13)
    if not list(module.parameters()):
        result = module(probe)
        for act, function in FUNCTIONS.items():
            if torch.allclose(result, function(probe), rtol=0, atol=1e-6):
                return act
    return refuse(name, f"its activation {type(module).__name__} is not one of {', '.join(FUNCTIONS)}")


def _shapes(vit: VisionTransformer) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in vit.state_dict().items() if not key.startswith("head.")}


def _same_features(vit: VisionTransformer, architecture: ViTArchitecture) -> bool:
    """Whether a twin of the ViT and a Network compute the same with one block, 2 x 2 patches and random tensors.

    Random, so that an instance on meta can be judged, and so that a LayerScale of 1e-5 hides no difference.
    """
    side = 2 * architecture.patch_size
    small: Any = shallow_clone(vit).eval()
    small.blocks = nn.Sequential(small.blocks[0])
    small.head = nn.Identity()
    small.patch_embed.set_input_size(img_size=(side, side))
    small.pos_embed = nn.Parameter(torch.empty(1, architecture.posembed_rows(side), architecture.width))
    generator = torch.Generator().manual_seed(0)
    state = {key: _random(key, tensor, generator) for key, tensor in small.state_dict().items()}
    for key, tensor in state.items():
        owner, _, leaf = key.rpartition(".")
        small.get_submodule(owner)._parameters[leaf] = nn.Parameter(tensor, requires_grad=False)
    images = torch.randn(2, architecture.channels, side, side, generator=generator)
    with torch.no_grad():
        expected = small(images)
        features = Network(architecture, split_state_dict(state), side)(images)
    return torch.allclose(features, expected, rtol=1e-5, atol=1e-5)


def _random(key: str, like: Tensor, generator: torch.Generator) -> Tensor:
    """Values of the size that keeps activations near one; scales near one."""
    noise = torch.randn(like.shape, generator=generator)
    if key.endswith("gamma") or ("norm" in key and key.endswith("weight")):
        return 1 + 0.2 * noise
    return noise / like[0].numel() ** 0.5 if like.ndim in (2, 4) else 0.3 * noise
