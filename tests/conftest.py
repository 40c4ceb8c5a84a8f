"""Image sets that several tests share, and a browser, one for all tests of pages.

`tiny_npz` and `tiny_folder` are made once per session: only read them, and change only a copy.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No deadline: a test must not fail because the machine is busy.
settings.register_profile("munet", deadline=None, database=None, print_blob=True)
settings.load_profile("munet")


@pytest.fixture(scope="session", autouse=True)
def no_users_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder of the tests' own, and no width of a terminal, also for the processes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MUNET_STATE", str(tmp_path_factory.mktemp("state")))
        patch.delenv("MUNET_CACHE_SIZE", raising=False)
        patch.delenv("COLUMNS", raising=False)  # the workers of pytest-xdist are given one
        yield


TINY_CLASSES = ("disc", "horizontal", "vertical")
TINY_COUNTS = {"train": 90, "validation": 30, "test": 30}


def tiny_images(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` noisy drawings (count, 24, 24) uint8 of a disc (0), horizontal (1) or vertical (2) bars, and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 3).astype(np.int64)
    y, x = np.mgrid[:24, :24].astype(np.float64)
    images = np.empty((count, 24, 24), np.uint8)
    for row, label in enumerate(labels):
        cy, cx = rng.uniform(8, 15, 2)
        bars = np.sin((y if label == 1 else x) * rng.uniform(0.9, 1.3) + rng.uniform(0, 6)) > 0
        shape = (y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(4, 7) ** 2 if label == 0 else bars
        images[row] = np.clip(shape * rng.uniform(150, 230) + rng.normal(20, 12, (24, 24)), 0, 255).astype(np.uint8)
    return images, labels


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of train.npz (90 images), validation.npz (30), test.npz (30): 24x24 grey, 3 easy classes."""
    root = tmp_path_factory.mktemp("tiny_npz")
    for seed, (split, count) in enumerate(TINY_COUNTS.items()):
        images, labels = tiny_images(seed, count)
        np.savez_compressed(root / f"{split}.npz", image=images, label=labels)
    return root


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of three class sub-folders with 50 PNG files each (24x24 grey); the splits are to be cut."""
    from PIL import Image

    root = tmp_path_factory.mktemp("tiny_folder")
    images, labels = tiny_images(7, 150)
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / TINY_CLASSES[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{row:03d}.png")
    return root


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real image sets (one sub-folder each, with train.npz, validation.npz, test.npz)."""
    given = os.environ.get("MUNET_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / "mnist" / "train.npz").is_file():
        pytest.skip(f"no real image sets in {root}; MUNET_DATA names another folder")
    return root


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of real photographs, and beside them the weights of a root, as the benchmark photos-local wants them."""
    given = os.environ.get("MUNET_PHOTOS")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "photos"
    if not (root / "tf_flowers" / "train").is_dir():
        pytest.skip(f"no photographs in {root}; MUNET_PHOTOS names another folder")
    folder = tmp_path_factory.mktemp("photos")
    for file in (*root.iterdir(), *(root.parent / "roots").glob("*.safetensors")):
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium without a window: $MUNET_CHROMIUM, one on the path, or the one that Playwright has downloaded."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("MUNET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as running:
        if found is None and not os.path.exists(running.chromium.executable_path):
            pytest.skip("no chromium here; MUNET_CHROMIUM names one, `playwright install chromium` gets one")
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--use-fake-device-for-media-stream",
        ]  # a camera that shows a pattern
        started = running.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()
