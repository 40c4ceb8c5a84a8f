"""Whole files or none, and errors that say what to do."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from munet.errors import StoreError
from munet.fs import atomic as files
from munet.fs.atomic import make_folder, write_atomic
from munet.fs.tree import Tree
from store_tools import Faults, temporary_files_in


def test_write_makes_and_replaces(tmp_path: Path):
    path = tmp_path / "x"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_create_refuses_what_exists_and_leaves_it(tmp_path: Path):
    path = tmp_path / "x"
    Tree(tmp_path).create(path, b"first")
    with pytest.raises(FileExistsError):
        Tree(tmp_path).create(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_flushed_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """fsync of the file, then its name, then fsync of the folder: the order that a power cut cannot break."""
    log: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        log.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        real_fsync(descriptor)

    def replace(a: str, b: str, **folders: int) -> None:
        log.append("name")
        real_replace(a, b, **folders)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomic(tmp_path / "x", b"data")
    assert log == ["file", "name", "folder"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    data = bytes(range(250))
    write_atomic(tmp_path / "x", data)
    assert (tmp_path / "x").read_bytes() == data


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EACCES, "no permission"),
        (errno.EPERM, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "check the disk"),
    ],
)
@pytest.mark.parametrize("call", ["open folder", "open", "write", "fsync", "replace"])
def test_every_failure_names_path_bytes_and_way_out(tmp_path: Path, error: int, way_out: str, call: str):
    path = tmp_path / "x"
    write_atomic(path, b"old")
    number = ["open folder", "open", "write", "fsync", "replace"].index(call) + 1
    with Faults(number, error).injected(), pytest.raises(StoreError) as caught:
        write_atomic(path, b"n" * 1234)
    message = str(caught.value)
    assert str(path) in message
    assert "1234 bytes" in message
    assert way_out in message
    assert "\n" not in message
    assert path.read_bytes() == b"old"
    assert temporary_files_in(tmp_path) == []


def test_failed_create_leaves_nothing(tmp_path: Path):
    for k in range(1, 5):
        with Faults(k, errno.ENOSPC).injected(), pytest.raises(StoreError, match="cannot create"):
            Tree(tmp_path).create(tmp_path / "x", b"data")
        assert list(tmp_path.iterdir()) == []


def test_interrupt_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "x", b"data")
    assert list(tmp_path.iterdir()) == []


def test_make_folder_makes_those_above_and_may_be_repeated(tmp_path: Path):
    for _ in range(2):
        make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_make_folder_flushes_the_folder_above_even_when_it_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another process may have made it and died before its own flush."""
    (tmp_path / "a").mkdir()
    flushed = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    make_folder(tmp_path / "a")
    assert flushed == [tmp_path]


def test_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match=r"cannot write .*gone/x \(4 bytes needed\): No such file or directory"):
        write_atomic(tmp_path / "gone" / "x", b"data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; EACCES is injected above instead")
def test_folder_without_permission(tmp_path: Path):
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StoreError, match="no permission"):
            write_atomic(tmp_path / "x", b"data")
    finally:
        tmp_path.chmod(0o755)


def test_real_file_size_limit(tmp_path: Path):
    """The kernel, not a mock, refuses the write: in a process of its own, for the limit cannot be raised again."""
    script = f"""
import resource, sys
from pathlib import Path
from munet.errors import StoreError
from munet.fs.atomic import write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
path = Path({str(tmp_path)!r}) / "x"
write_atomic(path, b"s" * 4096)
try:
    write_atomic(path, b"l" * 10000)
except StoreError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "10000 bytes needed" in run.stdout
    assert "ulimit -f" in run.stdout
    assert (tmp_path / "x").read_bytes() == b"s" * 4096
    assert temporary_files_in(tmp_path) == []
