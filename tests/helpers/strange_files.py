"""What must not lead out of a system, nor make anybody wait: links, pipes, folders and sockets at a path."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from munet.fs import folders

KINDS = ("link to a file", "link to a folder", "dangling link", "pipe", "folder", "socket", "link to what was there")
SECONDS = 10


class HangsError(Exception):
    """It took too long."""


def replace(path: Path, kind: str, outside: Path) -> None:
    """Put something strange at `path`, and in the new folder `outside` what was there and what its followers reach."""
    outside.mkdir()
    moved = outside / path.name
    if os.path.lexists(path):
        shutil.move(path, moved)
    else:
        moved.write_bytes(b"secret\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    file, folder = outside / "file.json", outside / "folder"
    file.write_bytes(b"secret\n")
    folder.mkdir()
    (folder / "secret.json").write_bytes(b"secret\n")
    if kind.startswith("link"):
        target = {"link to a file": file, "link to a folder": folder}.get(kind, moved)
        path.symlink_to(target)
    elif kind == "dangling link":
        path.symlink_to(outside / "made by a follower")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        here = os.getcwd()  # the address of a socket may take no more than some 100 characters
        os.chdir(path.parent)
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
        finally:
            os.chdir(here)


def state_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder: content, and time of the last change."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.lstat().st_mtime_ns) if path.is_file() else (b"", 0)
        for path in sorted(folder.rglob("*"))
    }


def not_read(folder: Path) -> None:
    """Set the times of the files below a folder so that reading one changes them, also where times are kept lazily."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 2))


def were_read(folder: Path) -> list[str]:
    """Files that were read since `not_read`."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.stat().st_atime != 1]


@contextmanager
def in_time(seconds: int = SECONDS) -> Iterator[None]:
    """HangsError in place of waiting for ever."""

    def ring(signal: int, frame: object) -> None:
        raise HangsError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def follow_links(patch: pytest.MonkeyPatch) -> None:
    """Make a store of one that follows links and opens whatever there is, as a naive one would be."""

    def opened(folder: folders.Folder, entry: str, flags: int = os.O_RDONLY) -> int:
        return os.open(folder.name(entry), flags, 0o666, dir_fd=folder.at)

    def step(folder: folders.Folder, parts: tuple[str, ...], flags: int) -> int:
        return os.open(folder.name(parts[-1]), flags, dir_fd=folder.at)

    patch.setattr("munet.fs.tree.open_plain", opened)
    patch.setattr("munet.fs.locks.open_plain", opened)
    patch.setattr(folders, "_step", step)
    patch.setattr(folders.Folder, "state", lambda self, entry: os.stat(self.name(entry), dir_fd=self.at))
