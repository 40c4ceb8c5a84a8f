"""Colour changes with one parameter for each image. Images are float (B, C, H, W), parameters (B,).

Saturation and hue are those of HSV space on values in [0, 1]. A grey image (C = 1) has no saturation and no hue, so
both leave it as it is.
"""

import torch


def _each(parameter: torch.Tensor) -> torch.Tensor:
    return parameter[:, None, None, None]


def add_brightness(x_BCHW: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
    """x + delta."""
    return x_BCHW + _each(delta)


def scale_contrast(x_BCHW: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(x - mean) factor + mean, with the mean of each image and channel over its pixels."""
    mean = x_BCHW.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(mean, x_BCHW, _each(factor))


def scale_saturation(x_BCHW: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """S of HSV times the factor, clipped to [0, 1]; hue and value stay.

    With V = max c and S = (V - min c) / V, the change is c' = V - (V - c) k, k = min(factor, 1 / S).
    """
    if x_BCHW.shape[1] == 1:
        return x_BCHW
    high, low = x_BCHW.amax(1, keepdim=True), x_BCHW.amin(1, keepdim=True)
    spread = high - low
    limit = high / torch.where(spread > 0, spread, 1.0)  # where the spread is 0 the factor has nothing to act on
    return high - (high - x_BCHW) * torch.minimum(_each(factor).clamp(min=0), limit)


def shift_hue(x_BCHW: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """H of HSV moved by `turns` of the full circle; saturation and value stay."""
    if x_BCHW.shape[1] == 1:
        return x_BCHW
    red, green, blue = x_BCHW.unbind(1)
    high, low = x_BCHW.amax(1), x_BCHW.amin(1)
    spread = high - low
    safe = torch.where(spread > 0, spread, 1.0)
    sector = torch.where(  # of six, where pure red is 0, green 2, blue 4
        high == red,
        (green - blue) / safe,
        torch.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    sector = sector + 6 * turns[:, None, None]
    channels = []
    for start in (5, 3, 1):  # where each channel stands on the circle
        k = torch.remainder(sector + start, 6)
        channels.append(high - spread * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, dim=1)
