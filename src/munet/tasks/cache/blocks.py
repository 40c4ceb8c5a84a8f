"""Blocks of mapped images, each compared with the CRC-32 of when it was written before its first use."""

import zlib
from pathlib import Path

import numpy as np

from munet.errors import StoreError

BLOCK = 1 << 20


class Blocks:
    """The blocks of 1 MiB of images uint8 (N, H, W, C) that are mapped from a file, and their CRC-32s, uint32.

    `description` is the small file without which nobody takes these images for a decoded split.
    """

    def __init__(self, images: np.ndarray, sums: np.ndarray, description: Path) -> None:
        self._data = images.reshape(-1).data
        self._row = images[0].nbytes if len(images) else 0
        self._sums = sums
        self._description = description
        self._sound = np.zeros(-(-len(self._data) // BLOCK), bool)
        self._left = len(self._sound)

    def spread(self, number: int) -> bool:
        """Whether `number` blocks, evenly spread from the first to the last, are as they were written."""
        last = len(self._sound) - 1
        if len(self._sums) != last + 1:
            return False
        chosen = sorted({round(k * last / max(1, number - 1)) for k in range(number)}) if last >= 0 else []
        return all(self._is_sound(block) for block in chosen)

    def check(self, rows: np.ndarray) -> None:
        """Compare what holds the images at these indices, int64, where that was not done before.

        StoreError where a block is another: the split is given up, and whoever asks for it again decodes it anew.
        """
        if not self._left or not len(rows):
            return
        first, last = rows * self._row // BLOCK, ((rows + 1) * self._row - 1) // BLOCK
        wanted = np.unique(np.concatenate([np.minimum(first + k, last) for k in range(int((last - first).max()) + 1)]))
        for block in wanted[~self._sound[wanted]].tolist():
            if not self._is_sound(block):
                self._description.unlink(missing_ok=True)
                raise StoreError(
                    f"{self._description.parent}: decoded images are not as they were written (a failing disk?) and "
                    "were given up: the same command goes on and decodes them again"
                )

    def _is_sound(self, block: int) -> bool:
        sound = zlib.crc32(self._data[block * BLOCK : (block + 1) * BLOCK]) == self._sums[block]
        if sound and not self._sound[block]:
            self._sound[block] = True
            self._left -= 1
        return bool(sound)
