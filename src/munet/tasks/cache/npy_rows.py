"""Images of one shape written to a file as they come, as a .npy file that any numpy opens."""

import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from munet.fs.atomic import TEMPORARY
from munet.tasks.cache.blocks import BLOCK
from munet.tasks.stack import Shape

HEADER = 128
_BUFFER = 8 << 20


def header(shape: tuple[int, ...]) -> bytes:
    """The 128 bytes before a uint8 array of four dimensions in a .npy file, version 1.0."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(HEADER - 11).encode() + b"\n"


class FileRows:
    """Rows (`munet.tasks.stack.Rows`) in a temporary file of `folder`, locked so that nobody removes it.

    Plain writes, no memory map: on a full disk they fail with an OSError, where a map would end the process.
    """

    def __init__(self, folder: Path, expected: int, shape: Shape) -> None:
        self.shape = shape
        self.count = 0
        self.path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"
        self._file = self.path.open("x+b", buffering=0)
        with suppress(OSError):  # a file system without locks; then age alone tells what is left over
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._buffer = np.empty((max(1, _BUFFER // (shape[0] * shape[1] * shape[2])), *shape), np.uint8)
        self._filled = 0
        self._sums = _Sums()
        try:
            self._write(header((0, *shape)))
            # Others see how much it will take, and leave room for it (`DecodedFolder.make_room`).
            self._file.truncate(HEADER + expected * shape[0] * shape[1] * shape[2])
        except OSError:
            self.drop()
            raise

    def append(self, image: np.ndarray) -> None:
        self._buffer[self._filled] = image
        self._filled += 1
        self.count += 1
        if self._filled == len(self._buffer):
            self._flush()

    def chunks(self) -> Iterator[np.ndarray]:
        self._flush()
        end = self._file.tell()
        self._file.seek(HEADER)
        for first in range(0, self.count, len(self._buffer)):
            part = np.empty((min(len(self._buffer), self.count - first), *self.shape), np.uint8)
            view = part.data.cast("B")
            while view:
                read = self._file.readinto(view)
                if not read:
                    raise OSError(f"{self.path}: ends too early")
                view = view[read:]
            yield part
        self._file.seek(end)

    def drop(self) -> None:
        with suppress(OSError):  # what brought us here matters more; a later run removes what is left over
            self.path.unlink(missing_ok=True)
        self._file.close()

    def finish(self) -> np.ndarray:
        """All on the medium, the header too; the CRC-32 of each 1 MiB of the images, uint32."""
        self._flush()
        self._file.truncate()
        self._file.seek(0)
        self._write(header((self.count, *self.shape)))
        os.fsync(self._file.fileno())
        return self._sums.all()

    def mapped(self) -> np.ndarray:
        """What was finished, as `map_images` gives it, from the same open file."""
        images = map_images(self._file, (self.count, *self.shape))
        self._file.close()
        return images

    def _flush(self) -> None:
        if self._filled:
            data = self._buffer[: self._filled].data.cast("B")
            self._write(data)
            self._sums.update(data)
            self._filled = 0

    def _write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]


class _Sums:
    """CRC-32 of each block of what passes."""

    def __init__(self) -> None:
        self._done: list[int] = []
        self._sum = self._size = 0

    def update(self, data: memoryview) -> None:
        while data:
            part, data = data[: BLOCK - self._size], data[BLOCK - self._size :]
            self._sum, self._size = zlib.crc32(part, self._sum), self._size + len(part)
            if self._size == BLOCK:
                self._done.append(self._sum)
                self._sum = self._size = 0

    def all(self) -> np.ndarray:
        return np.array([*self._done, self._sum] if self._size else self._done, np.uint32)


def map_images(file: IO[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """The images of an open file as uint8 (N, H, W, C), copy-on-write: pages are read when they are touched, processes
    share them, and what is written to the array stays private (and nothing should be).

    A shared lock lasts as long as the array does, because the map keeps the open file; see `DecodedFolder.make_room`.
    ValueError where the file is too short.
    """
    with suppress(OSError):  # a file system without locks: removing a file in use costs its next reader a decoding
        fcntl.flock(file, fcntl.LOCK_SH)
    # The plain array over the map: a view of np.memmap is slower to make, and one is made for each batch.
    return np.asarray(np.memmap(file, np.uint8, "c", HEADER, shape))  # type: ignore[arg-type]
