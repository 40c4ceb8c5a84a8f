"""Our blocks and embeddings against timm's: the same names, the same order, the same bits."""

from typing import Any

import pytest
import torch

from munet.model.modules import Embedding, build_vit
from munet.model.transformer import Block
from munet.model.vit import ViTArchitecture

SHAPES: dict[str, Any] = {"patch_size": 4, "width": 12, "heads": 3, "mlp_hidden": 17}
KINDS: list[dict[str, Any]] = [
    {},
    {"act": "gelu_tanh", "layer_scale": True, "reg_tokens": 2},
    {"act": "quick_gelu", "qkv_bias": False, "proj_bias": False, "pre_norm": True, "norm_eps": 1e-5},
    {"qk_norm": True, "class_token": False, "global_pool": "avg", "no_embed_class": True},
]


def filled(module: torch.nn.Module) -> Any:
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5
    return module.eval()


def ours(made: torch.nn.Module, theirs: torch.nn.Module) -> Any:
    """`made` with the values of timm's module, whose names it must have, in their order."""
    assert [name for name, _ in made.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    made.load_state_dict(theirs.state_dict(), assign=True)
    return made.eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fused_attention", [True, False])
def test_a_block_has_the_bits_of_timm(kind: dict[str, Any], fused_attention: bool):
    architecture = ViTArchitecture(**SHAPES, **kind)
    theirs = filled(build_vit(architecture, 1, 8, device="cpu").blocks[0])
    block = ours(Block(architecture), theirs)
    theirs.attn.fused_attn = block.attn.fused_attn = fused_attention
    x = torch.randn((3, 5, 12), generator=torch.Generator().manual_seed(1))
    found, wanted = block(x), theirs(x)
    assert torch.equal(found, wanted)
    for a, b in zip(_gradients(found, block), _gradients(wanted, theirs), strict=True):
        assert torch.equal(a, b)


def _gradients(result: torch.Tensor, module: torch.nn.Module) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(result.square().sum(), list(module.parameters()))


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_has_the_bits_of_timm(kind: dict[str, Any]):
    architecture = ViTArchitecture(**SHAPES, **kind)
    vit = filled(build_vit(architecture, 0, 8, device="cpu"))
    embedding = Embedding(architecture, 8)
    values = {name: tensor for name, tensor in vit.state_dict().items() if name in embedding.state_dict()}
    embedding.load_state_dict(values, assign=True)
    images = torch.randn((2, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    wanted = vit.norm_pre(vit._pos_embed(vit.patch_embed(images)))
    assert torch.equal(embedding.eval()(images), wanted)


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(9, 8\) pixels: this network reads 8 a side"):
        Embedding(ViTArchitecture(**SHAPES), 8)(torch.zeros(1, 3, 9, 8, device="meta"))
