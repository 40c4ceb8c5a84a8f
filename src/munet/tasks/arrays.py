"""Arrays of images as people store them, made uint8 (N, H, W, C) with C 1 or 3."""

from dataclasses import dataclass

import numpy as np

from munet.errors import InputError


@dataclass(frozen=True)
class Images:
    """Images of one array.

    `pixels` is uint8 (N, H, W, C), C 1 or 3; `scale` says how the values were read; `unusable` holds the rows with
    NaN or infinite values, whose pixels are zero.
    """

    pixels: np.ndarray
    scale: str
    unusable: frozenset[int]


def convert_images(array: np.ndarray, name: str) -> Images:
    """`array` (N, H, W) or (N, H, W, C) of any number type as uint8; InputError that starts with `name`.

    Values: uint8 as it is; bool as 0 and 255; other integers must lie in 0..255, but uint16 above 255 is read as the
    full 16-bit range; floating point must lie in [0, 1], or in [0, 255] in a way that cannot be taken for [0, 1].
    """
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: images of type {array.dtype} cannot be read: store numbers, best of type uint8")
    array = _with_channels(array, name)
    if array.size == 0:
        raise InputError(f"{name}: an image array of shape {array.shape} holds nothing")
    finite = _finite_rows(array)
    unusable = frozenset(np.flatnonzero(~finite).tolist())
    if unusable:
        array = np.where(finite.reshape(-1, 1, 1, 1), array, array.dtype.type(0))
    scale = _scale(array, name)
    return Images(_opaque(_to_bytes(array, scale)), scale, unusable)


def _with_channels(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[-1] in (1, 3, 4):
        return array
    hint = "images must be (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, H, W, 4)"
    if array.ndim == 4 and array.shape[1] in (1, 3, 4):
        hint = "the channels come first: np.moveaxis(images, 1, -1) puts them last"
    raise InputError(f"{name}: images of shape {array.shape}: {hint}")


def _finite_rows(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.ones(len(array), bool)
    return np.asarray(np.isfinite(array).all(axis=(1, 2, 3)))


def _scale(array: np.ndarray, name: str) -> str:
    kind, low, high = array.dtype.kind, array.min(), array.max()
    if kind == "b":
        return "0 to 1"
    if array.dtype == np.uint8:
        return "0 to 255"
    if low < 0:
        raise InputError(f"{name}: values from {low:g} to {high:g}: images must not be normalised, use 0 to 255")
    if array.dtype == np.uint16 and high > 255:
        return "0 to 65535"
    if kind == "f" and high <= 1:
        return "0 to 1"
    # From 128 on nobody can have meant [0, 1] with some overshoot; whole numbers are pixel values anyway.
    if high <= 255 and high > 1 and (kind != "f" or high >= 128 or bool((array == np.round(array)).all())):
        return "0 to 255"
    raise InputError(
        f"{name}: {array.dtype} values from {low:g} to {high:g} could mean several things: "
        "store uint8 from 0 to 255, or floating point from 0 to 1"
    )


def _to_bytes(array: np.ndarray, scale: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if scale == "0 to 65535":
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    factor = 255 if scale == "0 to 1" else 1
    if array.dtype.kind == "f":
        return np.rint(array.astype(np.float64) * factor).astype(np.uint8)
    return array.astype(np.uint8) * np.uint8(factor)


def _opaque(pixels: np.ndarray) -> np.ndarray:
    """RGBA over white."""
    return over_white(pixels[..., :3], pixels[..., 3:]) if pixels.shape[-1] == 4 else pixels


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """uint8 colours (..., C) with opacity `alpha` (..., 1), laid over white and rounded."""
    wide, opacity = pixels.astype(np.uint32), alpha.astype(np.uint32)
    return ((wide * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
