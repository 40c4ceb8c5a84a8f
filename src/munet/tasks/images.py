"""One image, from whatever holds it, as uint8 (H, W, C) with C 1 (grey) or 3 (RGB)."""

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeVar

import numpy as np
from PIL import ExifTags, Image, ImageOps

from munet.errors import InputError
from munet.tasks.arrays import convert_images, over_white
from munet.tasks.image_files import looks_like_heif, register_heif

_Made = TypeVar("_Made")

_PHOTOMETRIC = 262  # a tag of TIFF
_TURNED = (5, 6, 7, 8)  # values of the EXIF orientation that swap height and width
_PIXELS = 4_000_000
_LARGE = BoundedSemaphore(4)  # as many images of more pixels are decoded at once, in whatever many threads: memory


def decode_image(
    image: Any,
    *,
    name: str | None = None,
    side: int | None = None,
    size: tuple[int, int] | None = None,
    white: int | None = None,
) -> np.ndarray:
    """`image` as uint8 (H, W, C), C 1 or 3.

    `image` is a path, the bytes of an image file, a PIL image, or an array (H, W), (H, W, C). EXIF rotation is applied,
    transparency laid over white, 16-bit grey scaled to 8 bits, CMYK and palettes turned to RGB; of an animation the
    first picture counts. With `side`, an image higher or wider than that comes as (side, side, C), antialiased, its
    aspect not kept; with `size` (height, width), every image comes in that size. `white` is the value that becomes 255,
    of images that can hold it (in those of 8 bits only a smaller one counts). InputError names `name` or the
    path.
    """
    pixels, _ = decode_near(image, side if size is None else max(size), name=name, white=white)
    pixels = to_size(pixels, side, size)
    return pixels if pixels.flags.writeable else pixels.copy()


def decode_near(
    image: Any, side: int | None, *, name: str | None = None, white: int | None = None
) -> tuple[np.ndarray, tuple[int, int]]:
    """`image` as `decode_image` has it before it is resized, perhaps read-only, and its size (height, width).

    The two differ for a JPEG of more than four times `side`, which is decoded at a half, a quarter or an eighth.
    InputError as `decode_image`.
    """
    if isinstance(image, (str, Path)):
        name = name or str(image)
        image = read_bytes(Path(image))
    name = name or "the image"
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _decode_bytes(bytes(image), name, side, white)
    if isinstance(image, np.ndarray) or (hasattr(image, "__array__") and not isinstance(image, Image.Image)):
        array = np.asarray(image)
        found = convert_images(array[None], name, white)
        if found.unusable:
            raise InputError(f"{name}: NaN or infinite values")
        pixels = found.pixels[0]
    elif isinstance(image, Image.Image):
        pixels = _guarded(lambda: _pixels(image, white), name)
    else:
        raise InputError(f"{name}: a {type(image).__name__} is no image: give a path, bytes, a PIL image or an array")
    return pixels, (pixels.shape[0], pixels.shape[1])


def read_bytes(path: Path) -> bytes:
    """Content of a file; InputError that names it, also where it is a pipe or a device, which may never end."""
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):
            kind = "folder" if stat.S_ISDIR(about.st_mode) else "pipe or device"
            raise InputError(f"{path}: cannot be read: it is a {kind}, no file")
        file = os.open(path, os.O_RDONLY)
        try:
            parts = [os.read(file, about.st_size + 1)]  # of small files one call is all, and half the time of a buffer
            while len(parts[-1]) and len(parts[0]) != about.st_size:
                parts.append(os.read(file, 1 << 24))
            return parts[0] if len(parts) == 1 else b"".join(parts)
        finally:
            os.close(file)
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


def _decode_bytes(data: bytes, name: str, side: int | None, white: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    if not data:
        raise InputError(f"{name}: the file is empty (0 bytes)")

    if looks_like_heif(data) and not register_heif():
        raise InputError(f"{name}: a HEIC image: `pip install pillow-heif` lets munet read it", kind="missing-extra")

    return _guarded(lambda: _opened(data, side, white), name)


def _opened(data: bytes, side: int | None, white: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """What `decode_near` makes of an image file; whatever Pillow raises."""
    with Image.open(io.BytesIO(data)) as image:
        width, height = whole = image.size
        if side is not None:
            # JPEG decodes fast at a half, a quarter or an eighth; twice the final size loses nothing visible.
            image.draft(None, (2 * side, 2 * side))  # type: ignore[arg-type]
            width, height = image.size
        if width * height > _PIXELS:
            with _LARGE:
                pixels = _pixels(image, white)
        else:
            pixels = _pixels(image, white)
        if (width, height) == whole:
            return pixels, (pixels.shape[0], pixels.shape[1])
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
        return pixels, whole if turned else (whole[1], whole[0])


def _guarded(decode: "Callable[[], _Made]", name: str) -> "_Made":
    try:
        return decode()
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name}: not an image, or damaged") from error
    except Exception as error:  # Decoders of damaged files raise nearly anything: SyntaxError, struct.error, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: damaged or unreadable image ({reason})") from error


def usual_white(image: Any) -> int:
    """The value of an image (encoded, a path or of Pillow) that becomes 255 where nobody says another: 255 or 65535."""
    try:
        if isinstance(image, Image.Image):
            return 65535 if image.mode.startswith("I") else 255
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as found:
            return 65535 if found.mode.startswith("I") else 255
    except Exception:  # as in `_guarded`; what is wrong is told where it is decoded
        return 255


def _pixels(image: Image.Image, white: int | None) -> np.ndarray:
    file_format = image.format
    tags = getattr(image, "tag_v2", None)  # those of a TIFF
    inverted = tags is not None and tags.get(_PHOTOMETRIC) == 0  # 0 is white; Pillow turns it only for 8 bits
    image.load()
    told = image.info or tags is not None  # without either there is no EXIF, and asking takes a while
    if told and image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # else it would only be copied
        image = ImageOps.exif_transpose(image)
    # Pillow widens the 16 bits of PNG and PPM to 32.
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format in ("PNG", "PPM")):
        pixels = _from_many_bits(np.asarray(image), white or 65535)
        return 255 - pixels if inverted else pixels
    if image.mode in ("I", "F"):
        if white is None:
            raise InputError(
                f"32-bit values (mode {image.mode}) have no fixed white: save the image with 8 or 16 bits, or say "
                "which value is white, such as ?white=4095"
            )
        return _from_many_bits(np.asarray(image), white)
    pixels = _from_8_bits(image)
    return pixels if white is None or white >= 255 else _from_many_bits(pixels, white)


def _from_8_bits(image: Image.Image) -> np.ndarray:
    if image.mode in ("LA", "La") or (image.mode == "L" and "transparency" in image.info):
        pixels = np.asarray(image.convert("LA"))
        return over_white(pixels[..., :1], pixels[..., 1:])
    if image.mode == "L":
        return np.asarray(image)[..., None]
    if image.has_transparency_data:
        pixels = np.asarray(image.convert("RGBA"))
        return over_white(pixels[..., :3], pixels[..., 3:])
    if image.mode == "1":
        return np.asarray(image.convert("L"))[..., None]
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _from_many_bits(values: np.ndarray, white: int) -> np.ndarray:
    """Values 0 to `white` (H, W) or (H, W, C) as uint8 (H, W, C)."""
    values = values if values.ndim == 3 else values[..., None]
    found = convert_images(values[None], "pixels", white)
    if found.unusable:
        raise InputError("NaN or infinite values")
    return found.pixels[0]
