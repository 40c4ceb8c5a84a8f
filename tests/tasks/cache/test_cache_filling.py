"""What `add` reads is kept decoded: training finds the pixels that it would decode, and decodes none."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import munet
from munet import tasks
from munet.errors import InputError
from munet.store.schema import TaskData
from munet.tasks import TaskOptions, images
from munet.tasks.cache import decode as making
from munet.tasks.cache.filling import Filling
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.cache.splits import Splits

INPUT = 16  # pixels of the model; images come to 32


def added(source: str, options: TaskOptions = tasks.record.AS_IT_IS) -> TaskData:
    with Filling(INPUT) as filling:
        return tasks.add("t", source, options, taking=filling)


def folders(root: Path, shapes: dict[str, list[tuple[int, ...]]], *, count: int = 12, suffix: str = "png") -> Path:
    """Split folders of two classes, each with `count` noisy images of the shapes in turn."""
    rng = np.random.default_rng(5)
    for split, some in shapes.items():
        for row in range(2 * count):
            file = root / split / "ab"[row % 2] / f"{row}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            shape = some[row % len(some)]
            coarse = rng.integers(0, 256, (shape[0] // 8 + 1, shape[1] // 8 + 1, *shape[2:]), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((shape[1], shape[0]))
            exif = Image.Exif()
            exif[0x0112] = 6 if suffix == "jpg" and row % 3 == 0 else 1  # on its side
            image.save(file, exif=exif)
    return root


LAYOUTS: dict[str, dict[str, list[tuple[int, ...]]]] = {
    "one small size": {"train": [(20, 24)], "val": [(20, 24)], "test": [(20, 24)]},
    "one large size": {"train": [(40, 50, 3)], "val": [(40, 50, 3)], "test": [(9, 9)]},
    "mixed sizes": {"train": [(20, 24), (30, 24, 3)], "val": [(40, 50, 3), (9, 9)], "test": [(9, 9)]},
    "colours in test only": {"train": [(20, 24)], "val": [(20, 24)], "test": [(60, 24), (20, 24, 3)]},
    "photographs": {"train": [(300, 400, 3), (90, 91, 3)], "val": [(300, 400, 3)], "test": [(600, 500)]},
    "photographs to judge": {"train": [(24, 24)], "val": [(301, 400, 3)], "test": [(603, 500)]},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_training_finds_what_it_would_decode(
    folder: Path, tmp_path: Path, work: list[str], monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    source = folders(tmp_path / "d", LAYOUTS[layout], suffix="jpg" if "photo" in layout else "png")
    options = TaskOptions(skip_bad=True)
    (source / "train" / "a" / "bad.png").write_bytes(b"no image")
    record = added(f"folder:{source}", options)
    assert record == tasks.add("t", f"folder:{source}", options)
    expected = {split: tasks.load(record, split, side=2 * INPUT) for split in record["splits"]}
    work.clear()
    monkeypatch.setattr(images, "_decode_bytes", lambda *_: pytest.fail("an image is decoded again"))
    for split, wanted in expected.items():
        got = Splits().get(record, split, INPUT)
        np.testing.assert_array_equal(got.images, wanted.images)
        np.testing.assert_array_equal(got.labels, wanted.labels)
        assert got.bad == wanted.bad
    assert "decode" not in work


@pytest.mark.parametrize("tail", ["", "?order=shuffled"])
def test_arrays_are_kept_with_the_hash_of_their_files(folder: Path, npz: Path, work: list[str], tail: str) -> None:
    record = added(f"npz:{npz}{tail}")
    expected = tasks.load(record, "train", side=2 * INPUT)
    work.clear()
    np.testing.assert_array_equal(Splits().get(record, "train", INPUT).images, expected.images)
    assert work == ["files"]


def test_what_is_added_and_updated_in_a_system_is_there(
    folder: Path, tmp_path: Path, tiny_folder: Path, work: list[str]
) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    source = folders(tmp_path / "d", {"train": [(40, 24, 3)], "val": [(40, 24, 3)], "test": [(40, 24, 3)]})
    system.add_task("t", f"folder:{source}")
    for _ in range(2):
        Splits().check(system.task("t"), system.models.image_size)
        (source / "train" / "a" / "new.png").write_bytes((tiny_folder / "disc").glob("*.png").__next__().read_bytes())
        system.update_task("t")
    assert "decode" not in work


def test_small_and_quick_tasks_are_not_worth_files(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "SMALL", 64 << 20)
    monkeypatch.setattr(making, "QUICK", float("inf"))
    added(f"npz:{npz}")
    assert not list(folder.glob("*.npy"))
    monkeypatch.setattr(making, "SMALL", 60_000)  # train alone has less, all three have more
    added(f"npz:{npz}")
    assert len(list(folder.glob("*.images.npy"))) == 3


def test_a_task_that_is_refused_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    source = folders(tmp_path / "d", {"train": [(20, 24)], "test": [(20, 24)]})
    (source / "test" / "a" / "twice.png").write_bytes((source / "train" / "a" / "0.png").read_bytes())
    with pytest.raises(InputError, match="is in train too"):
        added(f"folder:{source}")
    assert [path.name for path in folder.iterdir()] == []


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_full_disk_is_no_reason_to_fail(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    real, writes = FileRows._write, []

    def write(self: FileRows, data: Any) -> None:
        writes.append(len(data))
        if len(writes) >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, data)

    monkeypatch.setattr(FileRows, "_write", write)
    assert added(f"npz:{npz}") == tasks.add("t", f"npz:{npz}")
    assert [path.name for path in folder.iterdir()] == []


@pytest.mark.parametrize("size", ["0", "10000"])
def test_the_bound_holds(folder: Path, npz: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setenv("MUNET_CACHE_SIZE", size)
    added(f"npz:{npz}")
    assert [path.name for path in folder.iterdir()] == []


def test_without_a_folder_a_task_is_added(folder: Path, npz: Path) -> None:
    folder.parent.write_text("in the way")
    assert added(f"npz:{npz}") == tasks.add("t", f"npz:{npz}")
