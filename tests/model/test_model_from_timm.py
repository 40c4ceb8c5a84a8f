import pytest
import timm
import torch
from timm.layers.norm import RmsNorm
from torch import nn

from model_tools import SMALL, small_vit
from munet.errors import InputError
from munet.model.from_timm import read_architecture


def outline(name: str, **arguments):
    with torch.device("meta"):
        return timm.create_model(name, num_classes=0, **arguments)


@pytest.mark.parametrize("name", [name for name in SMALL if not name.startswith("test_")])
def test_an_outline_without_values_tells_the_same(name: str):
    arguments = {"depth": 2, **SMALL[name]}
    assert read_architecture(outline(name, **arguments)) == read_architecture(small_vit(name))


def test_facts_of_the_families():
    clip = read_architecture(small_vit("vit_base_patch32_clip_quickgelu_224"))
    assert (clip.pre_norm, clip.patch_bias, clip.act, clip.norm_eps) == (True, False, "quick_gelu", 1e-5)
    assert clip.mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    dino = read_architecture(small_vit("vit_small_patch14_reg4_dinov2"))
    assert (dino.layer_scale, dino.reg_tokens, dino.no_embed_class, dino.patch_size) == (True, 4, True, 14)
    siglip = read_architecture(small_vit("vit_base_patch32_siglip_256"))
    assert (siglip.global_pool, siglip.class_token, siglip.act) == ("map", False, "gelu_tanh")
    assert read_architecture(outline("vit_so400m_patch14_siglip_224")).mlp_hidden == 4304
    augreg = read_architecture(outline("vit_tiny_patch16_224"))
    assert (augreg.width, augreg.heads, augreg.mlp_hidden, augreg.mean) == (192, 3, 768, (0.5, 0.5, 0.5))


def test_image_size_depth_and_classes_do_not_matter():
    plain = read_architecture(small_vit("vit_tiny_patch16_224"))
    assert plain == read_architecture(small_vit("vit_tiny_patch16_224", img_size=80, depth=1, classes=0))
    assert plain == read_architecture(small_vit("vit_tiny_patch16_224", dynamic_img_size=True, drop_path_rate=0.2))


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("vit_giant_patch14_dinov2", {"embed_dim": 48}, "GluMlp"),
        ("vit_base_patch16_xp_224", {}, "ParallelScalingBlock"),
        ("vit_small_patch16_18x2_224", {}, "ParallelThingsBlock"),
        ("vit_base_patch16_rpn_224", {}, "ResPostBlock"),
        ("beit3_base_patch16_224", {}, "attn.norm"),
        ("deit_tiny_distilled_patch16_224", {}, "VisionTransformerDistilled"),
        ("vit_tiny_patch16_224", {"global_pool": "max"}, "pooling is 'max'"),
        ("vit_tiny_patch16_224", {"pos_embed": "none"}, "position embedding"),
        ("vit_tiny_patch16_224", {"act_layer": "silu"}, "activation SiLU"),
        ("vit_tiny_patch16_224", {"norm_layer": RmsNorm}, "norm"),
        ("vit_tiny_patch16_224", {"embed_norm_layer": "layernorm"}, "patch_embed.norm"),
        ("vit_tiny_patch16_224", {"img_size": (32, 64)}, "not square"),
        ("vit_tiny_patch16_224", {"depth": 0}, "no blocks"),
    ],
)
def test_what_is_not_plain_is_refused_with_what_can_be_cut(name: str, arguments: dict, reason: str):
    with pytest.raises(InputError) as caught:
        read_architecture(outline(name, **{"depth": 1, **arguments}), name)
    message = str(caught.value)
    assert reason in message
    assert message.startswith(name)
    assert all(word in message for word in ("vit_*", "deit_*", "DINOv2", "SigLIP", "CLIP"))
    assert "\n" not in message


def test_a_change_that_no_tensor_shows_is_found():
    """Same tensors, same types, other numbers: found by computing."""
    vit = small_vit("vit_tiny_patch16_224")
    vit.blocks[0].attn.scale = 1.0  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    vit.blocks[0].attn.fused_attn = False  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    with pytest.raises(InputError, match="computes something else"):
        read_architecture(vit)


def test_blocks_that_differ_are_found():
    vit = small_vit("vit_tiny_patch16_224")
    vit.blocks[1].norm2.eps = 0.5  # type: ignore[union-attr]
    with pytest.raises(InputError, match="blocks differ"):
        read_architecture(vit)


def test_another_module_is_refused():
    with pytest.raises(InputError, match="it is a Linear"):
        read_architecture(nn.Linear(2, 2))


def test_looking_changes_nothing():
    vit = small_vit("vit_tiny_patch16_224").train()
    before = {key: tensor.clone() for key, tensor in vit.state_dict().items()}
    read_architecture(vit)
    assert vit.training
    assert vit.patch_embed.img_size == (32, 32)
    assert len(vit.blocks) == 2
    assert all(torch.equal(before[key], tensor) for key, tensor in vit.state_dict().items())
