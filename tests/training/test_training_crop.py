"""The crop rule and sampling."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from munet.training.crop import crop_resize, draw_boxes, resize


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 64),
    width=st.integers(1, 64),
    area_min=st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.95]),
    aspect_min=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    seed=st.integers(0, 2**32),
)
def test_boxes_keep_the_rule(height, width, area_min, aspect_min, seed):
    y, x, h, w = draw_boxes(50, height, width, area_min, aspect_min, stream(seed)).unbind(1)
    whole = (h == height) & (w == width)
    assert ((y >= 0) & (x >= 0) & (y + h <= height) & (x + w <= width) & (h > 0) & (w > 0)).all()
    assert (h * w >= area_min * height * width - 1e-9).all()
    # w = round(h * aspect), the aspect in its range
    fits = ((w + 0.5) / h >= aspect_min) & ((w - 0.5) / h <= 1 / aspect_min)
    assert (fits | whole).all()
    # the last offset is never taken
    assert ((y < height - h) | (h == height)).all()
    assert ((x < width - w) | (w == width)).all()


def test_side_length_is_uniform_not_area():
    """Square crops of a square image: heights from round(sqrt(0.04) 50) = 10 to 50, each equally likely."""
    count = 82_000
    boxes = draw_boxes(count, 50, 50, 0.04, 1.0, stream(1))
    heights = boxes[:, 2].bincount(minlength=51)
    assert heights[:10].sum() == 0
    expected = count / 41
    chi2 = ((heights[10:] - expected) ** 2 / expected).sum()
    assert chi2 < 80  # 40 degrees of freedom: 99.98 %
    assert torch.equal(boxes[:, 2], boxes[:, 3])
    share = (boxes[:, 2] * boxes[:, 3]).double().mean() / 2500
    assert share == pytest.approx(sum(h * h for h in range(10, 51)) / 41 / 2500, rel=0.01)


def test_aspect_is_uniform_in_the_ratio():
    """With aspect_min 0.5 on a large square image, w/h ~ U[0.5, 2]: two thirds are wider than high."""
    boxes = draw_boxes(40_000, 1000, 1000, 0.05, 0.5, stream(2)).double()
    ratio = boxes[:, 3] / boxes[:, 2]
    assert (ratio > 1).double().mean() == pytest.approx(2 / 3, abs=0.01)
    assert ratio.mean() == pytest.approx(1.25, abs=0.01)
    assert ratio.std() == pytest.approx(1.5 / 12**0.5, abs=0.01)


def test_offsets_are_uniform_and_independent_of_each_other():
    boxes = draw_boxes(40_000, 1000, 1000, 0.05, 1.0, stream(3)).double()
    small = boxes[boxes[:, 2] < 900]
    y, x = small[:, 0] / (1000 - small[:, 2]), small[:, 1] / (1000 - small[:, 3])
    assert y.mean() == pytest.approx(0.5, abs=0.01)
    assert x.var() == pytest.approx(1 / 12, abs=0.005)
    assert torch.corrcoef(torch.stack([y, x]))[0, 1].abs() < 0.02


def test_impossible_crop_is_the_whole_image():
    # no box of aspect 1 covers 95 % of a 10 x 40 image
    boxes = draw_boxes(5, 10, 40, 0.95, 1.0, stream())
    assert boxes.tolist() == [[0, 0, 10, 40]] * 5


@pytest.mark.parametrize("shape", [(28, 28), (17, 40), (1, 5), (64, 3)])
@pytest.mark.parametrize("size", [1, 16, 32, 48])
def test_resize_is_plain_bilinear(shape, size):
    x = torch.rand(2, 1, *shape, generator=stream())
    expected = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False, antialias=False)
    assert torch.equal(resize(x, size), expected)
    whole = torch.tensor([[0, 0, *shape]]).repeat(2, 1)
    torch.testing.assert_close(crop_resize(x, whole, size), expected, rtol=0, atol=2e-5)


def test_resize_to_the_same_size_is_the_same_tensor():
    x = torch.rand(2, 3, 8, 8)
    assert resize(x, 8) is x


def test_crop_equals_slicing_then_resizing_then_flipping():
    x = torch.rand(40, 3, 21, 33, generator=stream(5))
    boxes = draw_boxes(40, 21, 33, 0.05, 0.5, stream(6))
    flip = torch.rand(40, generator=stream(7)) < 0.5
    found = crop_resize(x, boxes, 16, flip)
    for i, (top, left, h, w) in enumerate(boxes.tolist()):
        part = resize(x[i : i + 1, :, top : top + h, left : left + w], 16)
        torch.testing.assert_close(found[i : i + 1], part.flip(-1) if flip[i] else part, rtol=0, atol=2e-5)


def test_pixels_outside_the_box_are_never_read():
    x = torch.full((1, 1, 20, 20), 1000.0)
    x[..., 5:9, 6:13] = 0.5
    found = crop_resize(x, torch.tensor([[5, 6, 4, 7]]), 32)
    torch.testing.assert_close(found, torch.full((1, 1, 32, 32), 0.5), rtol=0, atol=0.02)
