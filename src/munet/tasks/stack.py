"""The images of a split, one after the other, made one array, in memory or wherever its rows are written."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from munet.errors import InputError
from munet.tasks.images import fit

Shape = tuple[int, int, int]
"""Height, width and channels of an image; channels 1 or 3."""

_CHUNK = 256


class Rows(Protocol):
    """Images uint8 of one shape (H, W, C), in the order in which they were appended."""

    def append(self, image: np.ndarray) -> None:
        """One more image (H, W, C), or a grey one (H, W, 1) for three equal channels."""
        ...

    def chunks(self) -> Iterator[np.ndarray]:
        """All of them as arrays (n, H, W, C), each valid until the next is asked for."""
        ...

    def drop(self) -> None:
        """Give back the room they take."""
        ...


class InMemory:
    """Rows in one array made for `expected` images; the part that is never written takes no memory."""

    def __init__(self, expected: int, shape: Shape) -> None:
        self._pixels = np.empty((expected, *shape), np.uint8)
        self._count = 0

    def append(self, image: np.ndarray) -> None:
        self._pixels[self._count] = image
        self._count += 1

    def chunks(self) -> Iterator[np.ndarray]:
        for first in range(0, self._count, _CHUNK):
            yield self._pixels[first : min(first + _CHUNK, self._count)]

    def drop(self) -> None:
        self._pixels, self._count = self._pixels[:0], 0

    def array(self) -> np.ndarray:
        """uint8 (N, H, W, C), not a copy."""
        return self._pixels[: self._count]


Elsewhere = Callable[[int, Shape], Rows | None]
"""Given how many images of which shape are expected: rows for them, or None where they may be in memory."""


class Gathering:
    """Images uint8 (H, W, C) come one at a time; what they make is uint8 (N, H, W, C).

    Images of one common size stay as they are; else each becomes (side, side), bilinear, antialiased. C is 1 where all
    are grey, else 3. Only the last image settles either, so the rows are made again when one comes that does not fit:
    at most once for the size and once for the channels. `elsewhere` is asked for rows each time they are made, and
    while they are in memory after every 256 images and after the last, for it may judge by the time that they took.
    """

    def __init__(self, expected: int, side: int | None = None, elsewhere: Elsewhere | None = None) -> None:
        self.expected = expected
        self._side = side
        self._elsewhere = elsewhere or (lambda expected, shape: None)
        self._shape: Shape = (0, 0, 0)
        self._rows: Rows = InMemory(0, self._shape)
        self._count = 0
        self._sizes: set[tuple[int, int]] = set()

    def add(self, image: np.ndarray) -> None:
        """One more image."""
        if image.shape == self._shape and self._count % _CHUNK:  # most of many small ones
            self._rows.append(image)
            self._count += 1
            return
        self._sizes.add(image.shape[:2])
        if self._side is None and len(self._sizes) > 1:
            return  # refused at the end, when it is known how many sizes there are
        wanted = self._wanted(image)
        if wanted != self._shape:
            self._move(self._elsewhere(self.expected, wanted) or InMemory(self.expected, wanted), wanted)
        elif self._count % _CHUNK == 0:
            self._reconsider()
        self._rows.append(_of_size(image, wanted))
        self._count += 1

    def widen(self, channels: int) -> None:
        """Give the images at least so many channels: 3 makes grey ones three equal channels."""
        height, width, found = self._shape
        if found < channels:
            wanted = (height, width, channels)
            self._move(self._elsewhere(self.expected, wanted) or InMemory(self.expected, wanted), wanted)

    def rows(self) -> Rows:
        """All of them. InputError where there is none, or sizes differ and there is no side to resize them to."""
        if len(self._sizes) > 1 and self._side is None:
            raise InputError(f"images of {len(self._sizes)} different sizes: say to which side to resize them")
        if not self._count:
            raise InputError("no image is left")
        self._reconsider()
        return self._rows

    def array(self) -> np.ndarray:
        """All of them in memory, uint8 (N, H, W, C). InputError as `rows`."""
        rows = self.rows()
        if not isinstance(rows, InMemory):
            rows = InMemory(self._count, self._shape)
            self._move(rows, self._shape)
        return rows.array()

    def drop(self) -> None:
        """Give back the room that the rows take."""
        self._rows.drop()

    def _wanted(self, image: np.ndarray) -> Shape:
        """The shape that suits all images so far and this one."""
        height, width, channels = image.shape
        if len(self._sizes) > 1:
            assert self._side is not None
            height = width = self._side
        return height, width, max(channels, self._shape[2])

    def _reconsider(self) -> None:
        """Out of memory with what is there, if it should rather be elsewhere by now."""
        if isinstance(self._rows, InMemory) and (rows := self._elsewhere(self.expected, self._shape)) is not None:
            self._move(rows, self._shape)

    def _move(self, rows: Rows, shape: Shape) -> None:
        """Put what is there into other rows, of another shape if need be."""
        try:
            for chunk in self._rows.chunks():
                for image in chunk:  # each channel is resized by itself, so grey that became RGB stays what it would be
                    rows.append(_of_size(image, shape))
        except BaseException:
            rows.drop()
            raise
        self._rows.drop()
        self._rows, self._shape = rows, shape


def _of_size(image: np.ndarray, shape: Shape) -> np.ndarray:
    return image if image.shape[:2] == shape[:2] else fit(image, *shape[:2])
