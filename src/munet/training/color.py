"""Colour changes with one parameter for each image. Images are float (B, C, H, W), parameters (B,).

Saturation and hue are those of HSV space on values in [0, 1]. A grey image (C = 1) has no saturation and no hue, so
both leave it as it is.

On a CPU these are bound by memory, hence the changes in place, and by the few operations of torch that are not
vectorised there: `where`, comparisons and `remainder` take ten times as long as a product. So here a choice between two
values is `lerp` with a weight of exactly 0 or 1, which gives the chosen value to the bit. Nothing adds a product in one
operation: a compiler may round that once in vectorised code and twice at its ends, and where those are depends on the
other images of the batch.
"""

import torch

_TINY = 1e-12  # below any difference that matters between two values in [0, 1]


def grey(x_BCHW: torch.Tensor) -> torch.Tensor:
    """One channel of three, by the weights of ITU-R BT.601 as in Pillow; grey images as they are."""
    if x_BCHW.shape[1] == 1:
        return x_BCHW
    red, green, blue = x_BCHW.split(1, dim=1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def add_brightness_(x_BCHW: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
    """x + delta, in place."""
    return x_BCHW.add_(delta[:, None, None, None])


def scale_contrast_(x_BCHW: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """(x - mean) factor + mean, in place, with the mean of each image and channel over its pixels."""
    batch, channels = x_BCHW.shape[:2]
    # torch adds up a single large plane in parts, one of several as a whole: so it never sees a single one
    planes = x_BCHW.expand(2, -1, -1, -1) if batch * channels == 1 else x_BCHW
    mean = planes.mean(dim=(2, 3), keepdim=True)[:batch]
    factor = factor[:, None, None, None]
    return x_BCHW.mul_(factor).add_(mean * (1 - factor))


def change_hsv_(
    x_BCHW: torch.Tensor, factor: torch.Tensor | None = None, turns: torch.Tensor | None = None
) -> torch.Tensor:
    """S of HSV times `factor`, clipped to [0, 1], and H moved by `turns` of the full circle, in place. None leaves it.

    With V = max c and spread D = V - min c, each channel is c = V - D s, where its share s in [0, 1] depends on the hue
    alone. So the hue turns s, and the saturation S = D / V scales D up to V at most. V stays.
    """
    if x_BCHW.shape[1] == 1:
        return x_BCHW
    red, green, blue = x_BCHW.unbind(1)
    high = torch.maximum(red, green)
    torch.maximum(high, blue, out=high)
    spread = torch.minimum(red, green)
    torch.minimum(spread, blue, out=spread)
    torch.sub(high, spread, out=spread)
    share = torch.sub(high[:, None], x_BCHW, out=x_BCHW)
    share.div_(spread.clamp(min=_TINY)[:, None])  # 0 without a spread, whatever the hue: nothing is left of it below
    if turns is not None:
        _turn_(share, turns)
    if factor is not None:
        spread.mul_(factor.clamp(min=0)[:, None, None])
        torch.minimum(spread, high, out=spread)
    return torch.sub(high[:, None], share.mul_(spread[:, None]), out=x_BCHW)


def _turn_(share_BCHW: torch.Tensor, turns: torch.Tensor) -> None:
    """Each channel's share of the spread below the highest, moved around the circle of hues, in place."""
    red, green, blue = share_BCHW.unbind(1)
    not_red, not_green = red.sign(), green.sign()  # 1 where another channel is the highest, else 0
    # The sector of six, where pure red is 0, green 2, blue 4, by which of them is the highest.
    if_green, if_blue = (red - blue).add_(2), (green - red).add_(4)
    other = if_green.lerp_(if_blue, not_green)
    sector = torch.sub(blue, green, out=if_blue).lerp_(other, not_red)
    sector.add_((6 * turns)[:, None, None])
    sector.sub_(torch.div(sector, 6, out=other).floor_().mul_(6))  # modulo 6
    # A channel is at its highest for two sectors around its own, at its lowest for two around the opposite one.
    torch.sub(sector, 3, out=red).abs_().neg_().add_(2).clamp_(0, 1)
    torch.sub(sector, 2, out=green).abs_().sub_(1).clamp_(0, 1)
    torch.sub(sector, 4, out=blue).abs_().sub_(1).clamp_(0, 1)
