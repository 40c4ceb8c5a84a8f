"""Whether the images of a task are drawings or photographs, which decides how they are changed (ours)."""

from typing import TYPE_CHECKING

import numpy as np

from munet.search.adaptive import Kind

if TYPE_CHECKING:
    from munet.tasks.record import Split

_LOOKS = 256  # images that tell drawings from photographs
_EXTREME = 16  # of 255: how near to its darkest or brightest value a pixel of a drawing is


def kind_of(split: "Split") -> Kind:
    """Drawings are grey, and most of their pixels are near the darkest or the brightest value of the image.

    The first images of the split tell. StoreError where they are not as they were decoded.
    """
    rows = np.arange(min(_LOOKS, len(split.images)))
    if split.check is not None:
        split.check(rows)
    values = split.images[: len(rows)].astype(np.int16)
    grey = values.shape[-1] == 1 or bool((values.max(-1) - values.min(-1)).max() == 0)
    if not grey:
        return "photographs"
    flat = values[..., 0].reshape(len(values), -1)
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    extreme = (flat <= low + _EXTREME) | (flat >= high - _EXTREME)
    return "drawings" if extreme.mean() > 0.6 else "photographs"
