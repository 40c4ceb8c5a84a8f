"""The folder of decoded splits: where it is, what goes there, how large it gets; damage, crashes, a full disk."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cache_tools import flip, names, one, same
from munet import tasks
from munet.errors import InputError
from munet.tasks import TaskOptions
from munet.tasks import cache as decoded
from munet.tasks.cache import DecodedFolder, cache_folder, cache_limit
from munet.tasks.cache import decode as making
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.cache.splits import Splits

TRAIN = 90 * 24 * 24  # bytes of the images of tiny_npz's train split


# damage, crashes, other processes


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty, os.unlink])
@pytest.mark.parametrize("suffix", [".images.npy", ".split.npz"])
def test_damaged_files_are_made_again(
    folder: Path, npz: Path, work: list[str], damage: Callable[[Path], None], suffix: str
) -> None:
    record = tasks.add("shapes", f"npz:{npz}")
    Splits().get(record, "train", 32)
    whole = {path.name: path.read_bytes() for path in folder.glob("*.np?")}
    damage(one(folder, suffix))
    work.clear()
    assert same(Splits().get(record, "train", 32), tasks.load(record, "train", side=64))
    assert work[0] == "decode"
    assert one(folder, ".images.npy").read_bytes() == whole[one(folder, ".images.npy").name]
    work.clear()
    Splits().get(record, "train", 32)
    assert "decode" not in work


def test_a_split_that_claims_to_be_encrypted_is_decoded_again(tmp_path: Path) -> None:
    decoded, key = DecodedFolder(tmp_path), "1" * 40
    rows = decoded.rows(2, (4, 4, 1))
    for value in (0, 255):
        rows.append(np.full((4, 4, 1), value, np.uint8))
    decoded.keep(key, rows, np.array([0, 1]), [], None)
    file = tmp_path / f"{key}.split.npz"
    data = file.read_bytes()
    flags = re.compile(rb"(?<=PK\x01\x02....).", re.DOTALL)  # of every member
    file.write_bytes(flags.sub(lambda match: b"\x01", data))
    assert decoded.open(key) is None
    assert not file.exists()


PROCESS = """
import hashlib, sys
from munet import tasks
from munet.tasks import TaskOptions
from munet.tasks.cache.splits import Splits
from munet.tasks.cache import decode as making, disk as folder
making.SMALL = 0
files, real = 0, folder.FileRows
class Counted(real):
    def __init__(self, *args):
        global files
        files += 1
        super().__init__(*args)
    def append(self, image):
        super().append(image)
        if "die" in sys.argv and self.count == 40:
            import os, signal
            self._flush()
            os.kill(os.getpid(), signal.SIGKILL)
folder.FileRows = Counted
record = tasks.add("shapes", sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
splits = Splits()
split = splits.get(record, "train", 32)
print(files, len(splits.notes), hashlib.sha256(split.images.tobytes() + split.labels.tobytes()).hexdigest())
"""


def start(npz: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROCESS, f"npz:{npz}", *more]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_at_once(folder: Path, npz: Path) -> None:
    processes = [start(npz) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(files for files, _, _ in answers) == ["0", "1"]  # one of them waited for the other
    assert {notes for _, notes, _ in answers} == {"0"}
    assert answers[0][2] == answers[1][2]
    assert len(names(folder)) == 2


def test_a_killed_writer_leaves_nothing_that_is_used(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(npz, "die")
    assert process.communicate("go\n")[0] == ""
    assert process.returncode == -9
    (left,) = folder.glob(".tmp*")
    record = tasks.add("shapes", f"npz:{npz}")
    assert same(Splits().get(record, "train", 32), tasks.load(record, "train", side=64))
    assert left.exists()  # its writer might still be there
    monkeypatch.setattr(decoded.disk, "_LEFT_OVER", -1e9)  # pyright: ignore[reportAttributeAccessIssue]
    with left.open("rb") as file:
        decoded.disk.fcntl.flock(file, decoded.disk.fcntl.LOCK_EX)  # pyright: ignore[reportAttributeAccessIssue]
        assert DecodedFolder().make_room(1) is None
        assert left.exists()  # it is
    assert DecodedFolder().make_room(1) is None
    assert not left.exists()


# a folder that cannot be used


def test_without_a_writable_folder_splits_stay_in_memory(
    folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.parent.write_text("in the way")
    record = tasks.add("shapes", f"npz:{npz}")
    splits = Splits()
    splits.check(record, 32)
    assert same(splits.get(record, "train", 32), tasks.load(record, "train", side=64))
    (note,) = splits.notes
    assert str(folder) in note
    assert "MUNET_CACHE" in note
    assert "\n" not in note


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_full_disk(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    real, writes = FileRows._write, []

    def write(self: FileRows, data: Any) -> None:
        writes.append(len(data))
        if len(writes) >= at:  # the header, the images, the header again
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, data)

    monkeypatch.setattr(FileRows, "_write", write)
    record = tasks.add("shapes", f"npz:{npz}")
    splits = Splits()
    assert same(splits.get(record, "train", 32), tasks.load(record, "train", side=64))
    assert [os.strerror(errno.ENOSPC) in note for note in splits.notes] == [True]
    assert names(folder) == []


def test_the_bound(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, work: list[str]) -> None:
    monkeypatch.setenv("MUNET_CACHE_SIZE", str(TRAIN + 2000))
    record = tasks.add("shapes", f"npz:{npz}")
    order = ("validation", "test", "train")
    for age, split in enumerate(order):
        Splits().get(record, split, 32)
        assert sum(path.stat().st_size for path in folder.glob("*.images.npy")) <= TRAIN + 2000
        for path in folder.glob("*.images.npy"):
            os.utime(path, (age, age))
    assert len(names(folder)) == 2  # the last one took the place of both
    work.clear()
    splits = Splits()
    held = splits.get(record, "train", 32)
    assert "decode" not in work
    splits.get(record, "test", 32)
    (note,) = splits.notes
    assert "in use" in note
    assert "MUNET_CACHE_SIZE" in note
    assert len(names(folder)) == 2
    assert same(held, tasks.load(record, "train", side=64))
    del held, splits
    Splits().get(record, "test", 32)
    assert TRAIN not in [path.stat().st_size - 128 for path in folder.glob("*.images.npy")]


@pytest.mark.parametrize("latest", ["validation", "test"])
def test_least_recently_used_go_first(
    folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, latest: str, work: list[str]
) -> None:
    monkeypatch.setenv("MUNET_CACHE_SIZE", "53000")  # room for two splits of 30 images, not for three
    record = tasks.add("shapes", f"npz:{npz}")
    for split in ("validation", "test"):
        Splits().get(record, split, 32)
    for path in folder.glob("*.images.npy"):
        os.utime(path, (1, 1))
    Splits().get(record, latest, 32)
    Splits().get(tasks.add("other", f"npz:{npz}", TaskOptions(test="train[:30]", allow_overlap=True)), "test", 32)
    work.clear()
    Splits().get(record, latest, 32)
    assert "decode" not in work
    assert len(names(folder)) == 4


def test_no_folder_is_wanted(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNET_CACHE_SIZE", "0")
    splits = Splits()
    splits.check(tasks.add("shapes", f"npz:{npz}"), 32)
    assert splits.notes == []
    assert not folder.exists()


# what goes there, where, and how much


def test_what_goes_to_the_folder(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tasks.add("shapes", f"npz:{npz}")
    monkeypatch.setattr(making, "SMALL", TRAIN)
    monkeypatch.setattr(making, "QUICK", 1e9)
    Splits().get(record, "test", 32)
    assert not folder.exists()  # small and quick
    Splits().get(record, "train", 32)
    assert len(names(folder)) == 2
    monkeypatch.setattr(making, "QUICK", 0.0)
    Splits().get(record, "test", 32)
    assert len(names(folder)) == 4  # small, but too slow


def test_cache_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_limit(10**9) == 10**8
    assert cache_limit(10**13) == 50 * 10**9
    for text, size in {
        "20GB": 20e9,
        "1.5g": 1.5e9,
        "500 M": 5e8,
        "12": 12,
        "0": 0,
        "2TB": 2e12,
        "7kB": 7e3,
        "1GiB": 2**30,
    }.items():
        monkeypatch.setenv("MUNET_CACHE_SIZE", text)
        assert cache_limit(1) == size
    for text in ("much", "-1", "1,5GB", "1e9", "٣"):
        monkeypatch.setenv("MUNET_CACHE_SIZE", text)
        with pytest.raises(InputError, match="MUNET_CACHE_SIZE"):
            Splits()


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("MUNET_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("MUNET_CACHE")
    assert cache_folder() == Path("/xdg/munet")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "munet"
