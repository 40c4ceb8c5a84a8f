"""Arrays of images as people store them, made uint8 (N, H, W, C) with C 1 or 3."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np

from munet.errors import InputError


@dataclass(frozen=True)
class Images:
    """Images of one array.

    `pixels` is uint8 (N, H, W, C), C 1 or 3; `white` is the value that became 255; `unusable` holds the rows with NaN
    or infinite values, whose pixels are zero.
    """

    pixels: np.ndarray
    white: int
    unusable: frozenset[int]


_CHUNK = 32 << 20  # bytes that are converted at once


def convert_images(array: np.ndarray, name: str, white: int | None = None) -> Images:
    """`array` (N, H, W) or (N, H, W, C) of any number type as uint8; InputError that starts with `name`.

    Values lie in 0 to `white`. Without it: uint8 as it is; bool as 0 and 255; other integers must lie in 0..255, but
    uint16 above 255 is read as the full 16-bit range; floating point must lie in [0, 1], or in [0, 255] in a way that
    cannot be taken for [0, 1].
    """
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: images of type {array.dtype} cannot be read: store numbers, best of type uint8")
    array = _with_channels(array, name)
    if array.size == 0:
        raise InputError(f"{name}: an image array of shape {array.shape} holds nothing")
    if array.dtype == np.uint8 and white in (None, 255):
        return Images(_opaque(array), 255, frozenset())
    values = _values(array)
    white = _white(array.dtype, values, name) if white is None else _within(values, white, name)
    pixels = np.empty((*array.shape[:3], 3 if array.shape[3] == 4 else array.shape[3]), np.uint8)
    for first, chunk in _chunks(array):
        finite = _finite_rows(chunk).reshape(-1, 1, 1, 1)
        pixels[first : first + len(chunk)] = _opaque(_to_bytes(np.where(finite, chunk, chunk.dtype.type(0)), white))
    return Images(pixels, white, values.unusable)


def _with_channels(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[-1] in (1, 3, 4):
        return array
    hint = "images must be (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, H, W, 4)"
    if array.ndim == 4 and array.shape[1] in (1, 3, 4):
        hint = "the channels come first: np.moveaxis(images, 1, -1) puts them last"
    elif array.ndim == 4:
        hint += f"; of volumes store slices, for instance images[..., {array.shape[-1] // 2}]"
    elif array.ndim == 2 and (side := isqrt(array.shape[1])) ** 2 == array.shape[1] and side:
        hint = f"a row for each image: images.reshape(-1, {side}, {side}) gives them their shape"
    elif array.ndim == 2 and (side := isqrt(array.shape[1] // 3)) ** 2 * 3 == array.shape[1] and side:
        hint = (
            f"a row for each image: images.reshape(-1, 3, {side}, {side}).transpose(0, 2, 3, 1) gives them their shape "
            f"where the channels come first, images.reshape(-1, {side}, {side}, 3) where they come last"
        )
    raise InputError(f"{name}: images of shape {array.shape}: {hint}")


def _chunks(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Some images at a time, with the number of the first: to compute on all at once takes many times the room."""
    step = max(1, _CHUNK * len(array) // max(1, array.nbytes))
    for first in range(0, len(array), step):
        yield first, array[first : first + step]


def _finite_rows(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.ones(len(array), bool)
    return np.asarray(np.isfinite(array).all(axis=(1, 2, 3)))


@dataclass
class _Values:
    """What the values of the usable images are like."""

    low: float
    high: float
    whole: bool
    unusable: frozenset[int]


def _values(array: np.ndarray) -> _Values:
    found = _Values(math.inf, -math.inf, True, frozenset())
    unusable: list[int] = []
    for first, chunk in _chunks(array):
        finite = _finite_rows(chunk)
        unusable += (np.flatnonzero(~finite) + first).tolist()
        if (usable := chunk[finite]).size:
            found.low, found.high = min(found.low, usable.min().item()), max(found.high, usable.max().item())
            found.whole = found.whole and (chunk.dtype.kind != "f" or bool((usable == np.round(usable)).all()))
    if len(unusable) == len(array):
        found.low = found.high = 0
    found.unusable = frozenset(unusable)
    return found


def _within(values: _Values, white: int, name: str) -> int:
    if values.low < 0 or values.high > white:
        raise InputError(
            f"{name}: values from {values.low:g} to {values.high:g}, but white={white}: they must lie in 0 to that"
        )
    return white


def _white(dtype: np.dtype, values: _Values, name: str) -> int:
    low, high = values.low, values.high
    if dtype.kind == "b":
        return 1
    if low < 0:
        raise InputError(f"{name}: values from {low:g} to {high:g}: images must not be normalised, use 0 to 255")
    if dtype == np.uint16 and high > 255:
        return 65535
    if dtype.kind == "f" and high <= 1:
        return 1
    # From 128 on nobody can have meant [0, 1] with some overshoot; whole numbers are pixel values anyway.
    if high <= 255 and high > 1 and (dtype.kind != "f" or high >= 128 or values.whole):
        return 255
    raise InputError(
        f"{name}: {dtype} values from {low:g} to {high:g} could mean several things: "
        "store uint8 from 0 to 255, or floating point from 0 to 1, or say what is white, such as ?white=255"
    )


def _to_bytes(array: np.ndarray, white: int) -> np.ndarray:
    if array.dtype.kind == "f":
        return np.rint(array.astype(np.float64) * (255 / white)).astype(np.uint8)
    return scaled(array, white)


def scaled(values: np.ndarray, white: int) -> np.ndarray:
    """Whole numbers 0 to `white` as uint8 0 to 255, rounded."""
    return ((values.astype(np.int64) * 255 + white // 2) // white).astype(np.uint8)


def _opaque(pixels: np.ndarray) -> np.ndarray:
    """RGBA over white."""
    return over_white(pixels[..., :3], pixels[..., 3:]) if pixels.shape[-1] == 4 else pixels


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """uint8 colours (..., C) with opacity `alpha` (..., 1), laid over white and rounded."""
    wide, opacity = pixels.astype(np.uint32), alpha.astype(np.uint32)
    return ((wide * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
