"""Folders of pictures that people have and decoders differ on: large, small, grey, turned, deep, transparent, wide."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

Picture = Callable[[np.random.Generator, int, Path], Path]


def _noise(rng: np.random.Generator, kind: int, height: int, width: int, channels: int = 3) -> np.ndarray:
    """Smooth noise with fine stripes, which alias where a resize does not average; the class sets the brightness."""
    low = rng.integers(0, 256, (6, 8, channels), np.uint8)
    planes = [Image.fromarray(low[..., c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(channels)]
    pixels = np.stack([np.asarray(plane, np.int16) for plane in planes], axis=-1) // 2 + 60 * kind
    pixels[::3] = 255 - pixels[::3]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def photo(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """12 megapixels as JPEG, the same for each of a class, as they take a second to make."""
    path.with_suffix(".jpg").write_bytes(_photo(kind))
    return path.with_suffix(".jpg")


@cache
def _photo(kind: int) -> bytes:
    data = io.BytesIO()
    pixels = np.tile(_noise(np.random.default_rng(kind), kind, 500, 500), (6, 8, 1))
    Image.fromarray(pixels).save(data, "JPEG", quality=80)
    return data.getvalue()


def small(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """Smaller than any model's input."""
    Image.fromarray(_noise(rng, kind, 11, 17)).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def grey(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """One channel."""
    Image.fromarray(_noise(rng, kind, 90, 70, 1)[..., 0]).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def turned(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """On its side, as cameras store it: EXIF orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(_noise(rng, kind, 300, 400)).save(path.with_suffix(".jpg"), exif=exif)
    return path.with_suffix(".jpg")


def deep(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """Grey of 16 bits."""
    Image.fromarray(_noise(rng, kind, 80, 120, 1)[..., 0].astype(np.uint16) * 257 - 100).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def palette(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """256 colours."""
    Image.fromarray(_noise(rng, kind, 100, 100)).quantize(64).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def transparent(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """RGBA, half of it see-through."""
    pixels = np.dstack([_noise(rng, kind, 100, 60), np.linspace(0, 255, 6000).reshape(100, 60).astype(np.uint8)])
    Image.fromarray(pixels).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def cmyk(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """A JPEG for printers."""
    Image.fromarray(_noise(rng, kind, 200, 150)).convert("CMYK").save(path.with_suffix(".jpg"))
    return path.with_suffix(".jpg")


def scan(rng: np.random.Generator, kind: int, path: Path) -> Path:
    """A wide page of black and white, one bit a pixel."""
    page = Image.fromarray(_noise(rng, kind, 400, 5000, 1)[..., 0]).filter(ImageFilter.GaussianBlur(1)).convert("1")
    page.save(path.with_suffix(".tif"))
    return path.with_suffix(".tif")


KINDS: tuple[Picture, ...] = (photo, small, grey, turned, deep, palette, transparent, cmyk, scan)


def folder(path: Path, counts: dict[str, int], kinds: tuple[Picture, ...] = KINDS, classes: int = 2) -> Path:
    """`counts[split]` pictures of each class, of each kind in turn."""
    rng = np.random.default_rng(3)
    for split, count in counts.items():
        for number in range(classes):
            place = path / split / f"class{number}"
            place.mkdir(parents=True)
            for index in range(count):
                kind = kinds[index % len(kinds)]
                kind(rng, number, place / f"{index:02}-{kind.__name__}")
    return path
