"""From stored uint8 images to what the network reads: augmentation for training, plain resizing for everything else.

The order is that of the papers' code: JPEG, crop, flip, brightness, contrast, saturation, hue, resize, clip, normalise,
but crop, flip and resize are one sampling step and come before the colours (docs/training.md says what that changes).
Grey images stay one channel until the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch

from munet.errors import InputError, suggest
from munet.training import color
from munet.training.affine import BOUNDS, draw_warps, warp
from munet.training.crop import crop_resize, draw_boxes, resize
from munet.training.jpeg import compress

VARIANTS = ("munet", "mu2net-plus")
AUGMENTATIONS = ("none", *BOUNDS)
_DELTAS = ("brightness", "contrast", "saturation", "hue", "jpeg_quality")
_CHUNK_PIXELS = 128 * 1024  # that go through together for each thread: with more, temporaries leave the CPU's cache


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image. The default changes nothing but its size.

    `variant` sets how colours work. `munet` (muNet and mu2Net) changes values on [-1, 1], so that a brightness delta
    moves half as far, and clips at the end; `mu2net-plus` works on [0, 1] and clips after each change.
    Raises InputError for a value outside its range.
    """

    image_size: int  # pixels, each side
    # one value for each channel that comes out, three or one; a negative std inverts
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    crop: bool = True  # has no effect while crop_area_min is 1
    crop_area_min: float = 1.0  # least share of the image's area
    crop_aspect_min: float = 1.0  # least width / height; the largest is its inverse
    flip: bool = False
    brightness: float = 0.0  # the five deltas: 0 is off
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0  # of the full circle
    jpeg_quality: float = 0.0
    variant: str = "mu2net-plus"
    augmentation: str = "none"  # of drawings, mild or strong: how far they are moved and bent

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise InputError(
                f"unknown preprocessing variant '{self.variant}'{suggest(self.variant, VARIANTS)}; "
                f"known: {', '.join(VARIANTS)}"
            )
        if self.augmentation not in AUGMENTATIONS:
            raise InputError(
                f"unknown augmentation '{self.augmentation}'{suggest(self.augmentation, AUGMENTATIONS)}; "
                f"known: {', '.join(AUGMENTATIONS)}"
            )
        if self.augmentation != "none" and self.crops:
            raise InputError(
                f"augmentation '{self.augmentation}' and random crops are both ways of moving an image: "
                "set augmentation to none, or crop_area_min to 1"
            )
        if self.image_size < 1:
            raise InputError(f"image_size is {self.image_size}; it must be a positive number of pixels")
        for name in ("crop_area_min", "crop_aspect_min"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in (0, 1], and 1 switches it off")
        for name in _DELTAS:
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must lie in [0, 1), and 0 switches it off")
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean) or 0 in self.std:
            raise InputError(f"mean {self.mean} and std {self.std}: give one or three numbers each, and no std of 0")

    @classmethod
    def from_hyperparameters(
        cls, hyperparameters: Mapping[str, Any], variant: str, mean: Sequence[float], std: Sequence[float]
    ) -> Self:
        """Picks the preprocessing keys out of a model's flat hyperparameters; a missing key is off."""
        if "image_size" not in hyperparameters:
            raise InputError("the hyperparameters have no image_size; set one, for instance image_size=32")
        names = {field.name for field in fields(cls)} - {"mean", "std", "variant"}
        values = {name: value for name, value in hyperparameters.items() if name in names}
        return cls(**values, variant=variant, mean=tuple(mean), std=tuple(std))

    @property
    def crops(self) -> bool:
        """Whether random crops are taken."""
        return self.crop and self.crop_area_min < 1

    @property
    def deterministic(self) -> bool:
        """Whether `augment` is the same as `prepare`, for any generator."""
        return not (
            self.crops or self.flip or self.augmentation != "none" or any(getattr(self, name) > 0 for name in _DELTAS)
        )


@dataclass(frozen=True)
class Draws:
    """The random parameters of some images, (N,) each and boxes (N, 4). None where that change is off."""

    quality: torch.Tensor | None = None
    boxes: torch.Tensor | None = None
    flip: torch.Tensor | None = None
    brightness: torch.Tensor | None = None
    contrast: torch.Tensor | None = None
    saturation: torch.Tensor | None = None
    hue: torch.Tensor | None = None
    warps: torch.Tensor | None = None  # (N, 2, 3)
    bends: torch.Tensor | None = None  # (N, 2, 4, 4)

    def _map(self, change: Any) -> "Draws":
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: change(value) for name, value in values.items() if value is not None})

    def to(self, device: torch.device | str) -> "Draws":
        """The same on another device, without waiting for it."""
        return self._map(lambda value: value.to(device, non_blocking=True))

    def part(self, start: int, stop: int) -> "Draws":
        """Those of images start to stop - 1."""
        return self._map(lambda value: value[start:stop])


def draw(pre: Preprocessing, count: int, height: int, width: int, generator: torch.Generator) -> Draws:
    """Parameters for `count` images of height x width pixels, each its own, drawn on the CPU from a CPU generator.

    One call serves a whole cycle, so that batches need neither a draw nor a wait for the device.
    """

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    def around_one(delta: float) -> torch.Tensor | None:
        return uniform(1 - delta, 1 + delta) if delta > 0 else None

    quality = boxes = flip = brightness = hue = None
    if pre.jpeg_quality > 0:
        quality = torch.randint(max(1, int(100 * (1 - pre.jpeg_quality))), 100, (count,), generator=generator)
    if pre.crops:
        boxes = draw_boxes(count, height, width, pre.crop_area_min, pre.crop_aspect_min, generator)
    if pre.flip:
        flip = torch.rand(count, generator=generator) < 0.5
    if pre.brightness > 0:
        delta = pre.brightness if pre.variant == "mu2net-plus" else pre.brightness / 2  # [-1, 1] is twice as wide
        brightness = uniform(-delta, delta)
    contrast, saturation = around_one(pre.contrast), around_one(pre.saturation)
    if pre.hue > 0:
        hue = uniform(-pre.hue, pre.hue)
    warps = bends = None
    if pre.augmentation != "none":
        warps, bends = draw_warps(BOUNDS[pre.augmentation], count, generator)
    return Draws(quality, boxes, flip, brightness, contrast, saturation, hue, warps, bends)


def apply(images_BHWC: torch.Tensor, pre: Preprocessing, draws: Draws) -> torch.Tensor:
    """uint8 (B, H, W, C), C = 1 or 3, with their drawn parameters -> float32 (B, 3 or 1, size, size), normalised.

    On the CPU the batch goes through in chunks. No image's values depend on the chunk, nor on its other images.
    """
    _check(images_BHWC)
    if draws.quality is not None:
        images_BHWC = compress(images_BHWC, draws.quality)
    count, height, width, _ = images_BHWC.shape
    step = max(1, count)
    if images_BHWC.device.type == "cpu":
        step = max(1, torch.get_num_threads() * _CHUNK_PIXELS // max(height * width, pre.image_size**2))
    result_BCHW = torch.empty((count, len(pre.mean), pre.image_size, pre.image_size), device=images_BHWC.device)
    for start in range(0, count, step):
        part, stop = draws.part(start, start + step), start + step
        x_BCHW = _recolor(_reshape(_unit(images_BHWC[start:stop]), pre, part), pre, part)
        _normalise(x_BCHW, pre, result_BCHW[start:stop])
    return result_BCHW


def augment(images_BHWC: torch.Tensor, pre: Preprocessing, generator: torch.Generator) -> torch.Tensor:
    """uint8 (B, H, W, C), C = 1 or 3 -> float32 (B, 3, size, size), normalised. Each image draws its own parameters."""
    count, height, width, _ = images_BHWC.shape
    return apply(images_BHWC, pre, draw(pre, count, height, width, generator).to(images_BHWC.device))


def prepare(images_BHWC: torch.Tensor, pre: Preprocessing) -> torch.Tensor:
    """As `augment`, with nothing random: resize to size x size (aspect not kept) and normalise. For evaluation."""
    return apply(images_BHWC, pre, Draws())


def _check(images_BHWC: torch.Tensor) -> None:
    if images_BHWC.ndim != 4 or images_BHWC.shape[3] not in (1, 3) or images_BHWC.dtype != torch.uint8:
        raise InputError(
            f"images have shape {tuple(images_BHWC.shape)} and type {images_BHWC.dtype}; "
            "give uint8 of shape (images, height, width, 1 or 3 channels)"
        )


def _unit(images_BHWC: torch.Tensor) -> torch.Tensor:
    """float32 (B, C, H, W) in [0, 1], always a copy: what follows changes it in place."""
    x_BCHW = images_BHWC.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    return x_BCHW.div_(255)


def _reshape(x_BCHW: torch.Tensor, pre: Preprocessing, draws: Draws) -> torch.Tensor:
    """Crop or warp, flip and resize."""
    if draws.boxes is not None:
        return crop_resize(x_BCHW, draws.boxes, pre.image_size, draws.flip)
    if draws.flip is not None:
        x_BCHW = torch.where(draws.flip[:, None, None, None], x_BCHW.flip(-1), x_BCHW)
    if draws.warps is not None:
        return warp(x_BCHW, draws.warps, draws.bends, pre.image_size)
    return resize(x_BCHW, pre.image_size)


def _recolor(x_BCHW: torch.Tensor, pre: Preprocessing, draws: Draws) -> torch.Tensor:
    """The colour changes on [0, 1], in the papers' order, in place."""
    stepwise = pre.variant == "mu2net-plus"
    if draws.brightness is not None:
        color.add_brightness_(x_BCHW, draws.brightness)
        if stepwise:
            x_BCHW.clamp_(0, 1)
    if draws.contrast is not None:
        color.scale_contrast_(x_BCHW, draws.contrast)
        if stepwise:
            x_BCHW.clamp_(0, 1)
    if not stepwise:  # the end, or the way to HSV, which has a meaning on [0, 1] only
        x_BCHW.clamp_(0, 1)
    if draws.saturation is not None or draws.hue is not None:
        color.change_hsv_(x_BCHW, draws.saturation, draws.hue).clamp_(0, 1)
    return x_BCHW


def _normalise(x_BCHW: torch.Tensor, pre: Preprocessing, result_BCHW: torch.Tensor) -> None:
    """Writes (x - mean) / std, with as many channels as the result has."""
    count = result_BCHW.shape[1]
    seen = x_BCHW.expand(-1, 3, -1, -1) if count == 3 else color.grey(x_BCHW)
    channels = zip(seen.unbind(1), result_BCHW.unbind(1), pre.mean, pre.std, strict=True)
    for channel, result, mean, std in channels:  # with plain numbers: a tensor of them would wait for the device
        torch.sub(channel, mean, out=result).div_(std)
