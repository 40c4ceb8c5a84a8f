"""Small timm ViTs with random weights in which nothing is zero, and checkpoints of them."""

from typing import Any

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from munet.model.vit import ViTArchitecture

TI = ViTArchitecture(patch_size=16, width=192, heads=3, mlp_hidden=768)
B = ViTArchitecture(patch_size=16, width=768, heads=12, mlp_hidden=3072)

# timm name -> arguments that make it small; what makes each architecture special stays
SMALL: dict[str, dict[str, Any]] = {
    "vit_tiny_patch16_224": {"img_size": 32, "embed_dim": 48, "num_heads": 3},
    "deit3_small_patch16_224": {"img_size": 48, "embed_dim": 48, "num_heads": 3},
    "flexivit_small": {"img_size": 32, "embed_dim": 32, "num_heads": 2},
    "vit_small_patch14_dinov2": {"img_size": 42, "embed_dim": 48, "num_heads": 3},
    "vit_small_patch14_reg4_dinov2": {"img_size": 28, "embed_dim": 48, "num_heads": 3},
    "vit_base_patch16_siglip_224": {"img_size": 32, "embed_dim": 48, "num_heads": 4},
    "vit_base_patch32_siglip_256": {"img_size": 64, "embed_dim": 48, "num_heads": 4},
    "vit_so400m_patch14_siglip_224": {"img_size": 28, "embed_dim": 96, "num_heads": 4},
    "vit_base_patch32_clip_224": {"img_size": 64, "embed_dim": 48, "num_heads": 3},
    "vit_base_patch32_clip_quickgelu_224": {"img_size": 64, "embed_dim": 48, "num_heads": 3},
    "vit_medium_patch16_gap_240": {"img_size": 32, "embed_dim": 32, "num_heads": 2},
    "vit_betwixt_patch16_reg4_gap_256": {"img_size": 32, "embed_dim": 32, "num_heads": 2},
    "vit_intern300m_patch14_448": {"img_size": 28, "embed_dim": 32, "num_heads": 2},
    "test_vit2": {"img_size": 32},
    "test_vit3": {"img_size": 32},
}


def small_vit(name: str, classes: int = 5, seed: int = 0, depth: int = 2, **arguments: Any) -> VisionTransformer:
    """A timm ViT in evaluation mode whose every parameter is random."""
    vit = timm.create_model(name, num_classes=classes, **{"depth": depth, **SMALL.get(name, {}), **arguments}).eval()
    return randomise(vit, seed)  # type: ignore[arg-type]


def randomise(vit: VisionTransformer, seed: int = 0) -> VisionTransformer:
    """Give every parameter random values that keep activations near one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in vit.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            scale = name.endswith("gamma") or ("norm" in name and name.endswith("weight"))
            fan_in = parameter[0].numel() if parameter.ndim in (2, 4) else 9
            parameter.copy_(1 + 0.3 * noise if scale else noise / fan_in**0.5)
    return vit


def images_of(vit: VisionTransformer, count: int = 3, seed: int = 1) -> Tensor:
    """Random normalised images (count, channels, side, side) that fit the ViT."""
    side = vit.patch_embed.img_size[0]  # type: ignore[index]
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
