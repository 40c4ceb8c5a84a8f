"""Decoded splits in memory: read once where one reading serves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet.tasks import TaskOptions, add
from munet.tasks.cache import decode as making
from munet.tasks.cache import splits as data
from munet.tasks.cache.splits import Splits
from munet.tasks.reopen import RecordedSplit


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    """(split, side) of every decoding; what a busy machine decodes slowly stays in memory too."""
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(making, "QUICK", float("inf"))
    seen: list[tuple[str, int]] = []
    real = RecordedSplit.read

    def read(self: RecordedSplit, to: Any, side: int | None = None, progress: Any = None) -> Any:
        assert side is not None
        seen.append((self.split, side))
        return real(self, to, side, progress)

    monkeypatch.setattr(RecordedSplit, "read", read)
    return seen


def test_small_images_of_one_size_are_read_once_for_all_input_sizes(
    tiny_npz: Path, loads: list[tuple[str, int]]
) -> None:
    splits, record = Splits(), add("shapes", f"npz:{tiny_npz}")  # 24x24
    first = splits.get(record, "train", 32)
    assert splits.get(record, "train", 16) is first
    assert splits.get(record, "train", 48) is first
    assert loads == [("train", 64)]
    small = splits.get(record, "train", 8)  # decoded to 16x16
    assert small.images.shape[1:3] == (16, 16)
    assert loads[1:] == [("train", 16)]
    assert splits.get(record, "validation", 32) is not first


def test_images_that_were_resized_are_read_again(tmp_path: Path, loads: list[tuple[str, int]]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(30):
            pixels = np.full((40 + number, 50), number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    splits, record = Splits(), add("mixed", f"folder:{tmp_path}", TaskOptions(allow_duplicates=True))
    assert splits.get(record, "train", 16).images.shape[1:3] == (32, 32)
    assert splits.get(record, "train", 32).images.shape[1:3] == (64, 64)
    assert len(loads) == 2


def test_a_cap_takes_the_first_examples(tiny_npz: Path) -> None:
    splits, record = Splits(), add("shapes", f"npz:{tiny_npz}")
    whole, capped = splits.get(record, "validation", 32), splits.get(record, "validation", 32, 7)
    assert np.array_equal(capped.images, whole.images[:7])
    assert np.array_equal(capped.labels, whole.labels[:7])


def test_the_least_recently_used_makes_room(
    tiny_npz: Path, loads: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, record = Splits(), add("shapes", f"npz:{tiny_npz}")
    monkeypatch.setattr(data, "_ROOM", 1)
    for _ in range(2):
        splits.get(record, "train", 32)
        splits.get(record, "validation", 32)
    assert len(loads) == 4


def test_mapped_splits_take_no_room(
    tiny_npz: Path, loads: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "SMALL", 20_000)  # more than validation and test, less than train
    monkeypatch.setattr(data, "_ROOM", 1)
    splits, record = Splits(), add("shapes", f"npz:{tiny_npz}")
    other = add("other", f"npz:{tiny_npz}?order=shuffled")
    mapped = splits.get(record, "train", 32)
    for _ in range(2):
        for split in ("train", "validation", "test"):
            splits.get(record, split, 32)
        splits.get(other, "train", 32)
    assert splits.get(record, "train", 32) is mapped
    assert [split for split, _ in loads] == ["train", "validation", "test", "train", "validation", "test"]
    monkeypatch.setattr(data, "_MAPS", 1)
    splits.get(record, "train", 8)
    assert splits.get(record, "train", 32) is not mapped  # let go of, mapped again
    assert len(loads) == 7
