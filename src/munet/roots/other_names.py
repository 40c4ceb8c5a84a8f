"""What other libraries call models that timm has too: only to say what was meant."""

_SIZES = {"s": "small", "b": "base", "l": "large"}
_KNOWN = {
    "vit_b_16": "vit_base_patch16_224",
    "vit_b_32": "vit_base_patch32_224",
    "vit_l_16": "vit_large_patch16_224",
    "vit_l_32": "vit_large_patch32_224",
    "google/vit-base-patch16-224": "vit_base_patch16_224",
    "google/vit-base-patch16-224-in21k": "vit_base_patch16_224.orig_in21k",
    "google/vit-large-patch16-224-in21k": "vit_large_patch16_224.orig_in21k",
    "facebook/vit-mae-base": "vit_base_patch16_224.mae",
    "facebook/vit-mae-large": "vit_large_patch16_224.mae",
    "google/siglip-base-patch16-224": "vit_base_patch16_siglip_224",
    "openai/clip-vit-base-patch16": "vit_base_patch16_clip_224.openai",
    "openai/clip-vit-base-patch32": "vit_base_patch32_clip_224.openai",
    "openai/clip-vit-large-patch14": "vit_large_patch14_clip_224.openai",
    **{f"dinov2_vit{short}14": f"vit_{size}_patch14_dinov2" for short, size in _SIZES.items()},
    **{f"dinov2_vit{short}14_reg": f"vit_{size}_patch14_reg4_dinov2" for short, size in _SIZES.items()},
    **{f"facebook/dinov2-{size}": f"vit_{size}_patch14_dinov2" for size in _SIZES.values()},
    **{f"facebook/dinov2-with-registers-{size}": f"vit_{size}_patch14_reg4_dinov2" for size in _SIZES.values()},
    **{f"facebook/deit-{size}-patch16-224": f"deit_{size}_patch16_224" for size in ("tiny", "small", "base")},
}


def timm_name(name: str) -> str | None:
    """timm's name of a model of torchvision, torch.hub or transformers; None for another name."""
    return _KNOWN.get(name.strip().lower())
