"""How drawings are changed: shifted, turned, scaled, sheared and, at the strong level, bent. One sampling step (ours).

Every image draws its own parameters, uniform between minus and plus the level's value but for the bends, which are
normal. Lengths are shares of the image's side, so that a level means the same at any size. What lies outside an image
repeats its border. docs/method.md has the measurements that the levels come from.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_BENDS = 4  # points along each side whose displacements are drawn


@dataclass(frozen=True)
class Level:
    shift: float  # share of the side
    turn: float  # degrees
    scale: float  # of the logarithm, both sides alike
    aspect: float  # of the logarithm, one side
    shear: float
    bend: float  # standard deviation of the displacement of a point, share of the side


LEVELS = {
    "mild": Level(shift=1.5 / 32, turn=8, scale=0.08, aspect=0, shear=0.08, bend=0),
    "strong": Level(shift=2 / 32, turn=12, scale=0.12, aspect=0.1, shear=0.12, bend=1.5 / 32),
}


def draw_affine(level: str, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Of `count` images the maps (N, 2, 3) from places in the result to places in the image, both from -1 to 1, and the
    displacements (N, 2, 4, 4) of points, x before y; None at a level that bends nothing. Drawn on the CPU."""
    of = LEVELS[level]
    around = 2 * torch.rand((6, count), generator=generator) - 1
    angle = around[0] * math.radians(of.turn)
    across = torch.exp(around[1] * of.scale)
    down = across * torch.exp(around[2] * of.aspect)
    cos, sin = angle.cos(), angle.sin()
    x = torch.stack([cos * across, -sin * down + around[3] * of.shear, 2 * of.shift * around[4]], dim=1)
    y = torch.stack([sin * across, cos * down, 2 * of.shift * around[5]], dim=1)
    bends = 2 * of.bend * torch.randn((count, 2, _BENDS, _BENDS), generator=generator) if of.bend else None
    return torch.stack([x, y], dim=1), bends


def warp(x_BCHW: Tensor, maps: Tensor, bends: Tensor | None, size: int) -> Tensor:
    """The changed images (B, C, size, size): bilinear, each pixel of the result read where its map says."""
    grid = F.affine_grid(maps, [len(x_BCHW), 1, size, size], align_corners=False)
    if bends is not None:
        smooth = F.interpolate(bends, size=(size, size), mode="bilinear", align_corners=True)
        grid = grid + smooth.permute(0, 2, 3, 1)
    return F.grid_sample(x_BCHW, grid, mode="bilinear", padding_mode="border", align_corners=False)
