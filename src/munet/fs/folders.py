"""Open folders, and the names in them: no link is followed, and nothing but plain files is opened.

A system that someone else made may hold links, pipes and devices. A path is therefore walked one component at a time,
each opened relative to the one above it (`openat` with O_NOFOLLOW), so that nobody can put a link in between a check
and its use. Where a Python lacks `dir_fd`, each component is looked at before it is opened by its whole path: links
that are there are refused all the same, and only those that are made within that moment are not.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_RELATIVE = {os.open, os.stat, os.mkdir, os.unlink, os.rename, os.link} <= os.supports_dir_fd
_TO_USE = os.O_RDONLY | os.O_DIRECTORY
_TO_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY  # a folder on the way may be one that one may not list
_KINDS = {
    stat.S_IFLNK: "a link, which munet never follows",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder where a file belongs",
    stat.S_IFREG: "a file where a folder belongs",
}


class StrangeFileError(OSError):
    """A link, or something else that does not belong at its place. `strerror` goes behind the name of the file."""

    def __init__(self, mode: int, path: str, behind: str | None = None) -> None:
        self.what = _KINDS.get(stat.S_IFMT(mode), "no plain file")
        place = "" if behind is None else f"lies behind {behind}, which "
        super().__init__(errno.ELOOP, f"{place}is {self.what}", path)


@dataclass(frozen=True)
class Folder:
    """An open folder. In calls of `os` an entry is `name(entry)` with `dir_fd=at`."""

    path: str
    descriptor: int
    at: int | None  # None: this Python has no `dir_fd`, and entries go by their whole paths

    @property
    def listed(self) -> int | str:
        """What `os.scandir` takes."""
        return self.descriptor if self.at is not None else self.path

    def name(self, entry: str) -> str:
        return entry if self.at is not None else f"{self.path}/{entry}"

    def state(self, entry: str) -> os.stat_result:
        """What an entry is, itself and not what it points to. Raises OSError."""
        return os.stat(self.name(entry), dir_fd=self.at, follow_symlinks=False)

    def flush(self) -> None:
        """Flush the list of names to the medium. Raises OSError."""
        os.fsync(self.descriptor)


@contextmanager
def opened_folder(base: Path | str, parts: tuple[str, ...] = (), *, to_pass: bool = False) -> Iterator[Folder]:
    """The folder `parts` below `base`. `base` may be reached through links; none of `parts` may be one.

    `to_pass` opens it for its entries alone, neither to list nor to flush it. Raises OSError, and StrangeFileError
    where a part is no folder.
    """
    flags = _TO_PASS if to_pass else _TO_USE
    path = str(base)
    descriptor = os.open(path, _TO_PASS if parts else flags)
    try:
        for number, part in enumerate(parts, start=1):
            above = Folder(path, descriptor, descriptor if _RELATIVE else None)
            below = _step(above, parts[:number], flags if number == len(parts) else _TO_PASS)
            path, descriptor = f"{path}/{part}", below
            os.close(above.descriptor)  # no longer ours: whoever is interrupted here must not close it twice
        yield Folder(path, descriptor, descriptor if _RELATIVE else None)
    finally:
        os.close(descriptor)


def open_plain(folder: Folder, entry: str, flags: int = os.O_RDONLY) -> int:
    """The descriptor of a plain file. Raises OSError, and StrangeFileError at once where it is anything else."""
    try:
        found = folder.state(entry).st_mode  # looked at before it is opened: opening a device may already do something
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    else:
        if not stat.S_ISREG(found):
            raise StrangeFileError(found, f"{folder.path}/{entry}")
    # A pipe that was put there within this moment would make a plain `open` wait for ever.
    descriptor = os.open(folder.name(entry), flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666, dir_fd=folder.at)
    opened = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(opened):
        os.close(descriptor)
        raise StrangeFileError(opened, f"{folder.path}/{entry}")
    return descriptor


def _step(folder: Folder, parts: tuple[str, ...], flags: int) -> int:
    """The descriptor of the last of `parts`, an entry of `folder`."""
    part = parts[-1]
    if folder.at is None:
        _refuse_strange(folder, part, "/".join(parts))
    try:
        return os.open(folder.name(part), flags | os.O_NOFOLLOW, dir_fd=folder.at)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            _refuse_strange(folder, part, "/".join(parts))
        raise


def _refuse_strange(folder: Folder, part: str, behind: str) -> None:
    found = folder.state(part).st_mode
    if not stat.S_ISDIR(found):
        raise StrangeFileError(found, f"{folder.path}/{part}", behind)
