"""Glyphs as distance fields, and the augmentation that turns them into 32x32 images.

A glyph is drawn once, large, and kept as two distance fields of 48x48 bytes: to its outline (positive inside) and to
its skeleton. Cutting the first at another level makes a stroke thicker or thinner; cutting the second redraws the glyph
with a pen of any width. Both are cheap on a whole batch, and the warp is applied to the fields, so edges stay smooth.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFont
from scipy.ndimage import distance_transform_edt
from torch import Tensor

SIZE = 48  # side of the stored fields
BOX = 40  # longer side of the glyph inside them
UNIT = 8.0  # steps of one byte per pixel of distance
IMAGE = 32


def draw(font: ImageFont.FreeTypeFont, char: str) -> np.ndarray | None:
    """The glyph at twice the stored size, cropped to its ink, centred, aspect kept; None for an empty glyph."""
    mask = font.getmask(char, mode="L")
    if 0 in mask.size:
        return None
    glyph = Image.frombytes("L", mask.size, bytes(mask))
    box = glyph.getbbox()
    if box is None or max(box[2] - box[0], box[3] - box[1]) < 12:
        return None
    glyph = glyph.crop(box)
    scale = 2 * BOX / max(glyph.size)
    glyph = glyph.resize([max(2, round(side * scale)) for side in glyph.size], Image.Resampling.BILINEAR)
    canvas = Image.new("L", (2 * SIZE, 2 * SIZE))
    canvas.paste(glyph, ((2 * SIZE - glyph.width) // 2, (2 * SIZE - glyph.height) // 2))
    return np.asarray(canvas)


def outline_field(bitmap: np.ndarray) -> np.ndarray:
    """Signed distance to the outline in stored pixels, as bytes around 128."""
    inside = bitmap > 127
    distance = distance_transform_edt(inside) - distance_transform_edt(~inside)
    pooled = distance.reshape(SIZE, 2, SIZE, 2).mean((1, 3)) / 2
    return np.clip(pooled * UNIT + 128, 0, 255).astype(np.uint8)


def skeleton_field(inside: np.ndarray) -> np.ndarray:
    """Distance to the nearest skeleton pixel, as bytes; 255 everywhere for an empty skeleton."""
    if not inside.any():
        return np.full(inside.shape, 255, np.uint8)
    return np.clip(distance_transform_edt(~inside) * UNIT, 0, 255).astype(np.uint8)


def thin(images: np.ndarray, rounds: int = 16) -> np.ndarray:
    """Zhang-Suen thinning of a stack of boolean images at once."""
    images = images.copy()
    for _ in range(rounds):
        before = images.sum()
        for phase in (0, 1):
            padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
            shifts = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))  # clockwise from the top
            around = [padded[:, dy : dy + images.shape[1], dx : dx + images.shape[2]] for dy, dx in shifts]
            up, _, right, _, down, _, left, _ = around
            count = np.sum(around, axis=0, dtype=np.uint8)
            steps = [~a & b for a, b in zip(around, around[1:] + around[:1], strict=True)]
            turns = np.sum(steps, axis=0, dtype=np.uint8)
            first, second = (right & down, up | left) if phase == 0 else (up & left, right | down)
            blocked = first & second
            images &= ~((count >= 2) & (count <= 6) & (turns == 1) & ~blocked)
        if images.sum() == before:
            break
    return images


def fields(bitmaps: list[np.ndarray]) -> np.ndarray:
    """(n, 2, 48, 48) bytes: distance to the outline, distance to the skeleton."""
    outlines = np.stack([outline_field(bitmap) for bitmap in bitmaps])
    skeletons = thin(outlines > 124)  # a little below 128, so that hairlines survive
    return np.stack([outlines, np.stack([skeleton_field(skeleton) for skeleton in skeletons])], axis=1)


def _uniform(rows: int, low: float, high: float, generator: torch.Generator, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand((rows, *(shape or (1, 1))), generator=generator)


def _warp(rows: int, amount: float, generator: torch.Generator, side: int) -> Tensor:
    """Sampling grid: rotation, shear, scale, aspect, shift and an elastic 5x5 grid; `amount` 0 changes nothing."""

    def draw_one(low: float, high: float) -> Tensor:
        return _uniform(rows, low, high, generator)[:, 0, 0]

    angle, shear = amount * draw_one(-0.3, 0.3), amount * draw_one(-0.35, 0.35)
    scale, aspect = torch.exp(amount * draw_one(-0.22, 0.35)), torch.exp(amount * draw_one(-0.3, 0.3))
    cos, sin = angle.cos() * scale, angle.sin() * scale
    matrix = torch.stack([cos * aspect, sin + shear * scale, amount * draw_one(-0.16, 0.16),
                          -sin * aspect, cos, amount * draw_one(-0.16, 0.16)], dim=1)  # fmt: skip
    grid = F.affine_grid(matrix.view(-1, 2, 3), [rows, 1, side, side], align_corners=False)
    strength = amount * _uniform(rows, 0.0, 0.14, generator)[..., None]
    bend = strength * torch.randn((rows, 2, 5, 5), generator=generator)
    bend = F.interpolate(bend, size=(side, side), mode="bicubic", align_corners=True)
    return grid + bend.permute(0, 2, 3, 1)


def ink(stored: Tensor, amount: float, generator: torch.Generator, side: int = IMAGE) -> Tensor:
    """How much ink lies on each pixel, 0 to 1, shape (rows, side, side)."""
    rows = len(stored)
    grid = _warp(rows, amount, generator, side)
    warped = F.grid_sample(stored.float(), grid, padding_mode="border", align_corners=False)
    outline = (warped[:, 0] - 128) / UNIT + amount * _uniform(rows, -1.3, 1.3, generator)
    pen = _uniform(rows, 0.9, 3.4, generator) - warped[:, 1] / UNIT
    redraw = _uniform(rows, 0, 1, generator) < 0.5 * min(1.0, 2 * amount)
    softness = torch.exp(_uniform(rows, -1.6, 0.3, generator))
    return torch.sigmoid(torch.where(redraw, pen, outline) / softness)


def augment(stored: Tensor, amount: float, generator: torch.Generator, colour: float = 0.15) -> Tensor:
    """(rows, 2, 48, 48) bytes to (rows, 3, 32, 32) in -1..1. `amount` 0..1 ramps geometry and polarity together."""
    rows = len(stored)
    alpha = ink(stored, 0.3 + 0.7 * amount, generator)[:, None]
    dark, light = _uniform(rows, 0.0, 0.35, generator, 1, 1, 1), _uniform(rows, 0.65, 1.0, generator, 1, 1, 1)
    if amount > 0:  # inverted from the start, training stays at the class prior
        clean = _uniform(rows, 0, 1, generator, 1, 1, 1) < 0.4
        dark, light = torch.where(clean, 0.0, dark), torch.where(clean, 1.0, light)
    swap = _uniform(rows, 0, 1, generator, 1, 1, 1) < 0.5 * amount
    stroke, paper = torch.where(swap, dark, light), torch.where(swap, light, dark)
    tint = (_uniform(rows, 0, 1, generator, 1, 1, 1) < colour * amount) * 0.6
    stroke = (stroke + tint * (torch.rand((rows, 3, 1, 1), generator=generator) - 0.5)).expand(-1, 3, -1, -1)
    paper = (paper + tint * (torch.rand((rows, 3, 1, 1), generator=generator) - 0.5)).expand(-1, 3, -1, -1)
    image = paper + (stroke - paper) * alpha
    noisy = (_uniform(rows, 0, 1, generator, 1, 1, 1) < 0.5) * _uniform(rows, 0.0, 0.1, generator, 1, 1, 1)
    image = image + noisy * torch.randn((rows, 1, IMAGE, IMAGE), generator=generator)
    return image.clamp(0, 1) * 2 - 1
