"""One image, from whatever holds it, as uint8 (H, W, C) with C 1 (grey) or 3 (RGB)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from munet.errors import InputError
from munet.tasks.arrays import convert_images, over_white
from munet.tasks.image_files import looks_like_heif, register_heif


def decode_image(
    image: Any, *, name: str | None = None, side: int | None = None, size: tuple[int, int] | None = None
) -> np.ndarray:
    """`image` as uint8 (H, W, C), C 1 or 3.

    `image` is a path, the bytes of an image file, a PIL image, or an array (H, W), (H, W, C). EXIF rotation is applied,
    transparency laid over white, 16-bit grey scaled to 8 bits, CMYK and palettes turned to RGB; of an animation the
    first picture counts. With `side`, an image higher or wider than that comes as (side, side, C), antialiased, its
    aspect not kept; with `size` (height, width), every image comes in that size. InputError names `name` or the path.
    """
    if isinstance(image, (str, Path)):
        name = name or str(image)
        image = read_bytes(Path(image))
    name = name or "the image"
    if isinstance(image, np.ndarray) or (hasattr(image, "__array__") and not isinstance(image, Image.Image)):
        array = np.asarray(image)
        found = convert_images(array[None], name)
        if found.unusable:
            raise InputError(f"{name}: NaN or infinite values")
        pixels = found.pixels[0]
    elif isinstance(image, (bytes, bytearray, memoryview)):
        pixels = _decode_bytes(bytes(image), name, side if size is None else max(size))
    elif isinstance(image, Image.Image):
        pixels = _guarded(lambda: _pixels(image), name)
    else:
        raise InputError(f"{name}: a {type(image).__name__} is no image: give a path, bytes, a PIL image or an array")
    pixels = to_size(pixels, side, size)
    return pixels if pixels.flags.writeable else pixels.copy()


def read_bytes(path: Path) -> bytes:
    """Content of a file; InputError that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def to_size(pixels: np.ndarray, side: int | None, size: tuple[int, int] | None) -> np.ndarray:
    """uint8 (H, W, C) in `size` (height, width), or without one no larger than `side`; as it is where that holds."""
    if size is None:
        size = (side, side) if side is not None and max(pixels.shape[:2]) > side else None
    return pixels if size is None or pixels.shape[:2] == size else fit(pixels, *size)


def fit(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 (H, W, C) resized to (height, width, C): bilinear, antialiased, aspect not kept."""
    grey = pixels.shape[-1] == 1
    image = Image.fromarray(pixels[..., 0] if grey else np.ascontiguousarray(pixels))
    resized = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return resized[..., None] if grey else resized


def _decode_bytes(data: bytes, name: str, side: int | None) -> np.ndarray:
    if not data:
        raise InputError(f"{name}: the file is empty (0 bytes)")

    if looks_like_heif(data) and not register_heif():
        raise InputError(f"{name}: a HEIC image: `pip install pillow-heif` lets munet read it", kind="missing-extra")

    def decode() -> np.ndarray:
        with Image.open(io.BytesIO(data)) as image:
            if side is not None:
                # JPEG decodes fast at a half, a quarter or an eighth; twice the final size loses nothing visible.
                image.draft(None, (2 * side, 2 * side))  # type: ignore[arg-type]
            return _pixels(image)

    return _guarded(decode, name)


def _guarded(decode: Any, name: str) -> np.ndarray:
    try:
        return decode()
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name}: not an image, or damaged") from error
    except Exception as error:  # Decoders of damaged files raise nearly anything: SyntaxError, struct.error, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: damaged or unreadable image ({reason})") from error


def _pixels(image: Image.Image) -> np.ndarray:
    file_format = image.format
    image.load()
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # else it would only be copied
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return _from_16_bits(np.asarray(image))
    if image.mode == "I" and file_format in ("PNG", "PPM"):  # Pillow widens their 16 bits to 32
        return _from_16_bits(np.asarray(image))
    if image.mode in ("I", "F"):
        raise InputError(f"32-bit values (mode {image.mode}) have no fixed white: save the image with 8 or 16 bits")
    if image.mode in ("LA", "La") or (image.mode == "L" and "transparency" in image.info):
        pixels = np.asarray(image.convert("LA"))
        return over_white(pixels[..., :1], pixels[..., 1:])
    if image.has_transparency_data:
        pixels = np.asarray(image.convert("RGBA"))
        return over_white(pixels[..., :3], pixels[..., 3:])
    if image.mode in ("1", "L"):
        return np.asarray(image if image.mode == "L" else image.convert("L"))[..., None]
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _from_16_bits(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)[..., None]
