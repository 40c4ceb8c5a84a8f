"""What other libraries call models that timm has too: only to say what was meant."""

import re

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
    "laion/clip-vit-b-32-laion2b-s34b-b79k": "vit_base_patch32_clip_224.laion2b",
    "laion/clip-vit-b-16-laion2b-s34b-b88k": "vit_base_patch16_clip_224.laion2b",
    "laion/clip-vit-l-14-laion2b-s32b-b82k": "vit_large_patch14_clip_224.laion2b",
    **{f"vit-b{sign}{patch}": f"vit_base_patch{patch}_clip_224.openai" for sign in "/-" for patch in (16, 32)},
    **{f"vit-l{sign}14": "vit_large_patch14_clip_224.openai" for sign in "/-"},
    **{f"dino_vit{short}{p}": f"vit_{_SIZES[short]}_patch{p}_224.dino" for short in "sb" for p in (8, 16)},
    **{f"facebook/dino-vit{short}{p}": f"vit_{_SIZES[short]}_patch{p}_224.dino" for short in "sb" for p in (8, 16)},
    **{f"dinov2_vit{short}14": f"vit_{size}_patch14_dinov2" for short, size in _SIZES.items()},
    **{f"dinov2_vit{short}14_reg": f"vit_{size}_patch14_reg4_dinov2" for short, size in _SIZES.items()},
    **{f"facebook/dinov2-{size}": f"vit_{size}_patch14_dinov2" for size in _SIZES.values()},
    **{f"facebook/dinov2-with-registers-{size}": f"vit_{size}_patch14_reg4_dinov2" for size in _SIZES.values()},
    **{f"facebook/deit-{size}-patch16-224": f"deit_{size}_patch16_224" for size in ("tiny", "small", "base")},
}


_ON_THE_HUB = re.compile(r"(?:https://huggingface\.co/|hf[-_]hub:)?timm/((?:vit|deit)\w*(?:\.\w+)?)/?")


def timm_name(name: str) -> str | None:
    """timm's name of a model of torchvision, torch.hub, transformers or OpenCLIP, or of a repository of timm's own;
    None for another name."""
    on_the_hub = _ON_THE_HUB.fullmatch(name.strip())
    return on_the_hub[1] if on_the_hub else _KNOWN.get(name.strip().lower())


def why_not(name: str) -> str:
    """Why no model that is called so can be a root, where the name tells; else nothing."""
    rotary = re.search(r"dinov3|eva0?2|rope", name, re.IGNORECASE)
    return "its positions are rotary, which no slot holds: DINOv2's and AugReg's are not" if rotary else ""
