"""Bytes to disk so that a reader finds all of them or none, after a kill and after a power cut.

Every write goes to a temporary file in the same folder, is flushed to the medium, gets its name in one step, and then
the folder is flushed too: without the last step a power cut may forget the name.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from munet.errors import StoreError
from munet.fs.folders import Folder, StrangeFileError, opened_folder

TEMPORARY = ".tmp-"

_WAY_OUT = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again",
    errno.EDQUOT: "the quota is used up: free some space and run the same command again",
    errno.EFBIG: "a limit on file sizes is in the way: raise it (`ulimit -f`) and run the same command again",
    errno.EACCES: "no permission: use a folder that you may write, or have its owner run this",
    errno.EPERM: "no permission: use a folder that you may write, or have its owner run this",
    errno.EISDIR: "a folder has that name: move it out of the way",
    errno.EROFS: "the file system is read-only: remount it, or copy the system elsewhere",
}


@contextmanager
def explained(action: str, path: Path | str, size: int | None = None) -> Iterator[None]:
    """Turn an OSError into one line: what could not be done to which path, how many bytes it needed, the way out.

    `FileExistsError` passes, for it is an answer and not a failure.
    """
    try:
        yield
    except FileExistsError:
        raise
    except StrangeFileError as error:
        text = f"cannot {action} {path}: it {error.strerror}"
        raise StoreError(f"{text}: move {error.filename} out of the way") from error
    except OSError as error:
        needed = "" if size is None else f" ({size} bytes needed)"
        reason = _WAY_OUT.get(error.errno or 0) or f"{error.strerror or error}: check the disk"
        raise StoreError(f"cannot {action} {path}{needed}: {reason}") from error


def write_atomic(path: Path, data: bytes) -> None:
    """Give `path` this content, replacing what was there. On return it survives a power cut; on StoreError the old
    content is still there, or the new one if only the last flush failed."""
    with explained("write", path, len(data)), opened_folder(path.parent) as folder:
        write_in(folder, path.name, data)


def write_in(folder: Folder, entry: str, data: bytes) -> None:
    """`write_atomic` in an open folder. Raises OSError."""
    temporary = _write_temporary(folder, data)
    try:
        os.replace(folder.name(temporary), folder.name(entry), src_dir_fd=folder.at, dst_dir_fd=folder.at)
    except BaseException:
        _discard(folder, temporary)
        raise
    folder.flush()


def create_in(folder: Folder, entry: str, data: bytes) -> None:
    """As `write_in`, but raises FileExistsError when the entry is taken, also by another process just now."""
    temporary = _write_temporary(folder, data)
    try:  # unlike a rename, a link never replaces
        os.link(folder.name(temporary), folder.name(entry), src_dir_fd=folder.at, dst_dir_fd=folder.at)
    finally:
        _discard(folder, temporary)
    folder.flush()


def make_folder(path: Path) -> None:
    """Make a folder and the missing ones above it; on return they survive a power cut."""
    with explained("make", path):
        if not path.is_dir():
            if not path.parent.is_dir():
                make_folder(path.parent)
            with suppress(FileExistsError):  # another process was first
                os.mkdir(path)
        sync_folder(path.parent)  # also when it was there: its maker may not have come this far yet


def sync_folder(path: Path) -> None:
    """Flush a folder's list of names to the medium."""
    with opened_folder(path) as folder:
        folder.flush()


def is_temporary(path: Path) -> bool:
    """Whether a file is what a killed writer left behind."""
    return path.name.startswith(TEMPORARY)


def _write_temporary(folder: Folder, data: bytes) -> str:
    # Two machines that share a disk may hold the same pid, hence the random part; it decides no result.
    entry = f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"
    descriptor = os.open(folder.name(entry), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder.at)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        _discard(folder, entry)
        raise
    finally:
        os.close(descriptor)
    return entry


def _discard(folder: Folder, entry: str) -> None:
    # The error that brought us here matters more than a temporary file, which gc removes anyway.
    with suppress(OSError):
        os.unlink(folder.name(entry), dir_fd=folder.at)
