"""Folders of small images, one for each class, and what `add` refuses of them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.record import add

PIXELS = np.random.default_rng(1).integers(0, 255, (400, 5, 5), dtype=np.uint8)


def fill(root: Path, folders: Iterable[str], each: int = 4, start: int = 0) -> Path:
    """`each` different images in every folder of `root`."""
    for number, name in enumerate(folders):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for row in range(each):
            Image.fromarray(PIXELS[start + number * each + row]).save(folder / f"{number}_{row}.png")
    return root


def product(splits: Iterable[str], classes: Iterable[str]) -> list[str]:
    return [f"{split}/{name}" for split in splits for name in classes]


def message_of(address: str) -> str:
    """The one line with which a new task of `address` is refused."""
    with pytest.raises(InputError) as caught:
        add("new", address)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


def refused_to_add(address: str, *words: str) -> None:
    message = message_of(address)
    for word in words:
        assert word in message, message
