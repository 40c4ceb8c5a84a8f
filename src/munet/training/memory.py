"""Batches that do not fit the device's memory, in parts that do."""

import ctypes
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import torch

T = TypeVar("T")
Note = Callable[[str], None]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of settings in glibc's malloc.h
_KEPT = 1 << 30  # bytes of free memory at the end of the heap
_KEPT_PIECE = 1 << 25  # bytes of the largest piece that comes from the heap: glibc allows no more


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the CPU's allocator, had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


class Parts:
    """How many rows of a batch go through a network at once; halved whenever memory runs out, with one note.

    `note` gets the sentence for the user.
    """

    def __init__(self, note: Note = lambda text: None) -> None:
        self.rows: int | None = None  # all of them
        self._note = note

    def attempt(self, size: int, work: Callable[[int], T]) -> T:
        """`work(rows)` for a batch of `size` rows, with fewer rows at once until it goes through.

        Raises the device's own error when a single row does not fit.
        """
        while True:
            rows = min(size, self.rows or size)
            try:
                return work(rows)
            except RuntimeError as error:  # torch.OutOfMemoryError is one
                if rows == 1 or not is_out_of_memory(error):
                    raise
            if self.rows is None:
                self._note("the device is out of memory: batches go through it in parts, with the same result")
            self.rows = -(-rows // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def __call__(self, function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """function(x) of a function that treats rows one by one."""

        def work(rows: int) -> torch.Tensor:
            parts = x.split(rows)
            return function(x) if len(parts) == 1 else torch.cat([function(part) for part in parts])

        return self.attempt(len(x), work)


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Ask the C library to keep what a step frees for the next one, in place of giving it back to the system.

    A step allocates the same tensors as the one before it, and giving pages back between them takes a sixth of a small
    step. Returns whether it was heard: only glibc has these two settings.
    """
    try:
        library = ctypes.CDLL(None)
        return bool(library.mallopt(_MMAP_THRESHOLD, _KEPT_PIECE) and library.mallopt(_TRIM_THRESHOLD, _KEPT))
    except (AttributeError, OSError, TypeError):
        return False
