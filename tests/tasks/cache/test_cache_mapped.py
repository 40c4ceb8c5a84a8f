"""Decoded splits that come from files: the same pixels as in memory, and never those of a source that changed."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cache_tools import flip, names, one, same
from munet import tasks
from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks import TaskOptions
from munet.tasks.cache.splits import Splits
from munet.tasks.reopen import RecordedSplit
from munet.training.images import ImageSet


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
