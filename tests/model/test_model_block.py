"""A block as one function against timm's own module."""

from typing import Any

import pytest
import torch

from munet.model.block import _NAMES, FusedBlock, _Block, can_fuse
from munet.model.block_math import BlockForm
from munet.model.modules import build_vit
from munet.model.network import Network
from munet.model.state_dict import split_state_dict
from munet.model.vit import ViTArchitecture

SHAPES: dict[str, Any] = {"patch_size": 4, "width": 12, "heads": 3, "mlp_hidden": 16}
KINDS: list[dict[str, Any]] = [
    {},
    {"layer_scale": True, "act": "gelu_tanh"},
    {"act": "quick_gelu", "qkv_bias": False, "proj_bias": False},
]


def make_block(dtype=torch.float32, **kind):
    architecture = ViTArchitecture(**SHAPES, **kind)
    block: Any = build_vit(architecture, 1, 4, device="cpu").blocks[0].to(dtype)
    generator = torch.Generator().manual_seed(0)
    for parameter in block.parameters():
        parameter.data = (torch.randn(parameter.shape, generator=generator) * 0.5).to(dtype)
    return block, architecture


def make_network(image_size=8, trainable=(), **kind):
    architecture = ViTArchitecture(**SHAPES, **kind)
    torch.manual_seed(0)
    vit = build_vit(architecture, 3, image_size, classes=5, device="cpu")
    for parameter in vit.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.3
    layers = split_state_dict(vit.state_dict())
    return Network(architecture, layers, image_size, trainable)


def gradients(function, x, block, only_first):
    y = function(x)
    y = y[:, :1] if only_first else y
    weights = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    return y, torch.autograd.grad((y * weights).sum(), [x, *block.parameters()])


@pytest.mark.parametrize("only_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_timm_and_autograd(kind, only_first):
    block, architecture = make_block(**kind)
    x = torch.randn((3, 5, 12), generator=torch.Generator().manual_seed(1)).requires_grad_()
    fused = FusedBlock(block, architecture, bf16=False, class_token_only=only_first)
    wanted, wanted_gradients = gradients(block, x, block, only_first)
    found, found_gradients = gradients(fused, x, block, only_first)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    for a, b in zip(found_gradients, wanted_gradients, strict=True):
        assert (a - b).abs().max() <= 1e-5 * b.abs().max()


@pytest.mark.parametrize("only_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind, only_first):
    block, architecture = make_block(torch.float64, **kind)
    parameters = dict(block.named_parameters())
    form = BlockForm(3, architecture.norm_eps, architecture.act, class_token_only=only_first)

    def apply(x, *values):
        given = dict(zip(parameters, values, strict=True))
        ready = {name: value.detach() for name, value in given.items()}
        return _Block.apply(form, ready, x, *(given.get(name) for name in _NAMES))

    x = torch.randn((2, 3, 12), dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    assert torch.autograd.gradcheck(apply, (x, *parameters.values()))


@pytest.mark.parametrize("only_first", [False, True])
def test_bf16_is_near_and_gives_equal_bits_again(only_first):
    block, architecture = make_block()
    x = torch.randn((3, 5, 12), generator=torch.Generator().manual_seed(1)).requires_grad_()
    fused = FusedBlock(block, architecture, bf16=True, class_token_only=only_first)
    wanted, wanted_gradients = gradients(block, x, block, only_first)
    found, found_gradients = gradients(fused, x, block, only_first)
    again, again_gradients = gradients(fused, x, block, only_first)
    assert found.dtype == torch.float32
    assert (found - wanted).abs().max() < 0.02 * wanted.abs().max()
    for a, b, c in zip(found_gradients, wanted_gradients, again_gradients, strict=True):
        assert a.dtype == torch.float32
        assert (a - b).abs().max() < 0.05 * b.abs().max()
        assert torch.equal(a, c)
    assert torch.equal(found, again)


def test_what_is_frozen_gets_no_gradient():
    block, architecture = make_block()
    fused = FusedBlock(block, architecture, bf16=True)
    x = torch.randn((2, 5, 12), generator=torch.Generator().manual_seed(1))
    block.requires_grad_(False)
    assert not fused(x).requires_grad
    y = x.clone().requires_grad_()
    fused(y).sum().backward()
    assert y.grad is not None
    block.mlp.fc2.requires_grad_(True)
    fused(x).sum().backward()
    assert {name for name, p in block.named_parameters() if p.grad is not None} == {"mlp.fc2.weight", "mlp.fc2.bias"}


def test_blocks_that_normalise_queries_keep_their_module():
    assert not can_fuse(ViTArchitecture(**SHAPES, qk_norm=True))
    network = make_network(qk_norm=True).on("cpu", step="fused")
    assert [name for name, _ in network.stages()][1:4] == ["block.0", "block.1", "block.2"]


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_network_in_fused_form_gives_the_same_logits(pool):
    network = make_network(
        global_pool=pool, fc_norm=pool == "avg", final_norm=pool != "avg", trainable=("block.2", "head")
    )
    images = torch.randn((4, 3, 8, 8), generator=torch.Generator().manual_seed(3))
    plain = network(images)
    plain_names = [name for name, _ in network.stages()]
    fused = network.on("cpu", "fp32", "fused")
    torch.testing.assert_close(fused(images), plain, rtol=1e-5, atol=1e-5)
    names = [name for name, _ in fused.stages()]
    assert names[3] == ("block.2+class token" if pool == "token" else "block.2+fused")
    assert fused.frozen_stages() == 3
    assert [fused.slots_of_stage(name) for name in names] == [fused.slots_of_stage(name) for name in plain_names]
    fused.with_patches = pool == "token"
    assert [name for name, _ in fused.stages()][3] == "block.2+fused"
    fused.with_patches = False
    x = images
    for _, stage in fused.stages():
        x = stage(x)
    assert torch.equal(x, fused(images))
    assert torch.equal(network.on("cpu")(images), plain)
