"""Images that look the same though their files differ."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from munet import tasks
from munet.tasks import lookalikes

CLASSES = ("one", "two")


@given(st.lists(st.integers(0, 2**24 - 1), max_size=30), st.integers(0, 2**16))
def test_all_close_pairs_are_found(values: list[int], seed: int) -> None:
    """Compared with every pair; a few bits of a common hash are turned in each."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 256, 32, np.uint8)
    hashes = np.array([base ^ np.frombuffer(value.to_bytes(32, "little"), np.uint8) for value in values], np.uint8)
    hashes = hashes.reshape(-1, 32)
    close = np.unpackbits(hashes[:, None] ^ hashes[None], axis=2).sum(2) <= 10
    wanted = [(i, j) for i, j in zip(*np.nonzero(close), strict=True) if i < j]
    assert list(lookalikes._close_pairs(hashes)) == wanted


def picture(seed: int) -> Image.Image:
    """Shapes in colour, with details."""
    small = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)
    return Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC)


def again(image: Image.Image) -> Image.Image:
    """The same at another size and quality."""
    held = io.BytesIO()
    image.resize((100, 75)).save(held, "JPEG", quality=60)
    return Image.open(held)


def test_what_was_saved_again_is_told_and_not_refused(tmp_path: Path) -> None:
    pytest.importorskip("imagehash")
    for number, (split, name, row) in enumerate(
        (s, c, r) for s in ("train", "test") for c in CLASSES for r in range(8)
    ):
        (tmp_path / split / name).mkdir(parents=True, exist_ok=True)
        picture(number).save(tmp_path / split / name / f"{row}.png")
    again(picture(0)).save(tmp_path / "test" / "one" / "copy.jpg")
    again(picture(1)).save(tmp_path / "train" / "two" / "other.jpg")
    said: list[str] = []
    tasks.add("shapes", f"folder:{tmp_path}", tell=said.append)
    across = next(text for text in said if "of train and test look the same" in text or "of test and train" in text)
    assert across.startswith("1 pair of")
    assert "copy.jpg" in across
    assert "train/one/0.png" in across
    classes = next(text for text in said if "of two classes" in text)
    assert classes.startswith("1 pair")
    assert "other.jpg" in classes
    assert not any("is in" in text and "too" in text for text in said), "their contents differ"


@pytest.mark.parametrize(("large", "words"), [(0, ", for all have"), (8, " among 24 of 32 images that have")])
def test_what_is_too_small_to_compare_is_told(tmp_path: Path, large: int, words: str) -> None:
    pytest.importorskip("imagehash")
    for number in range(24 + large):
        place = tmp_path / "train" / CLASSES[number % len(CLASSES)]
        place.mkdir(parents=True, exist_ok=True)
        picture(number).resize((63, 70) if number < 24 else (64, 70)).save(place / f"{number}.png")
    said: list[str] = []
    tasks.add("shapes", f"folder:{tmp_path}", tell=said.append)
    (told,) = [text for text in said if "look the same" in text]
    assert told == f"images that look the same are not looked for{words} fewer than 64 pixels a side"


def test_without_imagehash_none_is_looked_for(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookalikes, "find_spec", lambda name: None)
    said: list[str] = []
    tasks.add("shapes", f"folder:{tiny_folder}", tell=said.append)
    assert not any("look the same" in text for text in said)
