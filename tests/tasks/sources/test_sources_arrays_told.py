"""Arrays that are not read as people meant them: what the line says of labels below 0, of names, of meta.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from munet.errors import InputError
from munet.tasks.record import add
from munet.tasks.sources import open_source

PIXELS = np.random.default_rng(0).integers(2, 255, (60, 6, 6), dtype=np.uint8)
HALVES = np.arange(60) % 2


def refused(address: str, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        add("t", address)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_labels_below_zero_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=PIXELS, label=2 * HALVES - 1)
    why = "no label (a number below 0, such as -1, is none: store numbers from 0)"
    refused(f"npz:{tmp_path / 'a.npz'}", "every image is of class '1'", f"; 30 images with {why}")
    np.savez(tmp_path / "b.npz", image=PIXELS, label=np.arange(60) % 3 - 1)
    refused(f"npz:{tmp_path / 'b.npz'}", f"]: {why}")


@pytest.mark.parametrize(("image", "label"), [("pictures", "targets"), ("imgs", "cls"), ("photo", "label")])
def test_other_names_of_arrays(tmp_path: Path, image: str, label: str) -> None:
    np.savez(tmp_path / "a.npz", **{image: PIXELS, label: HALVES})
    assert open_source(f"npz:{tmp_path / 'a.npz'}").counts() == {"train": 60}


def test_names_that_nobody_knows_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bilder=PIXELS, targets=HALVES)
    wanted = "call the two image and label, or train_image and train_label; there is bilder, targets"
    refused(f"npz:{tmp_path / 'a.npz'}", "the array 'targets' has no train_image beside it", wanted)


@pytest.mark.parametrize(
    "classes", [["cat", "dog"], {"0": "cat", "1": "dog"}, {"1": "dog", "0": "cat"}, {"cat": 0, "dog": 1}]
)
def test_meta_names_classes(tmp_path: Path, classes: object) -> None:
    np.savez(tmp_path / "train.npz", image=PIXELS, label=HALVES)
    (tmp_path / "meta.json").write_text(json.dumps({"classes": classes}))
    source = open_source(f"npz:{tmp_path}")
    assert source.classes == ("cat", "dog")
    source.take_numbers(["0", "1"])  # a task of before
    assert source.classes == ("0", "1")
    assert source.labels("train").tolist() == HALVES.tolist()


@pytest.mark.parametrize("classes", [2, "cat, dog", {"0": "cat", "2": "dog"}, {"a": "cat"}])
def test_meta_that_names_no_classes_is_told(tmp_path: Path, classes: object) -> None:
    np.savez(tmp_path / "train.npz", image=PIXELS, label=HALVES)
    (tmp_path / "meta.json").write_text(json.dumps({"classes": classes}))
    source = open_source(f"npz:{tmp_path}")
    assert source.classes == ("0", "1")
    assert any("meta.json: 'classes' is no list of names and is not used" in note for note in source.notes())
