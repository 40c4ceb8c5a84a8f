"""A mapped split is compared block by block as it is read: no flip is ever trained on, wherever it is."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.errors import StoreError
from munet.tasks import Split
from munet.tasks.cache import DecodedFolder, disk
from munet.tasks.cache.blocks import BLOCK, Blocks
from munet.tasks.cache.npy_rows import HEADER, FileRows
from munet.training.images import ImageSet

SHAPE, COUNT = (160, 150, 3), 90  # 72,000 bytes an image: 6.2 blocks, images that lie across two


def kept(folder: DecodedFolder, tmp_path: Path) -> None:
    (tmp_path / "decoded").mkdir()
    rows = FileRows(folder.path, COUNT, SHAPE)
    for image in np.random.default_rng(0).integers(0, 256, (COUNT, *SHAPE), np.uint8):
        rows.append(image)
    folder.keep("k", rows, np.arange(COUNT), [], None)


def test_a_flip_between_the_sampled_blocks_is_found_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(disk, "_SAMPLES", 2)  # the first and the last block
    folder = DecodedFolder(tmp_path / "decoded")
    kept(folder, tmp_path)
    with (folder.path / "k.images.npy").open("r+b") as file:
        file.seek(HEADER + 3 * BLOCK + 5)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))
    found = folder.open("k")
    assert found is not None
    assert found.blocks is not None
    images = ImageSet.of(Split(found.images, found.labels, [], found.blocks.check), "cpu")
    damaged = (3 * BLOCK + 5) // images.images[0].nbytes
    assert images.rows(np.array([0, 20, COUNT - 1])).shape == (3, *SHAPE)
    with pytest.raises(StoreError, match="the same command goes on and decodes them again"):
        images.rows(np.array([1, damaged, 2]))
    with pytest.raises(StoreError, match="not as they were written"):
        list(images.batches(np.arange(COUNT), 10))
    assert folder.open("k") is None


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_each_row_needs_the_blocks_that_hold_it(rows: int, sixths: int, data: st.DataObject):
    """A change anywhere in an image, and in no other image's blocks, is told by reading that image."""
    images = np.random.default_rng(rows).integers(0, 256, (rows, BLOCK * sixths // 6, 1, 1), np.uint8)
    flat = images.reshape(-1)
    assert not Blocks(images, np.zeros(0, np.uint32), Path("none")).spread(3)
    good = np.array([zlib.crc32(flat[at : at + BLOCK].data) for at in range(0, len(flat), BLOCK)], np.uint32)
    place = data.draw(st.integers(0, len(flat) - 1))
    flat[place] ^= 1
    blocks = Blocks(images, good, Path("/nonexistent"))
    for row in range(rows):
        first, last = row * images[0].nbytes // BLOCK, ((row + 1) * images[0].nbytes - 1) // BLOCK
        if first <= place // BLOCK <= last:
            with pytest.raises(StoreError):
                blocks.check(np.array([row]))
        else:
            blocks.check(np.array([row]))
