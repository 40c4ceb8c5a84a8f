"""Image files of every kind become uint8 with 1 or 3 channels; damaged ones become one line that names them."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from munet.errors import InputError
from munet.tasks.arrays import convert_images
from munet.tasks.images import decode_image, fit

GREY = (np.arange(20 * 12).reshape(20, 12) % 256).astype(np.uint8)
COLOUR = np.stack([GREY, 255 - GREY, np.roll(GREY, 5)], -1)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_grey_stays_one_channel_and_colour_stays_colour() -> None:
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(GREY))), GREY[..., None])
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(COLOUR))), COLOUR)
    ones = Image.fromarray(GREY > 100)
    np.testing.assert_array_equal(decode_image(encoded(ones)), np.where(GREY > 100, 255, 0)[..., None])


def test_paths_pil_images_and_arrays_are_the_same_image(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    for given_as in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(COLOUR), COLOUR):
        np.testing.assert_array_equal(decode_image(given_as), COLOUR)
    np.testing.assert_array_equal(decode_image(GREY), GREY[..., None])


def test_transparency_is_laid_over_white() -> None:
    alpha = np.zeros((20, 12, 1), np.uint8)
    alpha[:10] = 255
    alpha[10:12] = 128
    rgba = decode_image(encoded(Image.fromarray(np.concatenate([COLOUR, alpha], -1))))
    np.testing.assert_array_equal(rgba[:10], COLOUR[:10])
    np.testing.assert_array_equal(rgba[12:], 255)
    blend = (COLOUR[10:12].astype(float) * 128 + 255 * 127) / 255
    assert np.abs(rgba[10:12] - blend).max() <= 0.5
    grey = decode_image(encoded(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha[..., 0])])))
    assert grey.shape == (20, 12, 1)
    np.testing.assert_array_equal(grey[12:], 255)


def test_palette_with_and_without_transparency() -> None:
    palette = Image.new("P", (12, 20))
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    palette.putdata((GREY % 3).ravel().tolist())
    expected = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)[GREY % 3]
    np.testing.assert_array_equal(decode_image(encoded(palette)), expected)
    found = decode_image(encoded(palette, transparency=1))
    np.testing.assert_array_equal(found[GREY % 3 == 1], 255)
    np.testing.assert_array_equal(found[GREY % 3 == 2], expected[GREY % 3 == 2])
    np.testing.assert_array_equal(decode_image(encoded(palette, "GIF")), expected)


@pytest.mark.parametrize(
    ("kind", "dtype"), [("PNG", np.uint16), ("TIFF", np.uint16), ("TIFF", np.int32), ("TIFF", np.float32)]
)
def test_white_of_more_than_8_bits(kind: str, dtype: type) -> None:
    values = (GREY.astype(dtype) * 16).astype(dtype)
    values[0, 0] = 4095
    found = decode_image(encoded(Image.fromarray(values), kind), white=4095)
    np.testing.assert_array_equal(found[..., 0], np.rint(values / 4095 * 255))
    with pytest.raises(InputError, match="values from 16 to 4095, but white=4000"):
        decode_image(encoded(Image.fromarray(values), kind), white=4000)


def test_16_bit_tiff_whose_zero_is_white() -> None:
    values = GREY.astype(np.uint16) * 257
    held = io.BytesIO()
    Image.fromarray(values).save(held, "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(decode_image(held.getvalue())[..., 0], 255 - GREY)


def test_white_of_8_bits_counts_where_it_is_less() -> None:
    dark = Image.fromarray(GREY // 16)
    np.testing.assert_array_equal(decode_image(encoded(dark), white=4095), decode_image(encoded(dark)))
    np.testing.assert_array_equal(decode_image(encoded(dark), white=15)[..., 0], GREY // 16 * 17)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_is_scaled(kind: str) -> None:
    values = GREY.astype(np.uint16) * 257
    values[0, 0], values[0, 1] = 128, 129  # the two sides of half a step
    found = decode_image(encoded(Image.fromarray(values), kind))
    assert found.shape == (20, 12, 1)
    np.testing.assert_array_equal(found[1:, :, 0], GREY[1:])
    assert found[0, :2, 0].tolist() == [0, 1]


def test_cmyk_and_progressive_jpeg() -> None:
    flat = Image.new("CMYK", (9, 7), (0, 255, 255, 0))
    found = decode_image(encoded(flat, "JPEG", quality=95))
    assert found.shape == (7, 9, 3)
    assert np.abs(found.astype(int) - [255, 0, 0]).max() <= 4


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the file must be turned by 90 degrees
    found = decode_image(encoded(Image.fromarray(COLOUR), "PNG", exif=exif))
    np.testing.assert_array_equal(found, np.rot90(COLOUR, -1))


def test_first_picture_of_an_animation() -> None:
    second = Image.fromarray(255 - GREY)
    data = encoded(Image.fromarray(GREY), "TIFF", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode_image(data)[..., 0], GREY)


def test_side_bounds_both_sides_and_averages() -> None:
    assert decode_image(encoded(Image.fromarray(COLOUR)), side=20).shape == (20, 12, 3)
    assert decode_image(encoded(Image.fromarray(COLOUR)), side=8).shape == (8, 8, 3)
    stripes = np.tile(np.array([[0], [255]], np.uint8), (32, 64))
    small = fit(stripes[..., None], 8, 8)  # antialiased: stripes become an even grey, not one of the two
    assert np.abs(small[1:-1].astype(int) - 127).max() <= 8
    big = Image.fromarray(np.tile(COLOUR, (40, 40, 1)))
    assert decode_image(encoded(big, "JPEG"), side=16).shape == (16, 16, 3)


def test_result_may_be_written_to() -> None:
    assert decode_image(encoded(Image.fromarray(GREY))).flags.writeable


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_truncated_files_are_named(kind: str, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)), kind)
    file = tmp_path / f"broken.{kind.lower()}"
    for length in (0, 1, 5, len(data) // 4, len(data) // 2):
        file.write_bytes(data[:length])
        with pytest.raises(InputError) as caught:
            decode_image(file)
        assert str(caught.value).startswith(f"{file}: ")
        assert "\n" not in str(caught.value)


@given(st.data(), st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]))
@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd files; here only errors count
def test_damage_never_escapes_as_another_error(data: st.DataObject, kind: str) -> None:
    content = bytearray(encoded(Image.fromarray(COLOUR), kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        pixels = decode_image(bytes(content), name="it", side=64)
    except InputError as error:
        assert str(error).startswith("it: ")  # noqa: PT017
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[-1] in (1, 3)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    for wrong, message in [
        (tmp_path / "no.png", "cannot be read"),
        (tmp_path, "cannot be read"),
        (3, "a int is no image"),
        (Image.fromarray(GREY.astype(np.float32)), "mode F"),
        (b"text", "not an image, or damaged"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.zeros((3, 8, 8), np.uint8), "channels come first"),
        (np.zeros((2, 2, 2, 3), np.uint8), "images must be"),
    ]:
        with pytest.raises(InputError, match=message):
            decode_image(wrong)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 1, 255], np.uint8), [0, 1, 255]),
        (np.array([False, True]), [0, 255]),
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([0.0, 0.5, 200.4], np.float32), [0, 0, 200]),
        (np.array([0.0, 3.0]), [0, 3]),
        (np.array([0, 200], np.int64), [0, 200]),
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255]),
    ],
)
def test_number_types(values: np.ndarray, expected: list[int]) -> None:
    assert convert_images(values.reshape(1, 1, -1), "x").pixels.ravel().tolist() == expected


@pytest.mark.parametrize(
    "values",
    [
        np.array([-1.0, 1.0]),
        np.array([0.0, 1.2]),
        np.array([0.5, 300.0]),
        np.array([0, 1]),
        np.array([0, 300]),
        np.array([0, 9], np.uint16) * 0,
        np.array(["a", "b"]),
        np.array([1j]),
    ],
)
def test_ambiguous_numbers_are_refused(values: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"^x: "):
        convert_images(values.reshape(1, 1, -1), "x")


def test_rows_with_nan_are_named() -> None:
    values = np.zeros((4, 2, 2))
    values[1, 0, 0], values[3] = np.nan, np.inf
    assert convert_images(values + 0.5, "x").unusable == {1, 3}
