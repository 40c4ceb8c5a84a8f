"""The same image in two splits or under two classes is found by content, told, and refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.record import TaskOptions, add

PIXELS = np.random.default_rng(2).integers(0, 255, (200, 5, 5), dtype=np.uint8)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """train and test of the classes cat and dog, 20 different images each."""
    for number, folder in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        (tmp_path / folder).mkdir(parents=True)
        for row in range(20):
            Image.fromarray(PIXELS[number * 20 + row]).save(tmp_path / folder / f"{row}.png")
    return tmp_path


WHOLE = TaskOptions(validation="test[:10]", test="test[10:]")


def copy(pets: Path, source: str, target: str) -> None:
    (pets / target).write_bytes((pets / source).read_bytes())


def told_by(pets: Path, options: TaskOptions) -> list[str]:
    told: list[str] = []
    add("pets", f"folder:{pets}", options, tell=told.append)
    return told


def test_nothing_is_said_of_different_images(pets: Path) -> None:
    assert [text for text in told_by(pets, WHOLE) if "too" in text or "twice" in text] == []


def test_an_image_in_two_splits_is_refused_unless_allowed(pets: Path) -> None:
    for row in (3, 4, 5):
        copy(pets, f"train/cat/{row}.png", f"test/cat/copy{row}.png")
    options = TaskOptions(validation="train[:4]")
    with pytest.raises(InputError) as caught:
        add("pets", f"folder:{pets}", TaskOptions(validation="train[:1]"))
    message = str(caught.value)
    assert "3 images of test are in train too" in message
    assert message.count(" = ") == 2
    assert f"{pets}/train/cat/" in message
    assert f"{pets}/test/cat/copy" in message
    assert "--allow-duplicates" in message
    allowed = told_by(pets, TaskOptions(validation=options.validation, allow_duplicates=True))
    assert any("of test" in text and "too" in text for text in allowed)


def test_an_image_under_two_classes_is_refused(pets: Path) -> None:
    copy(pets, "train/cat/3.png", "train/dog/copy.png")
    with pytest.raises(InputError, match=r"1 image is there under another class too .*dog/copy.png"):
        add("pets", f"folder:{pets}", WHOLE)
    record = add("pets", f"folder:{pets}", TaskOptions(validation="test[:10]", test="test[10:]", allow_duplicates=True))
    assert record["splits"]["train"]["examples"] == 41


def test_copies_within_a_split_and_class_are_told(pets: Path) -> None:
    copy(pets, "train/cat/3.png", "train/cat/copy.png")
    assert "1 image is in one split and class twice" in told_by(pets, WHOLE)


def test_overlapping_splits_that_were_allowed_are_no_duplicates(pets: Path) -> None:
    options = TaskOptions(validation="train[:10]", train="train", test="test", allow_overlap=True)
    assert [text for text in told_by(pets, options) if "too" in text] == []


def test_arrays_are_compared_by_their_pixels(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    images = PIXELS[:40].copy()
    images[39] = images[1]
    np.savez(tmp_path / "a.npz", image=images, label=labels)
    options = TaskOptions("train[:30]", "train[30:35]", "train[35:]")
    with pytest.raises(
        InputError, match=r"1 image of test is in train too \(.*a.npz image\[1\] = .*a.npz image\[39\]\)"
    ):
        add("pets", f"npz:{tmp_path}/a.npz", options)
