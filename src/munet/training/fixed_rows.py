"""Networks on a fixed number of images at once, so that logits do not depend on which images are asked for together.

A matrix product may be rounded differently when it has another number of rows, never by what stands in other rows. So
on a CPU every prediction and every evaluation computes in float32 on batches of one size, the last one filled up. What
that costs is in docs/prediction.md.
"""

from collections.abc import Callable

import torch

_PIXELS = 8 * 64 * 64  # below that a batch costs hardly more than an image of it
_MOST = 16


def fixed_rows(image_size: int, device: torch.device | str, precision: str = "fp32") -> int | None:
    """Images at once for inputs of `image_size` pixels a side: a power of two from 16 (up to 45 pixels) to 1 (from 129
    pixels on). None where batches have any size: on a GPU, and in bfloat16, nothing is promised to the bit."""
    if torch.device(device).type != "cpu" or precision != "fp32":
        return None
    fitting = max(1, min(_MOST, _PIXELS // image_size**2))
    return 1 << (fitting.bit_length() - 1)


class FixedRows:
    """Calls functions that treat rows one by one on `rows` rows at a time, whatever comes."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __call__(self, function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """function(x), (B, ...) -> (B, ...). The last rows are filled up with copies of the last one."""
        missing = -len(x) % self.rows
        filled = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])]) if missing else x
        parts = filled.split(self.rows)
        results = [function(part) for part in parts]
        return (results[0] if len(results) == 1 else torch.cat(results))[: len(x)]
