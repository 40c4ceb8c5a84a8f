"""Random crops: TensorFlow's distorted box rule, drawn for many images at once, and cropping with resizing in one step.

The rule (`tf.image.sample_distorted_bounding_box` with the whole image as the object) takes the aspect ratio w/h
uniformly from [a, 1/a], uniform in the ratio and not in its logarithm, then the *height* uniformly among the integers
that keep the area between `area_min` and 1 and the width inside the image. So the side length is uniform, not the area.
"""

import torch
from torch.nn import functional as F

ATTEMPTS = 100  # as TensorFlow; an image whose attempts all fail is not cropped


def draw_boxes(
    count: int,
    height: int,
    width: int,
    area_min: float,
    aspect_min: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Boxes for `count` images of height x width pixels: int64 (count, 4), each row y, x, h, w, inside the image.

    The offsets exclude the last possible position, as the original does. Everything is drawn on the CPU.
    """
    boxes = torch.tensor([0, 0, height, width]).repeat(count, 1)
    missing = torch.ones(count, dtype=torch.bool)
    for _ in range(ATTEMPTS):
        drawn, valid = _attempt(count, height, width, area_min, aspect_min, generator)
        boxes = torch.where((missing & valid)[:, None], drawn, boxes)
        missing &= ~valid
        if not missing.any():
            break
    return boxes


def _attempt(
    count: int, height: int, width: int, area_min: float, aspect_min: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """One box for each image, and whether it keeps the rule."""
    uniform = torch.rand((4, count), generator=generator, dtype=torch.float64)
    area = float(height * width)
    aspect = aspect_min + uniform[0] * (1 / aspect_min - aspect_min)  # w / h
    low = torch.sqrt(area_min * area / aspect).round()
    high = torch.sqrt(area / aspect).round()
    widest = ((width + 0.5 - 1e-7) / aspect).floor()  # the tallest box whose rounded width fits the image
    high = torch.where((high * aspect).round() > width, widest, high).clamp(max=height)
    high = torch.where((high * aspect).round() > width, high - 1, high)
    low = torch.minimum(low, high)
    h = low + _below(uniform[1], high - low + 1)
    # Rounding may leave the area just outside its bounds: one pixel taller, then one lower, before it counts as failed.
    h = torch.where(h * (h * aspect).round() < area_min * area, h + 1, h)
    h = torch.where(h * (h * aspect).round() > area, h - 1, h)
    w = (h * aspect).round()
    valid = (h * w >= area_min * area) & (h <= height) & (w <= width) & (h > 0) & (w > 0)
    y = _below(uniform[2], height - h)
    x = _below(uniform[3], width - w)
    return torch.stack([y, x, h, w], dim=1).to(torch.int64), valid


def _below(uniform: torch.Tensor, bound: torch.Tensor) -> torch.Tensor:
    """Uniform integer in [0, bound), 0 where the bound is not positive."""
    return (uniform * bound.clamp(min=0)).floor()


def crop_resize(x_BCHW: torch.Tensor, boxes: torch.Tensor, size: int, flip: torch.Tensor | None = None) -> torch.Tensor:
    """Each image's box (rows y, x, h, w), resized to size x size and mirrored where `flip` (B,) is true.

    Bilinear with half-pixel centres and without anti-aliasing, as `tf.image.resize`; pixels outside the box are never
    read. Crop, resize and flip are one sampling grid, so that each image is read once.
    """
    _, _, height, width = x_BCHW.shape
    top, left, h, w = boxes.to(torch.float32).unsqueeze(-1).unbind(1)  # each (B, 1)
    centres = (torch.arange(size, device=x_BCHW.device, dtype=torch.float32) + 0.5) / size
    rows = torch.minimum((centres * h - 0.5).clamp(min=0), h - 1) + top  # (B, size), in pixels
    columns = torch.minimum((centres * w - 0.5).clamp(min=0), w - 1) + left
    if flip is not None:
        columns = torch.where(flip[:, None], columns.flip(1), columns)
    y = (2 * rows + 1) / height - 1
    x = (2 * columns + 1) / width - 1
    # Pairs (x, y) as the parts of complex numbers: one vectorised sum, where stacking copies value by value.
    pairs = torch.complex(x, torch.zeros_like(x))[:, None, :] + torch.complex(torch.zeros_like(y), y)[:, :, None]
    grid = torch.view_as_real(pairs)
    return F.grid_sample(x_BCHW, grid, mode="bilinear", padding_mode="border", align_corners=False)


def resize(x_BCHW: torch.Tensor, size: int) -> torch.Tensor:
    """Bilinear resize to size x size, half-pixel centres, no anti-aliasing; the same tensor where nothing changes."""
    if x_BCHW.shape[-2:] == (size, size):
        return x_BCHW
    return F.interpolate(x_BCHW, size=(size, size), mode="bilinear", align_corners=False, antialias=False)
