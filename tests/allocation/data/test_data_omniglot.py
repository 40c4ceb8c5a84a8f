"""Omniglot-20: complete alphabets, 10 / 4 / 6 drawings of each character, nothing shared between the splits."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from allocation_data_tools import fake_drawings, write_drawings
from munet.allocation.data import TaskData, load
from munet.allocation.data.drawings import DRAWINGS, Alphabet, check_distinct, read_copies, read_drawings
from munet.allocation.data.omniglot20 import ALPHABETS, split_drawings
from munet.allocation.data.resizing import by_area
from munet.errors import InputError

PARTS = ("train", "validation", "test")
FIRST, SECOND = ALPHABETS[:2]
TINY = (Alphabet("Ours", 4, 3), Alphabet("Theirs", 9, 2))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first alphabet in train.npz, the second in evaluation.npz; small1 repeats the first one."""
    root = tmp_path_factory.mktemp("omniglot_data")
    first, second, other = (fake_drawings(alphabet) for alphabet in (FIRST, SECOND, Alphabet("Other", 10, 1)))
    for file, part in (("train", first), ("evaluation", second), ("validation", first), ("test", other)):
        write_drawings(root / "omniglot" / f"{file}.npz", part)
    return root


def hashes(task: TaskData) -> dict[str, set[str]]:
    """Content hashes of the images that each part holds."""
    found = {}
    for part, examples in task.splits.items():
        assert examples.rows is not None
        found[part] = {hashlib.sha256(examples.inputs[row].tobytes()).hexdigest() for row in examples.rows}
    return found


def test_the_twenty_alphabets():
    assert [alphabet.characters for alphabet in ALPHABETS] == [
        48, 28, 26, 42, 45, 20, 40, 42, 33, 29, 23, 26, 47, 26, 40, 20, 45, 40, 22, 26,
    ]  # fmt: skip
    assert sum(alphabet.characters for alphabet in ALPHABETS) == 668
    ranks = sorted(ALPHABETS, key=lambda alphabet: alphabet.rank)
    assert [alphabet.name for alphabet in ranks] == sorted(alphabet.name for alphabet in ALPHABETS)


def test_each_character_has_10_4_and_6(data: Path):
    tasks = load("omniglot20", data, alphabets=2)
    assert [(task.name, task.classes) for task in tasks] == [("Gujarati", 48), ("Sylheti", 28)]
    for task in tasks:
        for part, each in zip(PARTS, (10, 4, 6), strict=True):
            assert np.bincount(task.splits[part].targets).tolist() == [each] * task.classes
        found = hashes(task)
        assert sum(map(len, found.values())) == task.classes * DRAWINGS
        assert len(set.union(*found.values())) == task.classes * DRAWINGS, "no image is in two parts"
        assert not task.note


def test_images_keep_their_labels(data: Path):
    stored = fake_drawings(FIRST)
    label = {image.tobytes(): own for image, own in zip(stored["image"], stored["character"], strict=True)}
    task = load("omniglot20", data, alphabets=1, invert=False)[0]
    for examples in task.splits.values():
        rows = examples.rows
        assert rows is not None
        assert [label[examples.inputs[row].tobytes()] for row in rows] == examples.targets.tolist()


def test_strokes_are_one_on_zero(data: Path):
    inverted, plain = (
        load("omniglot20", data, alphabets=1, invert=invert)[0].splits["test"] for invert in (True, False)
    )
    assert inverted.input_shape == (1, 105, 105)
    seen, stored = inverted.batch([0])[0], plain.batch([0])[0]
    assert seen[0, 0, 104, 104] == 0
    assert seen.sum() > 0
    np.testing.assert_allclose(seen.numpy(), 1 - stored.numpy())


def test_the_split_is_the_same_for_every_seed_and_every_size(data: Path):
    one, other, small = (
        load("omniglot20", data, alphabets=1, **given)[0]
        for given in ({"seed": 0}, {"seed": 1}, {"seed": 0, "image_size": 28})
    )
    for part in PARTS:
        np.testing.assert_array_equal(one.splits[part].rows, other.splits[part].rows)
        np.testing.assert_array_equal(one.splits[part].rows, small.splits[part].rows)
    assert small.splits["train"].input_shape == (1, 28, 28)


@given(st.sampled_from(ALPHABETS), st.sampled_from([1, 2]))
def test_splits_of_every_alphabet(alphabet: Alphabet, copies: int):
    parts = split_drawings(alphabet, copies)
    assert [parts[part].shape for part in PARTS] == [(alphabet.characters, each * copies) for each in (10, 4, 6)]
    drawn = np.concatenate([parts[part] for part in PARTS], axis=1)
    wanted = np.repeat(np.arange(alphabet.characters * DRAWINGS).reshape(-1, DRAWINGS), copies, axis=1)
    np.testing.assert_array_equal(np.sort(drawn, axis=1), wanted)


def test_the_published_duplicates_leak_and_say_so(data: Path):
    first, second = load("omniglot20", data, alphabets=2, duplicates="paper")
    assert [len(first.splits[part]) for part in PARTS] == [48 * each for each in (20, 8, 12)]
    assert [len(second.splits[part]) for part in PARTS] == [28 * each for each in (10, 4, 6)]
    assert hashes(first)["train"] & hashes(first)["test"]
    assert "also trained on" in first.note
    assert not second.note


def test_half_of_the_test_images_leak_with_the_published_duplicates():
    shares = []
    for alphabet in ALPHABETS:
        parts = split_drawings(alphabet, 2)
        shares.append(np.isin(parts["test"], parts["train"]).mean())
    assert 0.48 < np.mean(shares) < 0.55  # 20 of the other 39 drawings are trained on


def test_folders_of_pictures_as_published(tmp_path: Path):
    for folder, alphabet in zip(("images_background", "images_evaluation"), TINY, strict=True):
        stored = fake_drawings(alphabet)
        for image, character, drawer in zip(stored["image"], stored["character"], stored["drawer"], strict=True):
            path = tmp_path / "omniglot" / folder / alphabet.name / f"character{character + 1:02d}"
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).convert("1").save(path / f"0417_{drawer:02d}.png")
    write_drawings(tmp_path / "packed" / "train.npz", fake_drawings(TINY[0]))
    write_drawings(tmp_path / "packed" / "evaluation.npz", fake_drawings(TINY[1]))
    pictures, packed = read_drawings(tmp_path / "omniglot", TINY), read_drawings(tmp_path / "packed", TINY)
    for alphabet in TINY:
        assert pictures[alphabet.name].shape == (alphabet.characters * DRAWINGS, 105, 105)
        np.testing.assert_array_equal(pictures[alphabet.name], packed[alphabet.name])
    with pytest.raises(InputError, match=r"unpack images_background_small1\.zip"):
        read_copies(tmp_path / "omniglot", TINY, pictures)


def test_drawings_by_character_then_drawer(tmp_path: Path):
    stored = fake_drawings(TINY[0])
    write_drawings(tmp_path / "train.npz", stored)
    write_drawings(tmp_path / "evaluation.npz", fake_drawings(TINY[1]))
    read = read_drawings(tmp_path, TINY)["Ours"]
    (row,) = np.flatnonzero((stored["character"] == 2) & (stored["drawer"] == 7))
    np.testing.assert_array_equal(read[2 * DRAWINGS + 6], stored["image"][row])


def _written_and_read(folder: Path, ours: dict[str, np.ndarray]) -> np.ndarray:
    write_drawings(folder / "train.npz", ours)
    write_drawings(folder / "evaluation.npz", fake_drawings(TINY[1]))
    return read_drawings(folder, TINY)["Ours"]


def _without(arrays: dict[str, np.ndarray], keep: np.ndarray) -> dict[str, Any]:
    return {name: array[keep] for name, array in arrays.items()}


def test_incomplete_and_doubled_drawings_are_refused(tmp_path: Path):
    ours, theirs = (fake_drawings(alphabet) for alphabet in TINY)
    write_drawings(tmp_path / "evaluation.npz", theirs)
    for changed, said in (
        (_without(ours, np.arange(len(ours["drawer"])) > 0), "Ours (alphabet 4) has 3 characters with 19 to 20 images"),
        (_without(ours, ours["character"] < 2), "has 2 characters with 20 to 20 images, but must have 3 with 20"),
        (_without(ours, ours["character"] > 5), "has 0 characters and so no image"),
        (ours | {"drawer": np.ones_like(ours["drawer"])}, "one by each drawer"),
        (ours | {"image": ours["image"][:, :100]}, "'image' of shape (60, 100, 105)"),
        (ours | {"image": ours["image"][:59]}, "59 in image"),
        ({name: array for name, array in ours.items() if name != "drawer"}, "but drawer is missing"),
    ):
        write_drawings(tmp_path / "train.npz", changed)
        with pytest.raises(InputError) as caught:
            read_drawings(tmp_path, TINY)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    twice = _written_and_read(tmp_path, ours)
    twice[33] = twice[5]
    with pytest.raises(InputError, match="as character 0 by drawer 6 and as character 1 by drawer 14"):
        check_distinct(tmp_path, TINY[0], twice)


def test_copies_that_are_none_are_refused(tmp_path: Path):
    ours = fake_drawings(TINY[0])
    drawings = {"Ours": _written_and_read(tmp_path, ours)}
    write_drawings(tmp_path / "validation.npz", ours | {"image": 255 - ours["image"]})
    write_drawings(tmp_path / "test.npz", fake_drawings(TINY[1]))
    with pytest.raises(InputError, match="Ours in small1 or small2 is no copy"):
        read_copies(tmp_path, TINY[:1], drawings)


def test_damaged_archives(tmp_path: Path):
    write_drawings(tmp_path / "train.npz", fake_drawings(TINY[0]))
    (tmp_path / "evaluation.npz").write_bytes((tmp_path / "train.npz").read_bytes()[:5000])
    with pytest.raises(InputError, match=r"evaluation\.npz: not a numpy archive, or truncated"):
        read_drawings(tmp_path, TINY)
    (tmp_path / "evaluation.npz").unlink()
    with pytest.raises(InputError, match=r"evaluation\.npz: cannot be read: No such file"):
        read_drawings(tmp_path, TINY)
    np.savez(tmp_path / "evaluation.npz", image=np.array([{}]), alphabet=[1], character=[1], drawer=[1])
    with pytest.raises(InputError, match="pickled objects"):
        read_drawings(tmp_path, TINY)


def test_missing_data_and_values_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MUNET_DATA", raising=False)
    with pytest.raises(InputError, match=r"Omniglot cannot be had: there is no .*train\.npz, and no folder"):
        load("omniglot20", tmp_path)
    with pytest.raises(InputError, match="no folder of image sets is given"):
        load("omniglot20")
    for given_options, said in (
        ({"alphabets": 21}, "alphabets 21: give 1 to 20"),
        ({"image_size": 106}, "image_size 106"),
        ({"duplicates": "papre"}, "did you mean 'paper'?"),
    ):
        with pytest.raises(InputError) as caught:
            load("omniglot20", tmp_path, **given_options)  # pyright: ignore[reportArgumentType]
        assert said in str(caught.value)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_area_averaging_keeps_the_mean(before: int, after: int, seed: int):
    after = min(before, after)
    images = np.random.default_rng(seed).integers(0, 256, (2, before, before, 1), np.uint8)
    shrunk = by_area(images, after)
    assert shrunk.shape == (2, after, after, 1)
    np.testing.assert_allclose(shrunk.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=0.51)
    if after == before:
        np.testing.assert_array_equal(shrunk, images)


def test_area_averaging_by_hand():
    images = np.array([[[0, 40], [80, 200]], [[10, 10], [10, 10]]], np.uint8)[..., None]
    assert by_area(images, 1).ravel().tolist() == [80, 10]
    thirds = np.array([[0, 90, 180]] * 3, np.uint8)[None, ..., None]
    assert by_area(thirds, 2)[0, 0, :, 0].tolist() == [30, 150]  # (0 + 90/2) / 1.5 and (90/2 + 180) / 1.5


@pytest.mark.real_data
def test_real_omniglot(real_data: Path):
    tasks = load("omniglot20", real_data)
    assert [task.name for task in tasks] == [alphabet.name for alphabet in ALPHABETS]
    assert sum(task.classes for task in tasks) == 668
    totals = {part: sum(len(task.splits[part]) for task in tasks) for part in PARTS}
    assert totals == {"train": 6_680, "validation": 2_672, "test": 4_008}
    contents = [hashes(task) for task in tasks]
    assert len(set().union(*(part for found in contents for part in found.values()))) == 13_360
    strokes, _ = tasks[0].splits["train"].batch(range(100))
    assert 0.01 < strokes.mean() < 0.15


@pytest.mark.real_data
def test_real_omniglot_with_the_published_duplicates(real_data: Path):
    tasks = load("omniglot20", real_data, duplicates="paper", image_size=53)
    doubled = [task for task in tasks if task.note]
    assert [task.name for task in doubled] == ["Sanskrit", "Japanese_(katakana)", "Korean", "Early_Aramaic"]
    for task in tasks:
        each = 2 if task.note else 1
        assert [len(task.splits[part]) for part in PARTS] == [each * n * task.classes for n in (10, 4, 6)]
