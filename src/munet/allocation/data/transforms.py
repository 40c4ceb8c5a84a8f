"""What happens to a batch of images between the shared base array and the network."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

PADDING = 4  # on each side: 32x32 images are cropped from 40x40 (arXiv 1910.04915, its published code)


def pad_and_crop(images: Tensor, generator: torch.Generator, padding: int = PADDING) -> Tensor:
    """Each image (B, H, W, C) zero-padded by `padding` on every side, then a random crop of (H, W).

    The corners are drawn on the CPU, uniform over the (2 padding + 1)^2 places, each image its own.
    """
    count, height, width, _ = images.shape
    places = 2 * padding + 1
    padded = images.new_zeros(count, height + 2 * padding, width + 2 * padding, images.shape[3])
    padded[:, padding : padding + height, padding : padding + width] = images
    down, across = torch.randint(0, places, (2, count), generator=generator)
    cut = _cut_by_numpy if images.device.type == "cpu" else _cut_by_torch
    return cut(padded, down, across, height, width)


def _cut_by_numpy(padded: Tensor, down: Tensor, across: Tensor, height: int, width: int) -> Tensor:
    """The windows of CPU images whose corners are given; numpy copies whole ones, in a sixth of torch's time."""
    windows = np.lib.stride_tricks.sliding_window_view(padded.numpy(), (height, width), (1, 2))
    chosen = windows[np.arange(len(padded)), down.numpy(), across.numpy()]  # (B, C, H, W)
    return torch.from_numpy(chosen).permute(0, 2, 3, 1)


def _cut_by_torch(padded: Tensor, down: Tensor, across: Tensor, height: int, width: int) -> Tensor:
    """The same on any device."""
    windows = padded.unfold(1, height, 1).unfold(2, width, 1)
    which = torch.arange(len(padded), device=padded.device)
    return windows[which, down.to(padded.device), across.to(padded.device)].permute(0, 2, 3, 1)


def quarter_turn(images: Tensor) -> Tensor:
    """Images (B, C, H, W) turned by 90 degrees counter-clockwise, as `np.rot90(image, k=1)` turns (H, W)."""
    return torch.rot90(images, 1, dims=(2, 3))


def grey_to_rgb(images: Tensor) -> Tensor:
    """Grey images (B, 1, H, W) as three equal channels."""
    return images.expand(-1, 3, -1, -1)


TRANSFORMS: Mapping[str, Callable[[Tensor], Tensor]] = {"rot90": quarter_turn, "rgb": grey_to_rgb}
AUGMENTATIONS: Mapping[str, Callable[[Tensor, torch.Generator], Tensor]] = {"crop": pad_and_crop}
