"""The images of the quickstart as archives that `npz:FILE.npz` reads: one file a task."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.fs.atomic import write_atomic

DIGITS = "digits"
_DIGITS_VALIDATION, _DIGITS_TEST = 250, 400
_PERMUTATION = 20220620  # any number: it only has to stay the same


def check_available() -> None:
    """InputError when scikit-learn, which brings the real digits, or the package's own images are missing."""
    if find_spec("sklearn") is None:
        raise InputError(
            "the handwritten digits of the quickstart come with scikit-learn, which is not installed: "
            "pip install 'munet-ml[quickstart]'",
            kind="missing-extra",
        )
    if len(_scripts()) < 2:
        raise InputError("the images of the quickstart are missing from this installation: install munet-ml again")


def write_tasks(folder: Path) -> list[str]:
    """Write the archive of each task into `folder` (those that are there already stay); returns the tasks in order.

    The last one is the task that is added later.
    """
    check_available()
    folder.mkdir(parents=True, exist_ok=True)
    write_digits(folder / f"{DIGITS}.npz")
    for asset in _scripts():
        if not (folder / asset.name).is_file():
            write_atomic(folder / asset.name, asset.read_bytes())
    return [DIGITS, *(asset.name.removesuffix(".npz") for asset in _scripts())]


def _scripts() -> list[Traversable]:
    """The archives that ship with the package: characters of scripts and fonts that the built-in root never saw."""
    folder = files("munet") / "assets" / "quickstart"
    found = [asset for asset in folder.iterdir() if asset.name.endswith(".npz")] if folder.is_dir() else []
    return sorted(found, key=lambda asset: asset.name)


def write_digits(path: Path) -> None:
    """1,797 handwritten digits of 43 people (UCI, 8x8 grey) that ship with scikit-learn, in three fixed splits."""
    if path.is_file():
        return
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)  # values from 0 to 16
    images = np.round(np.asarray(pixels).reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    write_splits(path, images, np.asarray(labels, np.int64), [str(digit) for digit in range(10)])


def write_splits(path: Path, images: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    """Images (N,H,W) uint8 and labels (N,) as an archive of three splits, by a fixed permutation."""
    order = np.random.default_rng(_PERMUTATION).permutation(len(images))
    test = round(len(images) * _DIGITS_TEST / 1797)
    validation = test + round(len(images) * _DIGITS_VALIDATION / 1797)
    parts = {"test": order[:test], "validation": order[test:validation], "train": order[validation:]}
    arrays = {f"{split}_image": images[rows] for split, rows in parts.items()}
    arrays |= {f"{split}_label": labels[rows] for split, rows in parts.items()}
    data = BytesIO()
    np.savez_compressed(data, allow_pickle=False, classes=np.array(classes), **arrays)
    write_atomic(path, data.getvalue())
