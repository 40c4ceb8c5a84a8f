"""Colours against slow references."""

import colorsys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.training.color import add_brightness_, change_hsv_, scale_contrast_

EDGE = torch.tensor([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1]])


def pixels(seed: int = 0) -> torch.Tensor:
    """(6, 3, 4, 5) in [0, 1], with black, white, grey and pure colours among them."""
    x = torch.rand(6, 20, 3, generator=torch.Generator().manual_seed(seed))
    x[:, :8] = EDGE
    return x.view(6, 4, 5, 3).permute(0, 3, 1, 2).contiguous()


def by_colorsys(x: torch.Tensor, change) -> torch.Tensor:
    """`change(h, s, v, image)` for every pixel, in float64."""
    result = x.clone()
    for b in range(x.shape[0]):
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                h, s, v = colorsys.rgb_to_hsv(*x[b, :, i, j].double().tolist())
                result[b, :, i, j] = torch.tensor(colorsys.hsv_to_rgb(*change(h, s, v, b)))
    return result


def test_saturation_is_that_of_hsv():
    x, factors = pixels(), torch.tensor([0.0, 0.5, 0.9, 1.0, 1.1, 3.0])
    expected = by_colorsys(x, lambda h, s, v, b: (h, min(1.0, s * float(factors[b])), v))
    torch.testing.assert_close(change_hsv_(x.clone(), factor=factors), expected, rtol=0, atol=2e-6)


def test_hue_is_that_of_hsv():
    x, turns = pixels(1), torch.tensor([-0.5, -0.2, -0.01, 0.0, 0.1, 0.33])
    expected = by_colorsys(x, lambda h, s, v, b: ((h + float(turns[b])) % 1.0, s, v))
    torch.testing.assert_close(change_hsv_(x.clone(), turns=turns), expected, rtol=0, atol=5e-6)


def test_saturation_then_hue_is_that_of_hsv():
    x, factors = pixels(4), torch.tensor([0.0, 0.5, 0.9, 1.0, 1.1, 3.0])
    turns = torch.tensor([-0.5, 0.2, -0.01, 0.0, 0.1, 0.33])
    expected = by_colorsys(x, lambda h, s, v, b: ((h + float(turns[b])) % 1.0, min(1.0, s * float(factors[b])), v))
    torch.testing.assert_close(change_hsv_(x.clone(), factors, turns), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("turns", [-5 / 6, -2 / 3, -1 / 3, -1 / 6, 0.0, 1 / 6, 0.5, 5 / 6, 1.0])
def test_hue_meets_the_ends_of_the_circle(turns):
    """Sectors at and beside 0 and 6, where the modulo wraps."""
    x = EDGE.T.reshape(1, 3, 2, 4)
    near = (x + torch.tensor([1e-7, -1e-7, 6e-8])[:, None, None]).clamp(0, 1)
    for image in (x, near):
        expected = by_colorsys(image, lambda h, s, v, b: ((h + turns) % 1.0, s, v))
        torch.testing.assert_close(change_hsv_(image.clone(), turns=torch.tensor([turns])), expected, rtol=0, atol=5e-6)


def test_grey_has_neither_hue_nor_saturation():
    grey = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(5))
    parameter = torch.tensor([0.1, -0.1, 0.2])
    for values in ({"factor": parameter}, {"turns": parameter}, {"factor": parameter, "turns": parameter}):
        assert torch.equal(change_hsv_(grey.clone(), **values), grey)
        assert torch.equal(change_hsv_(grey.repeat(1, 3, 1, 1), **values), grey.expand(-1, 3, -1, -1))


def test_contrast_keeps_the_mean_of_each_image_and_channel():
    x, factors = pixels(2), torch.tensor([0.8, 0.9, 1.0, 1.1, 1.2, 0.0])
    found = scale_contrast_(x.clone(), factors)
    torch.testing.assert_close(found.mean((2, 3)), x.mean((2, 3)), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.std((2, 3)), x.std((2, 3)) * factors[:, None], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 1, 3, 3), (4, 3, 7, 5), (3, 1, 190, 181)])
def test_an_images_mean_does_not_depend_on_its_batch(shape):
    """torch adds up a single plane of more than 32,768 values in parts, one for each thread."""
    x = torch.rand(shape, generator=torch.Generator().manual_seed(6))
    factors = torch.linspace(0.5, 1.5, shape[0])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        found = scale_contrast_(x.clone(), factors)
        for i in range(shape[0]):
            assert torch.equal(scale_contrast_(x[i : i + 1].clone(), factors[i : i + 1]), found[i : i + 1])
    finally:
        torch.set_num_threads(threads)


def test_brightness_adds_each_images_own_delta():
    x, delta = pixels(), torch.arange(6) / 10
    assert torch.equal(add_brightness_(x.clone(), delta)[4], x[4] + 0.4)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 2), st.floats(-1, 1))
def test_hsv_changes_stay_in_the_unit_range_and_keep_the_value(seed, factor, turns):
    x = pixels(seed)
    factors, angles = torch.full((6,), factor), torch.full((6,), turns)
    for found in (
        change_hsv_(x.clone(), factors),
        change_hsv_(x.clone(), None, angles),
        change_hsv_(x.clone(), factors, angles),
    ):
        assert found.min() >= -1e-6
        assert found.max() <= 1 + 1e-6
        torch.testing.assert_close(found.amax(1), x.amax(1), rtol=0, atol=1e-6)


def test_zero_change_is_no_change():
    x = pixels(3)
    zero, one = torch.zeros(6), torch.ones(6)
    changed = (
        change_hsv_(x.clone(), factor=one),
        change_hsv_(x.clone(), turns=zero),
        change_hsv_(x.clone(), one, zero),
    )
    for found in (add_brightness_(x.clone(), zero), scale_contrast_(x.clone(), one), *changed):
        assert found == pytest.approx(x, abs=1e-6)
