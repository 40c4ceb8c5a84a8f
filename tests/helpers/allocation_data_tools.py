"""Small image sets in the layouts of the real ones."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from munet.allocation.data.drawings import DRAWINGS, SIDE, Alphabet


def fake_set(folder: Path, *, shape: tuple[int, ...] = (28, 28), train: int = 100, classes: int = 10) -> Path:
    """train.npz, validation.npz (a fifth of it), test.npz (half of it), every class equally often, noise for images."""
    folder.mkdir(parents=True)
    for seed, (split, count) in enumerate({"train": train, "validation": train // 5, "test": train // 2}.items()):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(count) % classes)
        np.savez(folder / f"{split}.npz", image=noise(rng, count, *shape), label=labels)
    return folder


def noise(rng: np.random.Generator, *shape: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, shape, np.uint8)


def fake_drawings(alphabet: Alphabet) -> dict[str, NDArray]:
    """All arrays of an alphabet, shuffled; every image is different and has black strokes (0) on white (255)."""
    count = alphabet.characters * DRAWINGS
    rng = np.random.default_rng(alphabet.rank)
    image = np.full((count, SIDE, SIDE), 255, np.uint8)
    image[:, :40, :40] = np.where(rng.random((count, 40, 40)) < 0.5, 0, 255)
    arrays = {
        "image": image,
        "alphabet": np.full(count, alphabet.rank),
        "character": np.repeat(np.arange(alphabet.characters), DRAWINGS),
        "drawer": np.tile(np.arange(1, DRAWINGS + 1), alphabet.characters),
    }
    order = rng.permutation(count)
    return {name: array[order] for name, array in arrays.items()}


def write_drawings(file: Path, *parts: dict[str, NDArray]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    joined: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    np.savez(file, **joined)


def fake_cifar100(seed: int, each: int) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """Images (100 each, 32, 32, 3), fine and coarse labels; fine class f belongs to the super-class 7 f mod 20."""
    rng = np.random.default_rng(seed)
    fine = rng.permutation(np.repeat(np.arange(100), each))
    return noise(rng, len(fine), 32, 32, 3), fine, 7 * fine % 20
