"""Reading the examples of a selection: decode, count what is unusable, and take the fingerprint on the way."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from munet.errors import InputError
from munet.tasks.images import decode_image, fit
from munet.tasks.sources.base import Item, Source, Unusable
from munet.tasks.splits import Range

Progress = Callable[[int, int], None]
"""Called with (examples done, examples in all)."""

_CHUNK = 256
_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Reading:
    """What a selection holds: decoded images (when kept), labels int64 (N,), what was left out, the fingerprint."""

    images: list[np.ndarray]
    labels: np.ndarray
    bad: list[str]
    fingerprint: str


def read(
    source: Source,
    ranges: Sequence[Range],
    *,
    side: int | None = None,
    keep: bool = True,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Reading:
    """Read every example of `ranges`, in order.

    An unusable image raises InputError that names it, or with `skip_bad` is left out. Without `keep` the images are
    checked and dropped. Images larger than `side` are resized. The fingerprint covers content and labels, unusable
    examples included, not names or dates.
    """
    labels = np.concatenate([source.labels(split)[start:stop] for split, start, stop in ranges])
    names = [(split, index) for split, start, stop in ranges for index in range(start, stop)]
    items = (item for split, start, stop in ranges for item in source.items(split, start, stop))
    state = hashlib.sha256()
    images: list[np.ndarray] = []
    good: list[int] = []
    bad: list[str] = []

    def work(job: tuple[int, Item]) -> tuple[bytes, np.ndarray | InputError | None]:
        index, item = job
        return _content_hash(item), _decode(item, lambda: source.name(*names[index]), side, keep)

    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        # Pillow warns of odd but readable files (EXIF, palettes); what cannot be read is an error, not a warning.
        warnings.simplefilter("ignore")
        for first, chunk in _chunks(items):
            for index, (digest, result) in enumerate(pool.map(work, enumerate(chunk, first)), first):
                state.update(digest + int(labels[index]).to_bytes(8, "little"))
                if isinstance(result, InputError):
                    if not skip_bad:
                        raise InputError(
                            f"{result}; repair or remove it, or say --skip-bad to go on without"
                        ) from result
                    bad.append(str(result))
                    continue
                good.append(index)
                if result is not None:
                    images.append(result)
            if progress:
                progress(min(first + _CHUNK, len(names)), len(names))
    return Reading(images, labels[good], bad, f"sha256:{state.hexdigest()}")


def _chunks(items: Iterator[Item]) -> Iterator[tuple[int, list[Item]]]:
    first = 0
    while chunk := list(islice(items, _CHUNK)):
        yield first, chunk
        first += len(chunk)


def _content_hash(item: Item) -> bytes:
    if isinstance(item, np.ndarray):
        return hashlib.sha256(repr(item.shape).encode() + item.tobytes()).digest()
    return hashlib.sha256(item.content if isinstance(item, Unusable) else item).digest()


def _decode(item: Item, name: Callable[[], str], side: int | None, keep: bool) -> np.ndarray | InputError | None:
    if isinstance(item, Unusable):
        return InputError(item.reason)
    if isinstance(item, np.ndarray):
        return (fit(item, side) if side is not None and max(item.shape[:2]) > side else item) if keep else None
    try:
        pixels = decode_image(item, name=name(), side=side)
    except InputError as error:
        return error
    return pixels if keep else None


def stack(images: Sequence[np.ndarray], side: int | None) -> np.ndarray:
    """uint8 (N, H, W, C): of one common size as they are, else all (side, side); C is 1 if all are grey, else 3."""
    if not images:
        raise InputError("no image is left")
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1 and side is None:
        raise InputError(f"images of {len(sizes)} different sizes: say to which side to resize them")
    channels = max(image.shape[-1] for image in images)
    height, width = sizes.pop() if len(sizes) == 1 else (side, side)
    result = np.empty((len(images), height, width, channels), np.uint8)  # type: ignore[arg-type]
    for row, image in enumerate(images):
        result[row] = image if image.shape[:2] == (height, width) else fit(image, height)  # type: ignore[arg-type]
    return result


def overall_fingerprint(classes: Sequence[str], splits: dict[str, str]) -> str:
    """One fingerprint of the class names and the fingerprints of all splits."""
    text = json.dumps({"classes": list(classes), "splits": splits}, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
