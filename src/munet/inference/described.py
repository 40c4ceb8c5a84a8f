"""What happens to an image before a network sees it, as plain values for people who use the network without munet."""

from collections.abc import Sequence
from typing import Any

from munet.tasks.form import Form


def described(form: Form, image_size: int, mean: Sequence[float], std: Sequence[float]) -> dict[str, Any]:
    """The steps from an image file to the network's input, in their order; docs/prediction.md has them as code.

    `form` is that of the task, `image_size` the side of the network's square input in pixels.
    """
    white = form.white or 65535
    height, width = form.size or (form.side, form.side)
    always = form.size is not None
    draft = 2 * (max(form.size) if form.size else form.side)
    first = {
        "when": "always" if always else f"higher or wider than {form.side}",
        "size": [height, width],
        "keep_aspect": False,
        "filter": "bilinear",
        "antialias": True,
        "values": "uint8",
        "as": "PIL.Image.resize((width, height), PIL.Image.Resampling.BILINEAR)",
    }
    second = {
        "when": "always",
        "size": [image_size, image_size],
        "keep_aspect": False,
        "filter": "bilinear",
        "antialias": False,
        "values": "float32",
        "as": "torch.nn.functional.interpolate(x, size, mode='bilinear', align_corners=False, antialias=False)",
    }
    return {
        "decode": {
            "jpeg": f"at the least of the scales 1/8, 1/4, 1/2, 1 that leaves both sides {draft} or more",
            "jpeg_as": f"image.draft(None, ({draft}, {draft}))",
            "exif_orientation": "applied",
            "transparency": "over white",
            "white": white,  # of images that can hold it
            "white_as": "(value * 255 + white // 2) // white",
            "color": "RGB; grey in three equal channels",
            "animation": "first picture",
        },
        "resize": [first, second],
        "crop": None,
        "scale": 1 / 255,
        "mean": list(mean),
        "std": list(std),
    }
