"""Advisory locks on files. The kernel drops them when their process dies, so none is ever left over."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from munet.errors import StoreError
from munet.fs.atomic import explained
from munet.fs.folders import open_plain, opened_folder


def shared(path: Path) -> AbstractContextManager[None]:
    """Wait for, then hold, a lock that any number of processes may hold at once."""
    # Reading is enough for a shared lock, so a system on a read-only disk can be checked.
    return _held(path, os.O_RDONLY, fcntl.LOCK_SH)


def exclusive(path: Path) -> AbstractContextManager[None]:
    """Wait for, then hold, a lock that excludes every other holder."""
    return _held(path, os.O_RDWR, fcntl.LOCK_EX)


@contextmanager
def _held(path: Path, flags: int, mode: int) -> Iterator[None]:
    with _opened(path, flags) as descriptor:
        with explained("lock", path):
            fcntl.flock(descriptor, mode)
        yield


@contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Hold an exclusive lock, or raise StoreError at once, naming the process that holds it."""
    with _opened(path, os.O_RDWR) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                with explained("lock", path):
                    raise
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            who = f"process {holder}" if holder else "another process"
            raise StoreError(
                f"{who} is already {doing} {path.parent}: wait for it or stop it first", kind="busy"
            ) from error
        # A file that has another name too may be anything: it serves as a lock, and keeps what it holds.
        if os.fstat(descriptor).st_nlink == 1:
            with explained("write", path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    # The file stays when the lock goes: removing it would let two processes lock two files of the same name.
    with explained("lock", path), opened_folder(path.parent, to_pass=True) as folder:
        descriptor = open_plain(folder, path.name, flags | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
