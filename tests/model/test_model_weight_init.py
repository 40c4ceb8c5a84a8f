import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from model_tools import TI
from munet.errors import InputError
from munet.model.vit import ViTArchitecture
from munet.model.weight_init import lecun_normal, new_adapter, new_head, random_root, resize_posembed

REGISTERS = ViTArchitecture(14, 6, 1, 12, reg_tokens=3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear_zoom(grid: np.ndarray, size: int) -> np.ndarray:
    """Written out: each new cell lies at i * (old - 1) / (new - 1) and is interpolated between its neighbours."""
    at = np.arange(size) * (len(grid) - 1) / (size - 1) if size > 1 else np.zeros(1)
    low = np.minimum(np.floor(at).astype(int), len(grid) - 2)
    part = at - low
    rows = grid[low] * (1 - part)[:, None, None] + grid[low + 1] * part[:, None, None]
    return rows[:, low] * (1 - part)[None, :, None] + rows[:, low + 1] * part[None, :, None]


@pytest.mark.parametrize("grid", [1, 2, 3, 5, 7, 14, 24])
def test_resized_grid_is_linear_with_aligned_corners(grid: int):
    pos_embed = torch.randn(1, 197, 192, generator=generator())
    resized = resize_posembed(pos_embed, TI, 224, 16 * grid)
    assert resized.shape == (1, 1 + grid * grid, 192)
    assert torch.equal(resized[:, 0], pos_embed[:, 0])
    expected = linear_zoom(pos_embed[0, 1:].reshape(14, 14, 192).double().numpy(), grid)
    np.testing.assert_allclose(resized[0, 1:].reshape(grid, grid, 192).numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("grid", [2, 3, 5, 7, 24])
def test_resized_grid_equals_scipys_zoom(grid: int):
    ndimage = pytest.importorskip("scipy.ndimage")
    pos_embed = torch.randn(1, 197, 192, generator=generator())
    expected = ndimage.zoom(pos_embed[0, 1:].reshape(14, 14, 192).numpy(), (grid / 14, grid / 14, 1), order=1)
    resized = resize_posembed(pos_embed, TI, 224, 16 * grid)[0, 1:].reshape(grid, grid, 192).numpy()
    np.testing.assert_allclose(resized, expected, rtol=0, atol=1e-5)


def test_32_pixels_are_exactly_the_four_corners():
    pos_embed = torch.randn(1, 197, 192, generator=generator())
    cells = pos_embed[0, 1:].reshape(14, 14, 192)
    corners = torch.stack([cells[0, 0], cells[0, 13], cells[13, 0], cells[13, 13]])
    assert torch.equal(resize_posembed(pos_embed, TI, 224, 32)[0, 1:], corners)
    assert torch.equal(resize_posembed(pos_embed, TI, 224, 16)[0, 1:], cells[0, :1])


def test_one_size_is_a_copy():
    pos_embed = torch.randn(1, 5, 192, generator=generator())
    same = resize_posembed(pos_embed, TI, 32, 32)
    assert torch.equal(same, pos_embed)
    assert same.data_ptr() != pos_embed.data_ptr()


def test_rows_of_registers_stay_unless_they_have_none():
    pos_embed = torch.randn(1, 4 + 9, 6, generator=generator())
    resized = resize_posembed(pos_embed, REGISTERS, 42, 28)
    assert torch.equal(resized[:, :4], pos_embed[:, :4])
    without = ViTArchitecture(14, 6, 1, 12, reg_tokens=3, no_embed_class=True)
    assert torch.equal(resize_posembed(pos_embed[:, 4:], without, 42, 28), resized[:, 4:])


def test_resize_to_a_size_that_the_patch_does_not_divide():
    with pytest.raises(InputError, match="32 or 48"):
        resize_posembed(torch.zeros(1, 197, 192), TI, 224, 40)


def test_new_head_is_zero():
    head = new_head(192, 7)
    assert (head["weight"].shape, head["bias"].shape) == ((7, 192), (7,))
    assert not any(tensor.any() for tensor in head.values())


def test_new_adapter_draws_its_first_dense_layer_only():
    adapter = new_adapter(192, 512, generator())
    down = adapter["down.weight"]
    assert down.shape == (512, 192)
    assert down.std().item() == pytest.approx(1 / math.sqrt(192), rel=0.02)
    assert down.abs().max() <= 2 / math.sqrt(192) / 0.8796 + 1e-6
    assert not adapter["up.weight"].any()
    assert torch.equal(adapter["norm.weight"], torch.ones(192))


def test_what_is_cut_off_is_drawn_again_whatever_pytorch_does():
    std = 1 / math.sqrt(64) / 0.87962566103423978
    draws = generator()
    expected = std * torch.randn(32, 64, generator=draws)
    times = 0
    while (outside := expected.abs() > 2 * std).any():
        expected = torch.where(outside, std * torch.randn(32, 64, generator=draws), expected)
        times += 1
    assert times >= 2
    torch.testing.assert_close(lecun_normal((32, 64), 64, generator()), expected, rtol=0, atol=1e-6)


def test_new_adapters_follow_their_generator():
    first = new_adapter(48, 8, generator(1))["down.weight"]
    assert torch.equal(first, new_adapter(48, 8, generator(1))["down.weight"])
    assert not torch.equal(first, new_adapter(48, 8, generator(2))["down.weight"])


def test_random_root_differs_from_block_to_block_and_by_seed():
    root = random_root(TI, 3, 32, generator(1))
    again, other = random_root(TI, 3, 32, generator(1)), random_root(TI, 3, 32, generator(2))
    for name in ("attn.qkv.weight", "attn.proj.weight", "mlp.fc1.weight", "mlp.fc2.weight", "mlp.fc1.bias"):
        weights = [root[f"block.{k}"][name] for k in range(3)]
        assert not torch.equal(weights[0], weights[1])
        assert not torch.equal(weights[1], weights[2])
        assert torch.equal(weights[2], again["block.2"][name])
        assert not torch.equal(weights[2], other["block.2"][name])


def test_random_root_has_the_published_spread():
    root = random_root(TI, 1, 32, generator())
    block = root["block.0"]
    assert root["embedding"]["patch_embed.proj.weight"].std().item() == pytest.approx(768**-0.5, rel=0.02)
    assert block["mlp.fc1.weight"].std().item() == pytest.approx((2 / (192 + 768)) ** 0.5, rel=0.02)
    assert block["mlp.fc1.bias"].std().item() == pytest.approx(1e-6, rel=0.2)
    assert root["posembed"]["pos_embed"].std().item() == pytest.approx(0.02, rel=0.1)
    assert not root["cls"]["cls_token"].any()
    assert not block["attn.qkv.bias"].any()
    assert torch.equal(block["norm2.weight"], torch.ones(192))
    assert torch.equal(root["norm"]["norm.bias"], torch.zeros(192))


def test_random_root_of_an_attention_pool_and_layer_scale():
    architecture = ViTArchitecture(16, 48, 3, 96, class_token=False, reg_tokens=1, layer_scale=True, global_pool="map")
    root = random_root(architecture, 2, 32, generator())
    assert set(root) == set(architecture.slots(2, head=False))
    assert torch.equal(root["block.1"]["ls2.gamma"], torch.full((48,), 0.1))
    assert root["pool"]["latent"].std() > 0.05
    assert root["pool"]["mlp.fc1.weight"].std() > 0.05
    assert F.layer_norm(root["pool"]["q.weight"], (48,)).std() > 0.5
