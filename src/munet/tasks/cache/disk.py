"""The folder of decoded splits: opening, making, and making room."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from munet.fs import locks
from munet.fs.atomic import is_temporary, make_folder, sync_folder, write_atomic
from munet.fs.cache import cache_folder, cache_limit
from munet.tasks.cache.blocks import Blocks
from munet.tasks.cache.npy_rows import HEADER, FileRows, header, map_images
from munet.tasks.splits import Range
from munet.tasks.stack import Shape

DECODER = 2
"""Of munet's own decoding: to be raised whenever any image would come out differently."""

_IMAGES, _SPLIT = ".images.npy", ".split.npz"
_SAMPLES = 64  # blocks of 1 MiB that are checked at each opening
_LEFT_OVER = 60.0  # seconds after which a temporary file that nobody has locked has no writer any more


def key_of(
    fingerprint: str,
    ranges: Sequence[Range],
    made: int | list[int] | None,
    skip_bad: bool,
    white: int | None = None,
) -> str:
    """What a decoded split is called: a hash of all that decides its pixels.

    `made` is what its images were made: [height, width, least channels]; where the record of the task does not tell,
    the side of larger or mixed ones, or None for one common size that was left, which serves every side with room.
    `white` is the value that means white, if one was said.
    """
    import PIL
    from PIL import features

    # JPEG leaves decoders some freedom, and Pillow has changed its resampling before.
    decoder = [DECODER, PIL.__version__, features.version("jpg"), features.version("libjpeg_turbo")]
    said = [] if white is None else [white]
    text = json.dumps([fingerprint, [list(piece) for piece in ranges], made, skip_bad, decoder, *said])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Decoded:
    """A decoded split: images uint8 (N, H, W, C), mapped; labels int64 (N,); what was unusable; for packed sources, the
    hash of the files that it came from (`RecordedSplit.files_hash`); and what compares images that an earlier process
    wrote, before they are used (`Blocks.check`)."""

    images: np.ndarray
    labels: np.ndarray
    bad: list[str]
    files_hash: str | None
    blocks: Blocks | None = None


class DecodedFolder:
    """Decoded splits by key. Files have their names only when they are whole and on the medium, the images' before the
    other's, and the other says what the images must be; so a reader needs no lock.

    What is checked at each opening: the images' size to the byte, their header, the CRC-32 of labels and description,
    and that of 64 blocks of images, evenly spread (all of them up to 64 MiB). What fails any is made again. The other
    blocks are checked when their images are used for the first time, since reading gigabytes before would delay every
    start.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = cache_folder() / "decoded" if path is None else path

    def open(self, key: str) -> Decoded | None:
        """The split of that name, used just now; None where there is none, or none that is sound."""
        try:
            split = self._open(key)
        except FileNotFoundError:
            return None
        # Damaged archives raise RuntimeError (a bit says that they are encrypted), SyntaxError, zlib.error and more,
        # and files that may not be read are of no use either.
        except Exception:
            split = None
        if split is None:
            with suppress(OSError):
                self._unlink(key)
            return None
        with suppress(OSError):  # a folder that may only be read still serves
            os.utime(self._path(key, _IMAGES))
        return split

    def _open(self, key: str) -> Decoded | None:
        with np.load(io.BytesIO(self._path(key, _SPLIT).read_bytes()), allow_pickle=False) as arrays:
            labels, sums, about = arrays["labels"], arrays["sums"], json.loads(arrays["about"].tobytes())
        shape = tuple(about["shape"])
        with self._path(key, _IMAGES).open("rb", buffering=0) as file:
            whole = os.fstat(file.fileno()).st_size == HEADER + int(np.prod(shape))
            if not whole or file.read(HEADER) != header(shape) or len(labels) != shape[0]:
                return None
            images = map_images(file, shape)
        blocks = Blocks(images, sums, self._path(key, _SPLIT))
        return Decoded(images, labels, about["bad"], about["files"], blocks) if blocks.spread(_SAMPLES) else None

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Wait while another process makes this split; then others wait for us.

        StoreError where the folder cannot be made, or not be written to.
        """
        make_folder(self.path)
        # 256 names, never removed: removing one would let two processes lock two files of the same name. Two splits
        # of the same name wait for each other, to no harm.
        with locks.exclusive(self.path / f".lock-{key[:2]}"):
            yield

    def rows(self, expected: int, shape: Shape) -> FileRows:
        """Where to put the images of a split that is being made."""
        return FileRows(self.path, expected, shape)

    def keep(self, key: str, rows: FileRows, labels: np.ndarray, bad: list[str], files_hash: str | None) -> Decoded:
        """Give the images and what belongs to them their names; whoever made the same in the meantime is replaced.

        OSError or StoreError where that fails; no name is given to anything half written.
        """
        sums = rows.finish()
        about = {"shape": [rows.count, *rows.shape], "bad": bad, "files": files_hash}
        data = io.BytesIO()
        np.savez(data, labels=labels, sums=sums, about=np.frombuffer(json.dumps(about).encode(), np.uint8))
        os.replace(rows.path, self._path(key, _IMAGES))
        sync_folder(self.path)
        write_atomic(self._path(key, _SPLIT), data.getvalue())
        return Decoded(rows.mapped(), labels, bad, files_hash)

    def limit(self) -> int:
        """Bytes that this folder may hold. InputError where MUNET_CACHE_SIZE is no number of bytes."""
        held = sum(size for _, size, _ in self._held())
        return cache_limit(held + shutil.disk_usage(self._existing()).free)

    def make_room(self, needed: int) -> str | None:
        """Remove what was used least lately until `needed` more bytes of images and labels fit, and what killed writers
        left over.

        Never what a process has mapped: its lock shows. Where too little can be removed, the reason why.
        """
        self._clear_left_over()
        held, limit = self._held(), self.limit()
        if needed > limit:
            return f"may hold {limit / 1e9:.3g} GB (MUNET_CACHE_SIZE allows more)"
        total = sum(size for _, size, _ in held)
        for _, size, path in sorted(held):
            if total + needed <= limit:
                break
            if not is_temporary(path) and self._unlink(path.name.removesuffix(_IMAGES)):
                total -= size
        if total + needed > limit:
            return f"may hold {limit / 1e9:.3g} GB (MUNET_CACHE_SIZE allows more), and what it holds is in use"
        free = shutil.disk_usage(self.path).free
        return None if needed < free else f"has {free / 1e9:.3g} GB of disk left"

    def _held(self) -> list[tuple[float, int, Path]]:
        """When it was used last, bytes with all that belongs to it, and path of each file of images, also while it is
        being made."""
        found = []
        for path in self.path.iterdir() if self.path.is_dir() else ():
            if path.name.endswith(_IMAGES):
                beside = self._path(path.name.removesuffix(_IMAGES), _SPLIT)
            elif is_temporary(path):
                beside = path
            else:
                continue
            with suppress(FileNotFoundError):  # another process removed it just now
                seen = path.stat()
                size = seen.st_size
                if beside != path and beside.exists():
                    size += beside.stat().st_size
                found.append((seen.st_mtime, size, path))
        return found

    def _unlink(self, key: str) -> bool:
        """Remove a split unless a process has it mapped."""
        with suppress(FileNotFoundError), _unused(self._path(key, _IMAGES)) as unused:
            if not unused:
                return False
            # The small one first: images without it are seen and removed later, it would not be seen without images.
            self._path(key, _SPLIT).unlink(missing_ok=True)
            self._path(key, _IMAGES).unlink(missing_ok=True)
        return True

    def _clear_left_over(self) -> None:
        for last, _, path in self._held():
            if is_temporary(path) and time.time() - last > _LEFT_OVER:
                with suppress(FileNotFoundError), _unused(path) as unused:
                    if unused:
                        path.unlink(missing_ok=True)

    def _path(self, key: str, suffix: str) -> Path:
        return self.path / f"{key}{suffix}"

    def _existing(self) -> Path:
        return next(folder for folder in (self.path, *self.path.parents) if folder.exists())


@contextmanager
def _unused(path: Path) -> Iterator[bool]:
    """Whether no process holds a lock on a file; while the block runs, none can take one."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
