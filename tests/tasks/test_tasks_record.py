"""Adding a task and reading it back: the record, what is refused, fingerprints, unusable images, names."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet import tasks
from munet.errors import InputError
from munet.tasks import TaskOptions
from munet.tasks.cache import decode
from munet.tasks.cache.splits import Splits
from munet.tasks.reopen import find_split


def refused(call: Any, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


# the record


def test_record_of_an_npz_task(tiny_npz: Path) -> None:
    record = tasks.add("digits", f"npz:{tiny_npz}", TaskOptions(train="train[10:]", private=True))
    fingerprints = [split.pop("fingerprint") for split in record["splits"].values()]
    assert len(set(fingerprints)) == 3
    assert str(record.pop("fingerprint")).startswith("sha256:")
    counts = {"train": 90, "validation": 30, "test": 30}
    assert [split.pop("counts") for split in record["splits"].values()] == [{part: n} for part, n in counts.items()]  # type: ignore[misc]
    assert [(split.pop("size"), split.pop("channels")) for split in record["splits"].values()] == [([24, 24], 1)] * 3  # type: ignore[misc]
    assert record == {
        "name": "digits",
        "source": f"npz:{tiny_npz}",
        "private": True,
        "classes": ["0", "1", "2"],
        "splits": {
            "train": {"expression": "train[10:]", "ranges": [["train", 10, 90]], "examples": 80},
            "validation": {"expression": "validation", "ranges": [["validation", 0, 30]], "examples": 30},
            "test": {"expression": "test", "ranges": [["test", 0, 30]], "examples": 30},
        },
        "skip_bad": False,
        "skipped": 0,
    }
    assert json.loads(json.dumps(record)) == record


def test_load_gives_the_stored_pixels(tiny_npz: Path) -> None:
    record = tasks.add("digits", f"npz:{tiny_npz}", TaskOptions(train="train[80:]+train[:5]"))
    split = tasks.load(json.loads(json.dumps(record)), "train", side=32)
    with np.load(tiny_npz / "train.npz") as stored:
        rows = [*range(80, 90), *range(5)]
        np.testing.assert_array_equal(split.images, stored["image"][rows][..., None])
        np.testing.assert_array_equal(split.labels, stored["label"][rows])
    assert split.images.dtype == np.uint8
    assert split.labels.dtype == np.int64
    assert tasks.load(record, "val").images.shape == (30, 24, 24, 1)
    assert tasks.load(record, "test", side=16).images.shape == (30, 16, 16, 1)
    refused(lambda: tasks.load(record, "tets"), "no split 'tets'", "did you mean 'test'")


def test_folder_task_is_cut_by_the_papers_rule(tiny_folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    record = tasks.add("shapes", f"folder:{tiny_folder}", progress=lambda done, total: seen.append((done, total)))
    assert {name: (split["expression"], split["examples"]) for name, split in record["splits"].items()} == {
        "train": ("train[10%:]", 135),
        "validation": ("train[5%:10%]", 7),
        "test": ("train[:5%]", 8),
    }
    assert seen[-1] == (150, 150)
    assert seen == sorted(seen)
    loaded = [tasks.load(record, name, side=24) for name in ("train", "validation", "test")]
    together = np.concatenate([split.images.reshape(-1, 24 * 24) for split in loaded])
    assert len(np.unique(together, axis=0)) == 150


def test_mixed_sizes_and_channels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for label, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        for row in range(30):
            shape = (10 + row, 20, 3) if label else (40, 50)
            Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / name / f"{row}.png")
    record = tasks.add("mixed", f"folder:{tmp_path}?order=shuffled")
    split = tasks.load(record, "train", side=16)
    assert split.images.shape == (54, 16, 16, 3)
    grey = split.images[split.labels == 0]
    np.testing.assert_array_equal(grey[..., 0], grey[..., 2])
    assert tasks.load(record, "train", side=64).images.shape == (54, 64, 64, 3)
    refused(lambda: tasks.load(record, "train"), "different sizes")


# what is refused


def make_npz(folder: Path, labels: Any, images: np.ndarray | None = None) -> str:
    labels = np.asarray(labels)
    rng = np.random.default_rng(0)
    images = rng.integers(2, 255, (len(labels), 4, 4), dtype=np.uint8) if images is None else images
    np.savez(folder / "train.npz", image=images, label=labels)
    return f"npz:{folder}"


def test_classes_that_cannot_be_learned(tmp_path: Path) -> None:
    alternate = np.arange(100) % 2
    refused(lambda: tasks.add("t", make_npz(tmp_path, alternate * 0)), "at least 2 classes")
    lonely = alternate.copy()
    lonely[50] = 2
    refused(lambda: tasks.add("t", make_npz(tmp_path, lonely)), "class '2' has one usable image only")
    late = alternate.copy()
    late[[0, 1]] = 2  # both in train[:5%], which becomes the test split
    as_stored = f"{make_npz(tmp_path, late)}?order=stored"
    refused(lambda: tasks.add("t", as_stored), "train 'train[10%:]' has no example of class '2'", "shuffle")


def test_data_sorted_by_class(tmp_path: Path) -> None:
    address = make_npz(tmp_path, np.arange(100) // 50)
    as_stored = f"{address}?order=stored"
    refused(lambda: tasks.add("t", as_stored), "validation 'train[5%:10%]' holds class '0' only", "sorted by class")
    refused(lambda: tasks.add("t", address, TaskOptions(train="train[:40]")), "has no example of class '1'")
    record = tasks.add("t", f"{address}?order=shuffled")
    assert record["source"] == f"{address}?order=shuffled"
    assert set(tasks.load(record, "train").labels.tolist()) == {0, 1}


def test_split_arguments(tiny_npz: Path) -> None:
    address = f"npz:{tiny_npz}"
    refused(lambda: tasks.add("t", address, TaskOptions(train="trian")), "did you mean 'train'", "validation (30)")
    refused(lambda: tasks.add("t", address, TaskOptions(test="test[:31]")), "outside")
    refused(
        lambda: tasks.add("t", address, TaskOptions(validation="train[:9]", train="train")),
        "overlap",
        "--allow-overlap",
    )
    record = tasks.add("t", address, TaskOptions(validation="train[:9]", train="train", allow_overlap=True))
    assert record["splits"]["train"]["examples"] == 90


# unusable images


def break_two(folder: Path) -> tuple[Path, Path]:
    first, second = sorted((folder / "disc").iterdir())[:2]
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:60])
    return first, second


def test_a_damaged_file_is_named_or_skipped(tiny_folder: Path, tmp_path: Path) -> None:
    folder = copy(tiny_folder, tmp_path)
    broken = break_two(folder)
    with pytest.raises(InputError, match=r"--skip-bad") as caught:
        tasks.add("shapes", f"folder:{folder}")
    assert str(caught.value).startswith(tuple(map(str, broken)))
    record = tasks.add("shapes", f"folder:{folder}", TaskOptions(skip_bad=True))
    assert (record["skip_bad"], record["skipped"]) == (True, 2)
    loaded = [tasks.load(record, name, side=24) for name in ("train", "validation", "test")]
    assert sum(len(split.images) for split in loaded) == 148
    assert [len(split.images) for split in loaded] == [split["examples"] for split in record["splits"].values()]
    assert sorted(reason.split(":")[0] for split in loaded for reason in split.bad) == sorted(map(str, broken))
    for split in loaded:
        assert len(split.images) == len(split.labels)


def test_skipping_may_leave_too_little(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((100, 4, 4))
    labels = np.arange(100) % 2
    images[1::2][:-1] = np.nan  # of class 1, one image can be read
    address = make_npz(tmp_path, labels, images)
    refused(lambda: tasks.add("t", address), "image[11]: NaN or infinite", "--skip-bad")
    refused(lambda: tasks.add("t", address, TaskOptions(skip_bad=True)), "class '1' has one usable image only")
    images[:] = np.nan
    refused(
        lambda: tasks.add("t", make_npz(tmp_path, labels, images), TaskOptions(skip_bad=True)),
        "no usable image is left",
    )


def test_skipped_rows_keep_labels_in_step(tmp_path: Path) -> None:
    images = np.tile(np.linspace(0.2, 1, 100)[:, None, None], (1, 4, 4))
    images[[20, 50]] = np.inf
    record = tasks.add("t", make_npz(tmp_path, np.arange(100) % 2, images), TaskOptions(skip_bad=True))
    split = tasks.load(record, "train")
    rows = [row for row in range(10, 100) if row not in (20, 50)]
    assert split.labels.tolist() == [row % 2 for row in rows]
    np.testing.assert_array_equal(split.images[:, 0, 0, 0], np.rint(255 * images[rows, 0, 0]))
    assert len(split.bad) == 2


# fingerprints


def test_same_content_has_the_same_fingerprint_anywhere(tiny_folder: Path, tmp_path: Path) -> None:
    one = tasks.add("a", f"folder:{tiny_folder}")
    two = tasks.add("b", f"folder:{copy(tiny_folder, tmp_path)}")
    assert one["fingerprint"] == two["fingerprint"]


def test_changed_pixels_are_refused_unless_allowed(tiny_npz: Path, tmp_path: Path) -> None:
    folder = copy(tiny_npz, tmp_path)
    record = tasks.add("digits", f"npz:{folder}")
    with np.load(folder / "train.npz") as stored:
        images, labels = stored["image"], stored["label"]
    images[40, 3, 3] ^= 1
    np.savez(folder / "train.npz", image=images, label=labels)
    refused(
        lambda: tasks.load(record, "train"),
        "'digits'",
        "changed since it was added",
        "munet update SYSTEM digits",
        "--allow-changed",
    )
    assert len(tasks.load(record, "train", allow_changed=True).images) == 90
    assert len(tasks.load(record, "test").images) == 30, "the test split is as it was"
    images[40, 3, 3] ^= 1
    labels[[0, 1]] = labels[[1, 0]] if labels[0] != labels[1] else (labels[0] + 1) % 3
    np.savez(folder / "train.npz", image=images, label=labels)
    refused(lambda: tasks.load(record, "train"), "changed since it was added")
    np.savez(folder / "train.npz", image=images[:50], label=labels[:50])
    refused(lambda: tasks.load(record, "train"), "train[:90] is needed", "train (50 examples)")


def test_exchanged_files_and_other_classes_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    folder = copy(tiny_folder, tmp_path)
    record = tasks.add("shapes", f"folder:{folder}")
    first, second = next((folder / "disc").iterdir()), next((folder / "vertical").iterdir())
    content = first.read_bytes(), second.read_bytes()
    first.write_bytes(content[1])
    second.write_bytes(content[0])
    changed = 0
    for name in ("train", "validation", "test"):
        try:
            tasks.load(record, name, side=24)
        except InputError:
            changed += 1
    assert changed >= 1
    (folder / "vertical").rename(folder / "upright")
    refused(lambda: tasks.load(record, "train", side=24, allow_changed=True), "classes", "no longer those")
    shutil.rmtree(folder)
    refused(lambda: tasks.load(record, "train", side=24), str(folder), "no such folder")


# names and weight


@pytest.mark.parametrize("name", ["mnist", "a-b_c.1", "數字", "हिन्दी", "ñandú", "1", "x" * 100, "é" * 50])
def test_allowed_names(name: str) -> None:
    assert tasks.check_name(name) == name


def test_names_are_normalised() -> None:
    assert tasks.check_name("e\u0301") == "\u00e9"


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".hidden", "a\\b", "a b", "a\n", "a\0", "-x", "x" * 101, "é" * 51, "a:b", "a*", "\ud800"]
)
def test_refused_names(name: str) -> None:
    with pytest.raises(InputError, match=r"^[^\n]*task name[^\n]*$"):
        tasks.check_name(name)


def test_importing_tasks_is_light() -> None:
    code = "import sys, munet.tasks; print([m for m in ('numpy', 'PIL', 'datasets', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert tasks.decode_image(np.zeros((2, 2), np.uint8)).shape == (2, 2, 1)
    with pytest.raises(AttributeError, match="nothing"):
        _ = tasks.nothing  # type: ignore[attr-defined]


# real image sets


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "counts", "classes", "shape"),
    [
        ("femnist_digits6k", (4496, 300, 1200), 10, (28, 28, 1)),
        ("letters_az6k", (4450, 297, 1187), 26, (28, 28, 1)),
        ("cmaterdb_telugu", (2375, 125, 500), 10, (32, 32, 3)),
        ("omniglot32_drawers", (22722, 3246, 6492), 1623, (32, 32, 1)),
        ("gtsrb", (3100, 460, 880), 43, (32, 32, 3)),
    ],
)
def test_real_sets(real_data: Path, name: str, counts: tuple[int, ...], classes: int, shape: tuple[int, ...]) -> None:
    record = tasks.add(name, f"npz:{real_data / name}", TaskOptions(allow_duplicates=True))
    assert tuple(split["examples"] for split in record["splits"].values()) == counts
    assert len(record["classes"]) == classes
    split = tasks.load(record, "validation", side=64)
    assert split.images.shape == (counts[1], *shape)
    with np.load(real_data / name / "validation.npz") as stored:
        np.testing.assert_array_equal(split.images.reshape(stored["image"].shape), stored["image"])
        np.testing.assert_array_equal(split.labels, stored["label"])


@pytest.mark.real_data
def test_real_photos_as_files(real_data: Path, tmp_path: Path) -> None:
    """Photographs of flowers written as JPEG, PNG and WebP files, at other sizes, read back by class."""
    with np.load(real_data / "tf_flowers" / "validation.npz") as stored:
        images, labels = stored["image"], stored["label"]
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / f"flower{label}"
        folder.mkdir(exist_ok=True)
        picture = Image.fromarray(image).resize((48 + row, 64))
        picture.save(folder / f"{row}.{('jpg', 'png', 'webp')[row % 3]}")
    record = tasks.add("flowers", f"folder:{tmp_path}", TaskOptions(validation="train[:20%]", test="train[20%:40%]"))
    assert [split["examples"] for split in record["splits"].values()] == [110, 37, 37]
    split = tasks.load(record, "train", side=48)
    assert split.images.shape == (110, 48, 48, 3)
    means = {label: images[labels == label].mean(axis=0) for label in range(5)}
    for label, mean in means.items():
        found = split.images[split.labels == label].mean(axis=0)
        assert np.abs(found - mean).mean() < 25


# white


def test_the_white_of_a_task_holds_for_its_files_and_for_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (40, 9, 9), dtype=np.uint16)
    for row, image in enumerate(values):
        file = tmp_path / "images" / "ab"[row % 2] / f"{row}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    address = f"folder:{tmp_path / 'images'}"
    refused(lambda: tasks.add("dark", address), "almost black", "?white=4095", "?white=65535")
    record = tasks.add("bright", f"{address}?white=4095&order=shuffled")
    loaded = tasks.load(record, "test", side=32)
    found = find_split(record, "test")
    form = found.form(32)
    for row, (split, start, _) in enumerate(found.ranges):
        file = found.source.name(split, start)
        np.testing.assert_array_equal(form.picture(file), loaded.images[row])
    dark = {**record, "source": f"{address}?white=65535&order=shuffled"}
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(decode, "QUICK", -1.0)  # everything goes through the folder of decoded splits
    assert Splits().get(record, "test", 16).images.max() > 200
    assert Splits().get(dark, "test", 16).images.max() <= 16  # type: ignore[arg-type]


@pytest.mark.parametrize(("bits", "told"), [(14, True), (16, False)])
def test_images_of_14_bits_are_told_to_be_dark(tmp_path: Path, bits: int, told: bool) -> None:
    values = np.random.default_rng(0).integers(0, 1 << bits, (40, 9, 9), dtype=np.uint16)
    np.savez(tmp_path / "x.npz", image=values, label=np.arange(40) % 2)
    sentences: list[str] = []
    tasks.add("t", f"npz:{tmp_path}/x.npz", tell=sentences.append)
    assert any("the brightest value is 64 of 255; ?white=16383" in text for text in sentences) == told, sentences
    sentences.clear()
    tasks.add("t", f"npz:{tmp_path}/x.npz?white={(1 << bits) - 1}", tell=sentences.append)
    assert not any("dark" in text for text in sentences)
