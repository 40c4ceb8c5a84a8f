"""From uint8 to the network's input."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F

from munet.errors import InputError
from munet.training import Preprocessing, augment, prepare, preprocessing
from munet.training.color import change_hsv_
from munet.training.preprocessing import apply, draw

HALF = (0.5, 0.5, 0.5)
EVERYTHING = {
    "crop_area_min": 0.05,
    "crop_aspect_min": 0.75,
    "flip": True,
    "brightness": 0.2,
    "contrast": 0.2,
    "saturation": 0.2,
    "hue": 0.2,
    "jpeg_quality": 0.2,
}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_images(count: int, height: int, width: int, channels: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, height, width, channels), dtype=torch.uint8, generator=stream(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_prepare_at_the_same_size_only_normalises(channels):
    images = random_images(4, 16, 16, channels)
    found = prepare(images, Preprocessing(16))
    expected = (images.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5
    assert torch.equal(found, expected.expand(-1, 3, -1, -1))
    torch.testing.assert_close(found, (images.permute(0, 3, 1, 2) / 127.5 - 1).expand(-1, 3, -1, -1))
    assert found.is_contiguous()


def test_prepare_resizes_without_keeping_the_aspect_and_normalises_each_channel():
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    images = random_images(3, 20, 31, 3)
    found = prepare(images, Preprocessing(24, mean, std))
    x = F.interpolate(images.permute(0, 3, 1, 2) / 255, (24, 24), mode="bilinear", align_corners=False)
    expected = (x - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    grey = prepare(images[..., :1], Preprocessing(24, mean, std))
    torch.testing.assert_close(grey[:, 0], found[:, 0], rtol=0, atol=1e-5)
    torch.testing.assert_close(grey[:, 2] * 0.225 + 0.406, grey[:, 0] * 0.229 + 0.485, rtol=0, atol=1e-5)


def test_one_channel_may_be_wanted_and_inverted():
    images = random_images(4, 16, 16, 3)
    inverted = prepare(images[..., :1], Preprocessing(16, (1.0,), (-1.0,)))
    torch.testing.assert_close(inverted, 1 - images[..., 0][:, None] / 255, rtol=0, atol=1e-7)
    grey = prepare(images, Preprocessing(16, (0.0,), (1.0,)))
    pillow = np.stack([np.asarray(Image.fromarray(image.numpy()).convert("L")) for image in images])
    torch.testing.assert_close(grey * 255, torch.from_numpy(pillow[:, None]).float(), rtol=0, atol=1.01)
    assert augment(images, Preprocessing(8, (0.0,), (1.0,), brightness=0.2, hue=0.1), stream()).shape == (4, 1, 8, 8)
    for mean, std in (((0.5,) * 2, (0.5,) * 2), ((0.5,), (0.5,) * 3), ((0.5,), (0.0,))):
        with pytest.raises(InputError, match="give one or three numbers each, and no std of 0"):
            Preprocessing(16, mean, std)


@pytest.mark.parametrize("variant", ["munet", "mu2net-plus"])
@pytest.mark.parametrize("channels", [1, 3])
def test_everything_at_once_stays_in_range(variant, channels):
    pre = Preprocessing.from_hyperparameters({**EVERYTHING, "image_size": 24}, variant, HALF, HALF)
    found = augment(random_images(9, 28, 20, channels), pre, stream())
    assert found.shape == (9, 3, 24, 24)
    assert found.dtype == torch.float32
    assert found.abs().max() <= 1 + 1e-6
    assert found.std() > 0.1
    if channels == 1:
        assert torch.equal(found[:, 0], found[:, 2])


@settings(max_examples=40, deadline=None)
@given(
    values=st.fixed_dictionaries(
        {
            "crop": st.booleans(),
            "crop_area_min": st.sampled_from([0.05, 0.5, 1.0]),
            "crop_aspect_min": st.sampled_from([0.5, 1.0]),
            "flip": st.booleans(),
            **{name: st.sampled_from([0, 0.01, 0.2]) for name in ("brightness", "contrast", "saturation", "hue")},
            "image_size": st.sampled_from([8, 16]),
        }
    ),
    variant=st.sampled_from(["munet", "mu2net-plus"]),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3])),
    seed=st.integers(0, 2**32),
)
def test_any_setting_gives_the_shape_and_range_and_its_generators_numbers(values, variant, shape, seed):
    pre = Preprocessing.from_hyperparameters(values, variant, HALF, HALF)
    images = random_images(3, *shape, seed=seed)
    found = augment(images, pre, stream(seed))
    assert found.shape == (3, 3, pre.image_size, pre.image_size)
    assert found.abs().max() <= 1 + 1e-6
    assert torch.equal(found, augment(images, pre, stream(seed)))
    if pre.deterministic:
        assert torch.equal(found, prepare(images, pre))


def test_each_image_has_its_own_parameters_and_no_other_images():
    values = {**EVERYTHING, "jpeg_quality": 0, "image_size": 16}
    pre = Preprocessing.from_hyperparameters(values, "mu2net-plus", HALF, HALF)
    one = random_images(1, 20, 20, 3)
    same = augment(one.expand(6, -1, -1, -1), pre, stream())
    assert all(not torch.equal(same[0], same[i]) for i in range(1, 6))
    other = one.repeat(6, 1, 1, 1)
    other[1:] = random_images(5, 20, 20, 3, seed=9)
    assert torch.equal(augment(other, pre, stream())[0], same[0])


@pytest.mark.parametrize("variant", ["munet", "mu2net-plus"])
@pytest.mark.parametrize(("height", "width", "channels"), [(20, 20, 3), (13, 7, 3), (13, 7, 1), (40, 33, 3), (5, 9, 1)])
@pytest.mark.parametrize("off", [(), ("crop_area_min",), ("crop_area_min", "flip", "hue")])
def test_no_image_depends_on_its_batch_or_chunk(variant, height, width, channels, off, monkeypatch):
    """To the bit: the whole batch, image by image, cut into batches, and in chunks that do not divide it."""
    values = {name: value for name, value in EVERYTHING.items() if name not in off}
    pre = Preprocessing.from_hyperparameters({**values, "image_size": 15}, variant, HALF, HALF)
    images = random_images(10, height, width, channels)
    before = images.clone()
    draws = draw(pre, 10, height, width, stream())
    whole = apply(images, pre, draws)
    for size in (1, 4):
        parts = [apply(images[a : a + size], pre, draws.part(a, a + size)) for a in range(0, 10, size)]
        assert torch.equal(torch.cat(parts), whole)
    for chunk in (1, 3, 10):
        monkeypatch.setattr(preprocessing, "_CHUNK_PIXELS", chunk * max(height * width, 225))
        assert torch.equal(apply(images, pre, draws), whole)
    assert torch.equal(images, before)


def test_a_batch_of_several_chunks_is_its_images_and_none_is_a_batch_too():
    pre = Preprocessing.from_hyperparameters({**EVERYTHING, "jpeg_quality": 0, "image_size": 96}, "munet", HALF, HALF)
    images = random_images(33, 100, 90, 3)
    draws = draw(pre, 33, 100, 90, stream())
    whole = apply(images, pre, draws)
    single = [apply(images[i : i + 1], pre, draws.part(i, i + 1)) for i in range(33)]
    assert torch.equal(torch.cat(single), whole)
    assert prepare(images[:0], pre).shape == (0, 3, 96, 96)


@pytest.mark.parametrize("cropped", [False, True])
def test_half_of_the_images_are_flipped(cropped):
    images = random_images(1, 8, 8, 1).expand(400, -1, -1, -1)
    # with an area just below 1 every box is the whole image
    pre = Preprocessing(8, flip=True, crop_area_min=0.999 if cropped else 1.0)
    plain = prepare(images, pre)
    found = augment(images, pre, stream())
    kept = (found - plain).abs().amax((1, 2, 3)) < 1e-4
    flipped = (found - plain.flip(-1)).abs().amax((1, 2, 3)) < 1e-4
    assert (kept ^ flipped).all()
    assert 160 < kept.sum() < 240


def test_brightness_delta_is_half_as_strong_on_the_wide_range():
    images = torch.full((2000, 2, 2, 1), 128, dtype=torch.uint8)
    for variant, reach in (("munet", 0.2), ("mu2net-plus", 0.4)):
        pre = Preprocessing(2, brightness=0.2, variant=variant)
        moved = (augment(images, pre, stream()) - prepare(images, pre))[:, 0, 0, 0]
        assert reach * 0.98 < moved.abs().max() <= reach + 1e-6
        assert moved.mean().abs() < reach * 0.05


def test_saturation_of_the_munet_variant_works_on_unit_values():
    """A dark colour keeps its hue: the published code made it grey."""
    images = torch.tensor([10, 20, 40], dtype=torch.uint8).expand(50, 2, 2, 3).contiguous()
    pre = Preprocessing(2, saturation=0.2, variant="munet")
    found = (augment(images, pre, stream()) + 1) / 2 * 255
    red, green, blue = found[:, :, 0, 0].unbind(1)
    torch.testing.assert_close(blue, torch.full((50,), 40.0), rtol=0, atol=1e-3)
    torch.testing.assert_close((blue - green) / (blue - red), torch.full((50,), 2 / 3), rtol=0, atol=1e-4)
    assert 0.79 <= ((blue - red) / 30).min() < 0.85
    assert 1.15 < ((blue - red) / 30).max() <= 1.21


def test_variants_clip_before_hsv_or_at_the_end():
    """Brightness carries some values out of the range; what comes next shows where they were cut."""
    images = torch.tensor([250, 128, 5], dtype=torch.uint8).expand(30, 2, 2, 3).contiguous()
    unit = images.permute(0, 3, 1, 2) / 255
    for variant in ("munet", "mu2net-plus"):
        pre = Preprocessing(2, brightness=0.2, saturation=0.2, contrast=0.2, variant=variant)
        draws = draw(pre, 30, 2, 2, stream())
        assert draws.brightness is not None
        bright = unit + draws.brightness[:, None, None, None]  # contrast keeps a constant image
        assert bright.max() > 1
        expected = change_hsv_(bright.clamp(0, 1), draws.saturation).clamp(0, 1) * 2 - 1
        torch.testing.assert_close(apply(images, pre, draws), expected, rtol=0, atol=1e-5)
    edge = torch.tensor([255, 245], dtype=torch.uint8)[None, :, None, None].expand(30, 2, 2, 1).contiguous()
    for variant, stepwise in (("munet", False), ("mu2net-plus", True)):
        pre = Preprocessing(2, brightness=0.2, contrast=0.2, variant=variant)
        draws = draw(pre, 30, 2, 2, stream())
        assert draws.brightness is not None
        assert draws.contrast is not None
        x = edge.permute(0, 3, 1, 2) / 255 + draws.brightness[:, None, None, None]
        x = x.clamp(0, 1) if stepwise else x
        mean = x.mean((2, 3), keepdim=True)
        expected = ((x - mean) * draws.contrast[:, None, None, None] + mean).clamp(0, 1) * 2 - 1
        found = apply(edge, pre, draws)
        torch.testing.assert_close(found, expected.expand(-1, 3, -1, -1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_quality_is_drawn_from_the_range_and_applied(channels):
    pre = Preprocessing(16, jpeg_quality=0.05)
    quality = draw(pre, 2000, 16, 16, stream()).quality
    assert quality is not None
    assert sorted(set(quality.tolist())) == [95, 96, 97, 98, 99]
    images = random_images(3, 16, 16, channels)
    levels = draw(pre, 3, 16, 16, stream())
    assert levels.quality is not None
    found = apply(images, pre, levels)
    for image, level, mine in zip(images.numpy(), levels.quality.tolist(), found, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image.squeeze()).save(buffer, "JPEG", quality=level)
        decoded = torch.from_numpy(np.array(Image.open(buffer))).reshape(1, 16, 16, channels)
        assert torch.equal(mine, prepare(decoded, pre)[0])


def test_deterministic_only_when_nothing_is_drawn():
    assert Preprocessing(32).deterministic
    assert Preprocessing(32, crop=False, crop_area_min=0.05).deterministic
    assert Preprocessing(32, crop_aspect_min=0.5).deterministic
    for name, value in EVERYTHING.items():
        if name != "crop_aspect_min":
            assert not Preprocessing(32, **{name: value}).deterministic


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"image_size": 32, "crop_area_min": 0}, "crop_area_min is 0"),
        ({"image_size": 32, "crop_aspect_min": 1.5}, "crop_aspect_min is 1.5"),
        ({"image_size": 32, "hue": -0.1}, "hue is -0.1"),
        ({"image_size": 0}, "image_size is 0"),
        ({"flip": True}, "have no image_size"),
    ],
)
def test_bad_values_are_named(values, message):
    with pytest.raises(InputError, match=message):
        Preprocessing.from_hyperparameters(values, "munet", HALF, HALF)


def test_bad_variant_and_images_are_named():
    with pytest.raises(InputError, match="known: munet, mu2net-plus"):
        Preprocessing(32, variant="mu2net")
    for images in (torch.zeros(1, 8, 8, 4, dtype=torch.uint8), torch.zeros(1, 8, 8, 3)):
        with pytest.raises(InputError, match="give uint8"):
            prepare(images, Preprocessing(8))
