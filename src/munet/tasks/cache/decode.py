"""Decoding one split: in memory while it is small and quick, else through the folder of decoded splits."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from math import prod

from munet.errors import StoreError
from munet.tasks import Split
from munet.tasks.cache.disk import Decoded, DecodedFolder, key_of
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.form import Form
from munet.tasks.reopen import RecordedSplit
from munet.tasks.stack import Gathering, Rows, Shape

SMALL = 64 << 20  # bytes of images below which a file is not worth it,
QUICK = 3.0  # unless decoding them takes longer than these seconds


def stored(folder: DecodedFolder, found: RecordedSplit, fingerprint: str, side: int) -> Decoded | None:
    """The split as it was decoded earlier, when its fingerprint was this one; None where it was not."""
    form = found.form(side)
    decoded = folder.open(key_for(found, fingerprint, form))
    if decoded is None and form.size is None:
        decoded = folder.open(key_for(found, fingerprint, form, as_is=True))
    return decoded if decoded is not None and max(decoded.images.shape[1:3]) <= side else None


class Appeared(Exception):
    """Another process has decoded the same split in the meantime."""


class Making:
    """The decoding of one split. `fingerprint` is the one expected; `note` gets the reason when no file was made."""

    def __init__(
        self, folder: DecodedFolder, found: RecordedSplit, fingerprint: str, side: int, note: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._found = found
        self._fingerprint = fingerprint
        self._side = side
        self._note = note
        self._locks = ExitStack()
        self._began = 0.0
        self._locked = False
        self._refused = False

    def decode(self, accept: Callable[[str], None]) -> tuple[Split, bool]:
        """The split, and whether it is mapped. `accept` is called with its fingerprint, and raises to refuse it.

        Raises Appeared where it is in the folder by now. What goes wrong with the folder is noted and no error.
        """
        try:
            with self._locks:
                return self._decode(accept, Gathering(self._found.examples, self._side, self._elsewhere))
        except (OSError, StoreError) as error:
            # A full disk, mostly, and one that was not full when we looked: what was decoded is decoded again.
            self._note(_not_kept(self._folder, error))
        return self._decode(accept, Gathering(self._found.examples, self._side))

    def _decode(self, accept: Callable[[str], None], gathering: Gathering) -> tuple[Split, bool]:
        self._began, listing = time.monotonic(), self._found.listing()
        try:
            reading = self._found.read(gathering.add, self._side)
            rows = gathering.rows()
            accept(reading.fingerprint)
            if not isinstance(rows, FileRows):
                return Split(gathering.array(), reading.labels, reading.bad), False
            key = self._key(reading.fingerprint, as_is=max(rows.shape[:2]) < self._side)  # resized are as large as it
            files_hash = self._found.files_hash()
            if listing is None or listing != self._found.listing():
                files_hash = None  # it may be that of other files than were read
            decoded = self._folder.keep(key, rows, reading.labels, reading.bad, files_hash)
            return Split(decoded.images, decoded.labels, decoded.bad), True
        except BaseException:
            gathering.drop()
            raise

    def _elsewhere(self, expected: int, shape: Shape) -> Rows | None:
        """Rows in the folder, where these are too many for memory or take too long; None otherwise."""
        size = expected * prod(shape)
        if self._refused or (size < SMALL and time.monotonic() - self._began < QUICK):
            return None
        try:
            return self._rows(expected, shape)
        except (OSError, StoreError) as error:
            self._refused = True
            self._note(_not_kept(self._folder, error))
            return None

    def _rows(self, expected: int, shape: Shape) -> Rows | None:
        if self._folder.limit() == 0:  # nobody wants a folder
            self._refused = True
            return None
        if not self._locked:
            self._locks.enter_context(self._folder.making(self._key(self._fingerprint)))
            self._locked = True
            if stored(self._folder, self._found, self._fingerprint, self._side) is not None:
                raise Appeared
        size = expected * (prod(shape) + 8)  # a label is 8 bytes
        reason = self._folder.make_room(size)
        if reason is None:
            return self._folder.rows(expected, shape)
        self._refused = True
        self._note(
            f"the decoded {self._found.split} images of task '{self._found.record['name']}' ({size / 1e9:.3g} GB) stay "
            f"in memory, for {self._folder.path} {reason}: MUNET_CACHE names another folder"
        )
        return None

    def _key(self, fingerprint: str, *, as_is: bool = False) -> str:
        return key_for(self._found, fingerprint, self._found.form(self._side), as_is=as_is)


def key_for(found: RecordedSplit, fingerprint: str, form: Form, *, as_is: bool = False) -> str:
    """What a split of this fingerprint is called in the folder, in a form; `as_is` for one whose task does not tell its
    size, and whose images were left as they are."""
    made = [*form.size, form.channels] if form.size is not None else None if as_is else form.side
    return key_of(fingerprint, found.ranges, made, found.record["skip_bad"], form.white)


def _not_kept(folder: DecodedFolder, error: Exception) -> str:
    reason = f"{folder.path}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
    return (
        f"decoded images stay in memory, for they cannot be kept on disk ({reason}): MUNET_CACHE names another folder"
    )
