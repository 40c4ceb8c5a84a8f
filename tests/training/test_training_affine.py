"""Drawings that are moved and bent."""

import pytest
import torch

from munet.errors import InputError
from munet.training import Preprocessing, augment, prepare
from munet.training.affine import BOUNDS, Bounds, draw_warps, warp

STILL = Bounds(shift=0, rotation=0, scale=0, aspect=0, shear=0, elastic=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def some_images(count=6, side=16, channels=1):
    return torch.randint(0, 256, (count, side, side, channels), dtype=torch.uint8, generator=generator(5))


def test_no_change_is_the_image_itself():
    x = torch.rand((3, 1, 9, 9), generator=generator())
    torch.testing.assert_close(warp(x, *draw_warps(STILL, 3, generator()), 9), x, rtol=0, atol=1e-5)


def test_shift_of_one_pixel_repeats_the_border():
    x = torch.rand((1, 1, 8, 8), generator=generator())
    matrices, _ = draw_warps(STILL, 1, generator())
    matrices[:, 0, 2] = 2 / 8  # reads one pixel to the right
    moved = warp(x, matrices, None, 8)
    torch.testing.assert_close(moved[..., :-1], x[..., 1:], rtol=0, atol=1e-5)
    torch.testing.assert_close(moved[..., -1], x[..., -1], rtol=0, atol=1e-5)


def test_quarter_turn_turns_the_image():
    x = torch.rand((1, 1, 8, 8), generator=generator())
    matrices = torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    torch.testing.assert_close(warp(x, matrices, None, 8), torch.rot90(x, 1, (2, 3)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["mild", "strong"])
def test_draws_keep_their_bounds_and_reach_them(name):
    bounds = BOUNDS[name]
    matrices, shifts = draw_warps(bounds, 4000, generator())
    assert matrices[:, :, 2].abs().max() == pytest.approx(2 * bounds.shift, rel=0.01)
    turned = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    assert turned.abs().max() == pytest.approx(bounds.rotation, rel=0.01)
    scales = torch.log(matrices[:, :, 0].norm(dim=1))
    assert scales.abs().max() == pytest.approx(bounds.scale, rel=0.01)
    assert (shifts is not None) == (name == "strong")
    if shifts is not None:
        assert float(shifts.std()) == pytest.approx(2 * bounds.elastic, rel=0.02)


@pytest.mark.parametrize("name", ["mild", "strong"])
def test_augmentation_moves_every_image_in_its_own_way(name):
    pre, images = Preprocessing(image_size=16, augmentation=name), some_images()[:1].expand(6, -1, -1, -1)
    assert not pre.deterministic
    found = augment(images, pre, generator(1))
    assert torch.equal(found, augment(images, pre, generator(1)))
    assert found.shape == (6, 3, 16, 16)
    assert all(not torch.equal(found[i], found[j]) for i in range(6) for j in range(i))
    assert not torch.equal(prepare(images, pre), found)
    assert found.abs().max() <= 1


def test_grey_is_the_same_as_three_equal_channels():
    pre, grey = Preprocessing(image_size=16, augmentation="strong"), some_images()
    coloured = augment(grey.expand(-1, -1, -1, 3).contiguous(), pre, generator(1))
    torch.testing.assert_close(augment(grey, pre, generator(1)), coloured, rtol=0, atol=1e-6)


def test_image_does_not_depend_on_its_neighbours():
    pre, images = Preprocessing(image_size=32, augmentation="strong"), some_images(40)
    matrices, shifts = draw_warps(BOUNDS["strong"], 40, generator())
    x = images.permute(0, 3, 1, 2).float()
    whole = warp(x, matrices, shifts, 32)
    assert shifts is not None
    assert torch.equal(whole[7:9], warp(x[7:9], matrices[7:9], shifts[7:9], 32))
    assert pre.augmentation == "strong"


def test_settings_that_cannot_be():
    with pytest.raises(InputError, match="unknown augmentation 'mild2'"):
        Preprocessing(image_size=16, augmentation="mild2")
    with pytest.raises(InputError, match="crop_area_min to 1"):
        Preprocessing(image_size=16, augmentation="mild", crop_area_min=0.5)
