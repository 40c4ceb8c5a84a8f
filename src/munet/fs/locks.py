"""Advisory locks on files. The kernel drops them when their process dies, so none is ever left over.

A lock binds only those who write: its file can be opened by nobody else, for whoever may open a file may also lock it,
and would hold up everybody. Who waits for more than two seconds is told for whom.
"""

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from munet.errors import StoreError
from munet.fs.atomic import explained
from munet.fs.folders import open_plain, opened_folder
from munet.fs.lock_holders import mark, who_holds

PATIENCE = 2.0  # seconds of waiting in silence
_logger = logging.getLogger("munet")


@dataclass
class _Shared:
    """A shared lock as this process holds it: once, however many of its threads are inside."""

    mutex: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    descriptor: int = -1
    process: int = 0


_shared: dict[str, _Shared] = {}
os.register_at_fork(after_in_child=_shared.clear)  # what the parent holds is not the child's


@contextmanager
def shared(path: Path, turn: Path) -> Iterator[None]:
    """Wait for, then hold, a lock that any number of processes may hold at once. Calls nest, also across threads.

    Whoever holds `turn` is waiting for its turn: then nobody new comes in, or that would take for ever.
    """
    entry = _shared.setdefault(str(path), _Shared())
    with entry.mutex:
        if entry.inside == 0:
            try:
                _take(entry, path, turn)
                entry.inside = 1
            except BaseException:  # an interrupt too: a notebook lives on, and would hold the lock as long as that
                entry.inside = 0
                _release(entry)
                raise
        else:
            entry.inside += 1
    try:
        yield
    finally:
        with entry.mutex:
            entry.inside -= 1
            if entry.inside == 0:
                _release(entry)


def _take(entry: _Shared, path: Path, turn: Path) -> None:
    with _opened(turn) as door:
        _wait(door, fcntl.LOCK_SH, turn)
        entry.descriptor, entry.process = _open(path), os.getpid()
        _wait(entry.descriptor, fcntl.LOCK_SH, path)
    mark(entry.descriptor)


def _release(entry: _Shared) -> None:
    if entry.descriptor < 0:
        return
    if entry.process == os.getpid():  # a process that was forked inside must not let go what its parent holds
        fcntl.flock(entry.descriptor, fcntl.LOCK_UN)  # closing is not enough while such a one lives
    os.close(entry.descriptor)
    entry.descriptor = -1


@contextmanager
def exclusive(path: Path, turn: Path | None = None) -> Iterator[None]:
    """Wait for, then hold, a lock that excludes every other holder. With the `turn` of `shared`, nobody new comes in
    before this one."""
    with _opened(path) as descriptor:
        if turn is None:
            _wait(descriptor, fcntl.LOCK_EX, path)
        else:
            with _opened(turn) as door:
                _wait(door, fcntl.LOCK_EX, turn)
                mark(door)
                _wait(descriptor, fcntl.LOCK_EX, path)
        mark(descriptor)
        yield


@contextmanager
def alone(path: Path, doing: str) -> Iterator[None]:
    """Hold an exclusive lock, or raise StoreError at once, naming the process that holds it."""
    with _at_once(path, fcntl.LOCK_EX, doing):
        yield


@contextmanager
def among(path: Path, doing: str) -> Iterator[None]:
    """Hold a lock that others may share, or raise StoreError at once, naming the process that holds it alone."""
    with _at_once(path, fcntl.LOCK_SH, doing):
        yield


@contextmanager
def _at_once(path: Path, mode: int, doing: str) -> Iterator[None]:
    with _opened(path) as descriptor:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                with explained("lock", path):
                    raise
            raise StoreError(
                f"{who_holds(descriptor)} is already {doing} {path.parent}: wait for it or stop it first", kind="busy"
            ) from error
        mark(descriptor)
        yield


def _wait(descriptor: int, mode: int, path: Path) -> None:
    """Take a lock, however long that takes; say for whom this waits if it is long."""
    with explained("lock", path):
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        else:
            return
        with _telling(lambda: f"waiting for {who_holds(descriptor)}, which holds {path}"):
            fcntl.flock(descriptor, mode)


@contextmanager
def _telling(text: Callable[[], str]) -> Iterator[None]:
    timer = threading.Timer(PATIENCE, lambda: _logger.warning(text()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    # The file stays when the lock goes: removing it would let two processes lock two files of the same name.
    descriptor = _open(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    with explained("lock", path), opened_folder(path.parent, to_pass=True) as folder:
        descriptor = open_plain(folder, path.name, os.O_RDWR | os.O_CREAT)
    _keep_for_writers(descriptor)
    return descriptor


def _keep_for_writers(descriptor: int) -> None:
    """Take the permission to read from those who may not write."""
    found = os.fstat(descriptor)
    writers = found.st_mode & 0o222
    wanted = writers | writers << 1
    if found.st_mode & 0o666 != wanted and found.st_uid == os.geteuid() and found.st_nlink == 1:
        with suppress(OSError):  # not on every file system; then it is as before
            os.fchmod(descriptor, wanted)
