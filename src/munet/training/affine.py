"""Augmentation of drawings: shifted, turned, scaled, sheared and bent, each image in its own way, in one sampling step.

Lengths are shares of the image's side, so that the same setting means the same at any size.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

_GRID = 4  # points along a side whose shifts bend an image


@dataclass(frozen=True)
class Bounds:
    """How far images are moved: uniform in +- the bound, except `elastic`, a standard deviation."""

    shift: float  # share of the side, along each axis
    rotation: float  # degrees
    scale: float  # of the logarithm
    aspect: float  # of the logarithm of height / width
    shear: float
    elastic: float  # normal shifts of a 4 x 4 grid, share of the side


BOUNDS = {
    "mild": Bounds(shift=1.5 / 32, rotation=8, scale=0.08, aspect=0.0, shear=0.08, elastic=0.0),
    "strong": Bounds(shift=2 / 32, rotation=12, scale=0.12, aspect=0.1, shear=0.12, elastic=1.5 / 32),
}


def draw_warps(bounds: Bounds, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Changes for `count` images, drawn on the CPU: matrices (N, 2, 3) from places (x, y, 1) in the result to places
    (x, y) in the image, both from -1 to 1; and shifts (N, 2, 4, 4) of the places of a grid, or None.
    """
    uniform = torch.rand((6, count), generator=generator) * 2 - 1
    angle = uniform[0] * math.radians(bounds.rotation)
    across = torch.exp(uniform[1] * bounds.scale)
    down = across * torch.exp(uniform[2] * bounds.aspect)
    cos, sin = angle.cos(), angle.sin()
    shift = uniform[4:] * (2 * bounds.shift)  # the side is 2 long
    x = torch.stack([cos * across, uniform[3] * bounds.shear - sin * down, shift[0]], dim=1)
    y = torch.stack([sin * across, cos * down, shift[1]], dim=1)
    shifts = None
    if bounds.elastic:
        shifts = torch.randn((count, 2, _GRID, _GRID), generator=generator) * (2 * bounds.elastic)
    return torch.stack([x, y], dim=1), shifts


def warp(x_BCHW: torch.Tensor, matrices: torch.Tensor, shifts: torch.Tensor | None, size: int) -> torch.Tensor:
    """Images as seen through their changes, size x size: bilinear, pixels beyond the border are the border's."""
    axis = (2 * torch.arange(size, device=x_BCHW.device, dtype=torch.float32) + 1) / size - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.stack([x.flatten(), y.flatten(), torch.ones(size * size, device=x_BCHW.device)])
    grid_B2N = matrices @ places
    if shifts is not None:
        bend = F.interpolate(shifts, size=(size, size), mode="bilinear", align_corners=True)
        grid_B2N = grid_B2N + bend.flatten(2)
    grid = grid_B2N.transpose(1, 2).view(-1, size, size, 2)
    return F.grid_sample(x_BCHW, grid, mode="bilinear", padding_mode="border", align_corners=False)
