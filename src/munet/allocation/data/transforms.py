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
    if images.device.type == "cpu":  # numpy copies whole windows, in a sixth of the time
        windows = np.lib.stride_tricks.sliding_window_view(padded.numpy(), (height, width), (1, 2))
        crops = torch.from_numpy(windows[np.arange(count), down.numpy(), across.numpy()])
    else:
        windows = padded.unfold(1, height, 1).unfold(2, width, 1)
        crops = windows[torch.arange(count), down.to(images.device), across.to(images.device)]
    return crops.permute(0, 2, 3, 1)  # from (B, C, H, W)


def quarter_turn(images: Tensor) -> Tensor:
    """Images (B, C, H, W) turned by 90 degrees counter-clockwise, as `np.rot90(image, k=1)` turns (H, W)."""
    return torch.rot90(images, 1, dims=(2, 3))


def grey_to_rgb(images: Tensor) -> Tensor:
    """Grey images (B, 1, H, W) as three equal channels."""
    return images.expand(-1, 3, -1, -1)


TRANSFORMS: Mapping[str, Callable[[Tensor], Tensor]] = {"rot90": quarter_turn, "rgb": grey_to_rgb}
AUGMENTATIONS: Mapping[str, Callable[[Tensor, torch.Generator], Tensor]] = {"crop": pad_and_crop}
