"""How drawings are changed: what a map does to an image, how far levels go, and that each image has its own draw."""

import pytest
import torch
from torch.nn import functional as F

from munet.training.affine import LEVELS, draw_affine, warp
from munet.training.preprocessing import Preprocessing, augment, prepare

IDENTITY = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])


def test_a_map_that_changes_nothing_is_a_resize() -> None:
    x = torch.rand(1, 3, 24, 24)
    assert torch.allclose(warp(x, IDENTITY, None, 24), x, atol=1e-5)
    assert torch.allclose(warp(x, IDENTITY, None, 32), F.interpolate(x, size=32, mode="bilinear"), atol=1e-4)


def test_a_shift_moves_and_repeats_the_border() -> None:
    x = torch.arange(16.0).repeat(16, 1)[None, None]
    moved = IDENTITY.clone()
    moved[0, 0, 2] = 2 * 4 / 16  # a quarter of the side to the left
    found = warp(x, moved, None, 16)[0, 0, 5]
    assert found.tolist() == pytest.approx([*range(4, 16), 15, 15, 15, 15], abs=1e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_levels_go_as_far_as_they_say_and_are_centred(level: str) -> None:
    maps, bends = draw_affine(level, 4000, torch.Generator().manual_seed(0))
    limit = 2 * LEVELS[level].shift
    assert float(maps[:, :, 2].abs().max()) <= limit
    assert float(maps[:, :, 2].abs().max()) > 0.99 * limit
    assert maps.mean(0).tolist() == [pytest.approx([1, 0, 0], abs=0.01), pytest.approx([0, 1, 0], abs=0.01)]
    assert (bends is None) == (LEVELS[level].bend == 0)
    if bends is not None:
        assert float(bends.std()) == pytest.approx(2 * LEVELS[level].bend, rel=0.02)


def test_drawings_change_and_the_draw_decides_how() -> None:
    images = torch.zeros(6, 28, 28, 1, dtype=torch.uint8)
    images[:, 6:22, 12:16] = 255
    pre = Preprocessing(image_size=32, augmentation="strong")
    assert not pre.deterministic
    first, again, other = (augment(images, pre, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({tuple(image.flatten().tolist()) for image in first}) == 6
    assert first.shape == prepare(images, pre).shape == (6, 3, 32, 32)
    assert Preprocessing(image_size=32).deterministic
