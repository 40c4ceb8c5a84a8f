"""Images gathered one at a time make the same array as all of them stacked at the end."""

from pathlib import Path

import numpy as np
import pytest

from munet.errors import InputError
from munet.tasks.cache.npy_rows import FileRows
from munet.tasks.images import fit
from munet.tasks.stack import Gathering, Rows, Shape

SIDE = 24


def stacked(images: list[np.ndarray]) -> np.ndarray:
    """What a gathering must be, made when all images are known."""
    sizes = {image.shape[:2] for image in images}
    height, width = sizes.pop() if len(sizes) == 1 else (SIDE, SIDE)
    result = np.empty((len(images), height, width, max(image.shape[2] for image in images)), np.uint8)
    for row, image in enumerate(images):
        result[row] = image if image.shape[:2] == (height, width) else fit(image, SIDE, SIDE)
    return result


def drawn(seed: int) -> list[np.ndarray]:
    """Some hundred images whose size and channels change where the seed says, or never."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 700))
    other_size, other_channels = rng.integers(0, 2 * count, 2)
    small, large = rng.integers(5, SIDE + 1, 2), rng.integers(5, SIDE + 1, 2)
    return [
        rng.integers(0, 256, (*(large if k >= other_size else small), 3 if k >= other_channels else 1), dtype=np.uint8)
        for k in range(count)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_gathered_is_stacked(seed: int, tmp_path: Path) -> None:
    images = drawn(seed)
    expected = stacked(images)
    asked: list[Shape] = []

    def later(expected: int, shape: Shape) -> Rows | None:
        """Memory at first, then a file."""
        asked.append(shape)
        return FileRows(tmp_path, len(images) + 3, shape) if len(asked) > seed % 4 else None

    for elsewhere in (None, lambda _, shape: FileRows(tmp_path, len(images) + 3, shape), later):
        gathering = Gathering(len(images) + 3, SIDE, elsewhere)
        for image in images:
            gathering.add(image)
        np.testing.assert_array_equal(np.concatenate(list(gathering.rows().chunks())), expected)
        np.testing.assert_array_equal(gathering.array(), expected)
        gathering.drop()
        assert list(tmp_path.iterdir()) == []


def test_a_finished_file_is_a_plain_npy_file(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5000, 20, 30, 3), dtype=np.uint8)  # more than the buffer holds
    rows = FileRows(tmp_path, 6000, (20, 30, 3))
    for image in images:
        rows.append(image)
    assert len(rows.finish()) == -(-images.nbytes // (1 << 20))
    np.testing.assert_array_equal(np.load(rows.path), images)
    mapped = rows.mapped()
    np.testing.assert_array_equal(mapped, images)
    assert mapped.flags.writeable
    mapped[:] = 0  # private
    np.testing.assert_array_equal(np.load(rows.path), images)


def test_rows_leave_memory_when_it_is_time(tmp_path: Path) -> None:
    for count in (1, 256, 257, 600):
        asked: list[Shape] = []

        def elsewhere(expected: int, shape: Shape, asked: list[Shape] = asked) -> Rows | None:
            asked.append(shape)
            return FileRows(tmp_path, expected, shape) if len(asked) == 1 + -(-count // 256) else None  # noqa: B023

        gathering = Gathering(count, SIDE, elsewhere)
        for value in range(count):
            gathering.add(np.full((2, 2, 1), value % 256, np.uint8))
        assert list(tmp_path.iterdir()) == []
        rows = gathering.rows()
        assert isinstance(rows, FileRows)  # asked at first, after every 256, and at the end
        assert np.concatenate(list(rows.chunks()))[:, 1, 1, 0].tolist() == [value % 256 for value in range(count)]
        gathering.drop()


def test_nothing_gathered() -> None:
    with pytest.raises(InputError, match="no image is left"):
        Gathering(3, SIDE).array()
