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

TEMPORARY = ".tmp-"

_WAY_OUT = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again",
    errno.EDQUOT: "the quota is used up: free some space and run the same command again",
    errno.EFBIG: "a limit on file sizes is in the way: raise it (`ulimit -f`) and run the same command again",
    errno.EACCES: "no permission: use a folder that you may write, or have its owner run this",
    errno.EPERM: "no permission: use a folder that you may write, or have its owner run this",
    errno.EROFS: "the file system is read-only: remount it, or copy the system elsewhere",
}


@contextmanager
def explained(action: str, path: Path, size: int | None = None) -> Iterator[None]:
    """Turn an OSError into one line: what could not be done to which path, how many bytes it needed, the way out.

    `FileExistsError` passes, for it is an answer and not a failure.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        needed = "" if size is None else f" ({size} bytes needed)"
        reason = _WAY_OUT.get(error.errno or 0) or f"{error.strerror or error}: check the disk"
        raise StoreError(f"cannot {action} {path}{needed}: {reason}") from error


def write_atomic(path: Path, data: bytes) -> None:
    """Give `path` this content, replacing what was there. On return it survives a power cut; on StoreError the old
    content is still there, or the new one if only the last flush failed."""
    with explained("write", path, len(data)):
        temporary = _write_temporary(path.parent, data)
        try:
            os.replace(temporary, path)
        except BaseException:
            _discard(temporary)
            raise
        sync_folder(path.parent)


def create_exclusive(path: Path, data: bytes) -> None:
    """As `write_atomic`, but raises FileExistsError when `path` is taken, also by another process just now."""
    with explained("create", path, len(data)):
        temporary = _write_temporary(path.parent, data)
        try:
            os.link(temporary, path)  # unlike a rename, a link never replaces
        finally:
            _discard(temporary)
        sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file; on return that survives a power cut."""
    with explained("remove", path):
        path.unlink()
        sync_folder(path.parent)


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
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_temporary(path: Path) -> bool:
    """Whether a file is what a killed writer left behind."""
    return path.name.startswith(TEMPORARY)


def _write_temporary(folder: Path, data: bytes) -> Path:
    # Two machines that share a disk may hold the same pid, hence the random part; it decides no result.
    path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        _discard(path)
        raise
    finally:
        os.close(descriptor)
    return path


def _discard(path: Path) -> None:
    # The error that brought us here matters more than a temporary file, which gc removes anyway.
    with suppress(OSError):
        os.unlink(path)
