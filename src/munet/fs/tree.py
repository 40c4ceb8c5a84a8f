"""The files below one directory: reading and writing that no link and no special file leads astray.

A system and a run of an allocation are such trees. The directory itself may be a link; nothing below it is followed
if it is one. Paths are whole ones, below the directory, as they stand in messages.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from munet.fs.atomic import create_in, explained, write_in
from munet.fs.folders import Folder, StrangeFileError, open_plain, opened_folder


class Tree:
    """The files below `base`. What is a link or lies behind one is refused: by what reads with StrangeFileError, an
    OSError, and by what writes with StoreError."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._above = f"{base}/"

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self, path: Path | str, limit: int = -1) -> bytes:
        """The first `limit` bytes of a plain file, or all. Raises OSError: StrangeFileError for anything else."""
        with self._around(path, to_pass=True) as (folder, entry):
            descriptor = open_plain(folder, entry)
        with open(descriptor, "rb", buffering=0) as file:
            return file.read(limit)

    def state(self, path: Path | str) -> os.stat_result | None:
        """What is at a path, itself and not what it points to; None where nothing is, or behind a link."""
        try:
            with self._around(path, to_pass=True) as (folder, entry):
                return folder.state(entry)
        except OSError:
            return None

    def has(self, path: Path | str) -> bool:
        """Whether anything has this name, be it a link."""
        return self.state(path) is not None

    def has_file(self, path: Path | str) -> bool:
        """Whether there is a plain file."""
        found = self.state(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    def has_folder(self, path: Path | str) -> bool:
        """Whether there is a folder, and no link to one."""
        found = self.state(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def names(self, path: Path | str) -> list[str]:
        """Names in a folder, sorted. Raises OSError: StrangeFileError for what is no folder."""
        with opened_folder(self.base, self._parts(path)) as folder:
            return sorted(os.listdir(folder.listed))

    def entries(self, path: Path | str) -> list[tuple[str, bool]]:
        """(name, whether it is a plain file) of what is in a folder, by name. Raises OSError as `names`."""
        with opened_folder(self.base, self._parts(path)) as folder, os.scandir(folder.listed) as found:
            return sorted((entry.name, entry.is_file(follow_symlinks=False)) for entry in found)

    # -- writing ------------------------------------------------------------------------------------------------------

    def write(self, path: Path | str, data: bytes) -> None:
        """As `write_atomic`: replaces what has this name, a link itself and never what it points to."""
        with explained("write", path, len(data)), self._around(path) as (folder, entry):
            write_in(folder, entry, data)

    def create(self, path: Path | str, data: bytes) -> None:
        """As `create_exclusive`."""
        with explained("create", path, len(data)), self._around(path) as (folder, entry):
            create_in(folder, entry, data)

    def make_folder(self, path: Path | str, *, new: bool = False) -> None:
        """Make a folder in one that is there; on return it survives a power cut. FileExistsError if it had to be
        `new` and was there."""
        with explained("make", path), self._around(path) as (folder, entry):
            try:
                os.mkdir(folder.name(entry), dir_fd=folder.at)
            except FileExistsError:
                found = folder.state(entry).st_mode
                if new:
                    raise
                if not stat.S_ISDIR(found):
                    raise StrangeFileError(found, str(path)) from None
            folder.flush()  # also when it was there: its maker may not have come this far yet

    def remove(self, path: Path | str, *, flush: bool = True) -> None:
        """Remove a file, or a link itself. On return that survives a power cut if `flush`."""
        with explained("remove", path), self._around(path) as (folder, entry):
            os.unlink(folder.name(entry), dir_fd=folder.at)
            if flush:
                folder.flush()

    def flush_folder(self, path: Path | str) -> None:
        """Flush a folder's list of names to the medium."""
        with explained("write", path), opened_folder(self.base, self._parts(path)) as folder:
            folder.flush()

    # -- paths --------------------------------------------------------------------------------------------------------

    @contextmanager
    def _around(self, path: Path | str, *, to_pass: bool = False) -> Iterator[tuple[Folder, str]]:
        *above, entry = self._parts(path)
        with opened_folder(self.base, tuple(above), to_pass=to_pass) as folder:
            yield folder, entry

    def _parts(self, path: Path | str) -> tuple[str, ...]:
        whole = str(path)
        parts = tuple(whole.removeprefix(self._above).split("/"))
        if not whole.startswith(self._above) or not all(parts) or ".." in parts or "." in parts:
            if whole == str(self.base):
                return ()
            raise ValueError(f"{whole} is not below {self.base}")
        return parts
