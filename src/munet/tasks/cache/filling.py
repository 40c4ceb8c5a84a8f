"""The splits of a new task, kept decoded while `add` reads its images, so that its first training decodes none."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Self

import numpy as np

from munet.errors import InputError, StoreError
from munet.fs.atomic import make_folder
from munet.fs.cache import cache_limit
from munet.store.schema import TaskData
from munet.tasks.cache import decode
from munet.tasks.cache.disk import DecodedFolder
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.form import Form, decode_side
from munet.tasks.reading import Reading
from munet.tasks.reopen import RecordedSplit, files_of, listing_of
from munet.tasks.sources.base import Source
from munet.tasks.splits import Range
from munet.tasks.stack import Gathering, Rows, Shape


class Filling:
    """Takes the images of the splits of one task as they are read (`munet.tasks.record.Taking`), for models whose
    inputs have `image_size` pixels.

    All three splits go to the folder if together they have 64 MiB or take 3 s, else none does: then decoding them again
    is quick. What goes wrong with the folder is no error, for training says so when it decodes. To be used as a
    context: at its end what was not kept is gone. InputError where MUNET_CACHE_SIZE is no number of bytes.
    """

    def __init__(self, image_size: int) -> None:
        cache_limit(0)
        self._side = decode_side(image_size)
        self._folder = DecodedFolder()
        self._began = 0.0
        self._taken: dict[str, _Taken] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for taken in self._taken.values():
            taken.drop()
        self._taken.clear()

    def start(
        self, part: str, source: Source, ranges: Sequence[Range], train: Reading | None
    ) -> tuple[Form, Callable[[np.ndarray], bool]] | None:
        """What the images of a split are made, and who takes them, one after the other, until it returns False.

        `train` is what was read of the train split, which comes first: its images decide what others are made. None
        where nothing can be kept.
        """
        self._began = self._began or time.monotonic()
        try:
            make_folder(self._folder.path)
            if self._folder.limit() == 0:  # nobody wants a folder
                return None
        except (OSError, StoreError):
            return None
        # Of packed files a hash is kept, if they are the same before and after.
        before = listing_of(files_of(source, ranges)) if source.packed else None
        examples = sum(stop - start for _, start, stop in ranges)
        taken = self._taken[part] = _Taken(tuple(ranges), before)
        taken.gathering = Gathering(examples, self._side, partial(self._elsewhere, taken))
        size = None if train is None else Form.size_for(train.size, self._side)
        return Form(self._side, size, white=source.white), taken.add

    def keep(self, record: TaskData, source: Source, readings: Mapping[str, Reading]) -> None:
        """Give what was taken its place in the folder. `readings` are those of the three splits of `record`."""
        for part, taken in self._taken.items():
            if taken.gathering is None:
                continue
            try:
                self._keep(taken, RecordedSplit(record, part, source, taken.ranges), readings[part])
            except (OSError, StoreError, InputError, _NoRoom):
                taken.drop()

    def _keep(self, taken: "_Taken", found: RecordedSplit, reading: Reading) -> None:
        form, gathering = found.form(self._side), taken.gathering
        if gathering is None or decode.stored(self._folder, found, reading.fingerprint, self._side) is not None:
            return
        gathering.widen(form.channels)  # now that it is known whether any split has colours
        rows = gathering.rows()
        if not isinstance(rows, FileRows) or rows.shape[:2] != form.size:
            return
        files = found.files_hash() if taken.before is not None and taken.before == found.listing() else None
        key = decode.key_for(found, reading.fingerprint, form)
        self._folder.keep(key, rows, reading.labels, reading.bad, files)
        taken.gathering = None

    def _elsewhere(self, taken: "_Taken", expected: int, shape: Shape) -> Rows | None:
        """Rows in the folder, once the task has so many bytes or took so long; in memory before. _NoRoom where the
        folder cannot hold them."""
        taken.size = expected * (prod(shape) + 8)  # a label is 8 bytes
        small = sum(one.size for one in self._taken.values()) < decode.SMALL
        if small and time.monotonic() - self._began < decode.QUICK:
            return None
        if self._folder.make_room(taken.size) is not None:
            raise _NoRoom
        return self._folder.rows(expected, shape)


class _NoRoom(Exception):
    """The folder may not hold so much."""


@dataclass
class _Taken:
    """What was taken of one split: its `size` in bytes when it is whole, what its packed files were `before`."""

    ranges: tuple[Range, ...]
    before: str | None
    gathering: Gathering | None = None
    size: int = 0

    def add(self, image: np.ndarray) -> bool:
        """One more image; False when no more is wanted."""
        if self.gathering is None:
            return False
        try:
            self.gathering.add(image)
        except (OSError, StoreError, _NoRoom):
            self.drop()
        return self.gathering is not None

    def drop(self) -> None:
        """Give back the room that it takes."""
        if self.gathering is not None:
            self.gathering.drop()
        self.gathering, self.size = None, 0
