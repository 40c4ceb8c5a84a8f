"""The folder of decoded splits: the same pixels, for every process, and never a half-written or outdated one."""

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet import tasks
from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks import TaskOptions
from munet.tasks import cache as decoded
from munet.tasks.cache import DecodedFolder, cache_folder, cache_limit
from munet.tasks.cache import decode as making
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.cache.splits import Splits
from munet.tasks.reopen import RecordedSplit
from munet.training.images import ImageSet

TRAIN = 90 * 24 * 24  # bytes of the images of tiny_npz's train split


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".lock"))


def one(folder: Path, suffix: str) -> Path:
    (path,) = folder.glob(f"*{suffix}")
    return path


def same(split: tasks.Split, other: tasks.Split) -> bool:
    return np.array_equal(split.images, other.images) and np.array_equal(split.labels, other.labels)


def photos(root: Path) -> None:
    """Files of two classes, many sizes, grey and coloured, one damaged."""
    rng = np.random.default_rng(3)
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for row in range(30):
            shape = (20 + row, 40, 3) if row % 3 else (20 + row, 30)
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(root / name / f"{row}.png")
    (root / "a" / "7.png").write_bytes(b"no image")


# what comes back


def test_mapped_splits_are_those_in_memory(folder: Path, npz: Path, tmp_path: Path, work: list[str]) -> None:
    photos(tmp_path / "photos")
    for record in (
        tasks.add("shapes", f"npz:{npz}"),
        tasks.add("shuffled", f"npz:{npz}?order=shuffled"),
        tasks.add("photos", f"folder:{tmp_path / 'photos'}", TaskOptions(skip_bad=True)),
    ):
        expected = {split: tasks.load(record, split, side=32) for split in record["splits"]}
        for again in (False, True):
            splits = Splits()
            work.clear()
            for split, wanted in expected.items():
                got = splits.get(record, split, 16)
                assert same(got, wanted)
                assert got.bad == wanted.bad
            assert ("decode" not in work) == again
            assert splits.notes == []
    assert len(names(folder)) == 2 * 9
    assert not list(folder.glob(".tmp*"))


def test_training_takes_a_mapped_split_without_a_copy(folder: Path, npz: Path) -> None:
    split = Splits().get(tasks.add("shapes", f"npz:{npz}"), "train", 32)
    assert split.images.flags.writeable
    images = ImageSet.of(split, "cpu").images
    assert images.data_ptr() == split.images.ctypes.data
    stored = one(folder, ".images.npy").read_bytes()
    images[0] = 7
    assert split.images[0, 0, 0, 0] == 7
    assert one(folder, ".images.npy").read_bytes() == stored


def test_small_images_serve_all_input_sizes(folder: Path, npz: Path, work: list[str]) -> None:
    record = tasks.add("shapes", f"npz:{npz}")  # 24x24
    for size, decodings in ((16, 1), (48, 1), (8, 2), (32, 2), (8, 2), (12, 2)):
        side = min(24, 2 * size)
        assert Splits().get(record, "train", size).images.shape[1:3] == (side, side)
        assert work.count("decode") == decodings


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


# sources that changed


def test_a_changed_source_is_refused(folder: Path, npz: Path, work: list[str]) -> None:
    record = tasks.add("shapes", f"npz:{npz}")
    before = tasks.load(record, "train", side=64)
    Splits().get(record, "train", 32)
    kept = (npz / "train.npz").read_bytes()
    with np.load(npz / "train.npz") as arrays:
        images, labels = arrays["image"].copy(), arrays["label"]
    np.savez(npz / "train.npz", image=images, label=labels)  # other bytes, same content
    assert same(Splits().get(record, "train", 32), before)
    images[3, 4, 5] ^= 1
    np.savez(npz / "train.npz", image=images, label=labels)
    with pytest.raises(InputError, match="train holds other images or labels"):
        Splits().get(record, "train", 32)
    for decodings in (1, 0):
        work.clear()
        changed = Splits(allow_changed=True).get(record, "train", 32)
        assert np.array_equal(changed.images[..., 0], images)
        assert work.count("decode") == decodings
    with pytest.raises(InputError, match="train holds other images or labels"):
        Splits().get(record, "train", 32)
    (npz / "train.npz").write_bytes(kept)
    for allow in (False, True):
        assert same(Splits(allow_changed=allow).get(record, "train", 32), before)


def test_a_changed_file_is_refused(folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(tiny_folder, tmp_path / "data"))
    record = tasks.add("shapes", f"folder:{data}")
    splits = Splits()
    splits.check(record, 32)
    seen = dict(splits.seen)
    assert len(seen) == 3
    for path in data.rglob("*.png"):
        times = path.stat()
        flip(path)  # the same size, and the same times as far as a program can pretend
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    for split in record["splits"]:
        with pytest.raises(InputError, match=f"{split} holds other images or labels"):
            Splits(seen=seen).get(record, split, 32)


def test_what_is_refused_while_it_is_decoded_leaves_nothing(folder: Path, npz: Path) -> None:
    record = tasks.add("shapes", f"npz:{npz}")
    shutil.copy(npz / "test.npz", npz / "validation.npz")
    with pytest.raises(InputError, match="validation holds other images or labels"):
        Splits().get(record, "validation", 32)
    assert names(folder) == []


def test_a_source_that_changes_while_it_is_decoded(
    folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, work: list[str]
) -> None:
    record, real = tasks.add("shapes", f"npz:{npz}"), RecordedSplit.read

    def read(self: RecordedSplit, *args: Any) -> Any:
        reading = real(self, *args)
        shutil.copy(npz / "test.npz", npz / "validation.npz")
        return reading

    monkeypatch.setattr(RecordedSplit, "read", read)
    splits = Splits()
    splits.get(record, "validation", 32)  # what was read was right
    assert splits.seen == {}
    with pytest.raises(InputError, match="validation holds other images or labels"):
        Splits().get(record, "validation", 32)


def test_a_source_whose_files_are_not_known(folder: Path, tmp_path: Path, npz: Path, work: list[str]) -> None:
    import datasets

    with np.load(npz / "train.npz") as arrays:
        values = {"image": [Image.fromarray(image) for image in arrays["image"]], "label": arrays["label"].tolist()}
    columns = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"])})
    datasets.Dataset.from_dict(values, features=columns).to_parquet(tmp_path / "set.parquet")
    record = tasks.add(
        "set", f"hf:{tmp_path / 'set.parquet'}", TaskOptions(test="train[:30]", validation="train[30:60]")
    )
    expected = Splits().get(record, "train", 32)
    work.clear()
    splits = Splits()
    assert same(splits.get(record, "train", 32), expected)
    assert work == ["hash"]
    assert splits.seen == {}  # nothing that another process could go by


def test_the_source_is_read_once_in_a_process(folder: Path, npz: Path, tiny_folder: Path, work: list[str]) -> None:
    for address, check in ((f"npz:{npz}", "files"), (f"folder:{tiny_folder}", "hash")):
        record = tasks.add("shapes", address)
        Splits().get(record, "train", 32)
        work.clear()
        splits = Splits()
        splits.get(record, "train", 32)
        splits._held.clear()
        splits.get(record, "train", 32)
        Splits(seen=splits.seen).get(record, "train", 32)
        assert work == [check]


def test_missing_data_is_one_line_with_its_path(folder: Path, npz: Path, tmp_path: Path) -> None:
    record = tasks.add("shapes", f"npz:{npz}")
    Splits().get(record, "train", 32)
    npz.rename(tmp_path / "moved")
    for source in (record["source"], f"hf:{npz}", f"folder:{npz}?order=stored"):
        absent: TaskData = {**record, "source": source}
        with pytest.raises(InputError) as caught:
            Splits().get(absent, "train", 32)
        assert str(caught.value).startswith(
            f"{npz}: there is no such folder or file on this machine, but task 'shapes'"
        )
        assert "\n" not in str(caught.value)


# damage, crashes, other processes


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


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


# where, and how much


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
