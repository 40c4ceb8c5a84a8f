"""What a folder of decoded splits holds, whether two splits are the same, and a file with one bit flipped."""

from pathlib import Path

import numpy as np

from munet import tasks


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".lock"))


def one(folder: Path, suffix: str) -> Path:
    (path,) = folder.glob(f"*{suffix}")
    return path


def same(split: tasks.Split, other: tasks.Split) -> bool:
    return np.array_equal(split.images, other.images) and np.array_equal(split.labels, other.labels)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
