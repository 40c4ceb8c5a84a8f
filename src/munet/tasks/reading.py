"""Reading the examples of a selection: decode, count what is unusable, and take the fingerprint on the way."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np

from munet.errors import InputError
from munet.tasks.form import Form
from munet.tasks.images import decode_near
from munet.tasks.listing import entry, fingerprint_of
from munet.tasks.sources.base import Item, Source, Unusable, content
from munet.tasks.splits import Range

Progress = Callable[[int, int], None]
"""Called with (examples done, examples in all)."""

Size = tuple[int, int]
"""Height and width."""

_CHUNK = 256
_WHITE = 255
_SMALL = 16384  # bytes of an image, on average
_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Reading:
    """What a selection holds beside its images: labels int64 (N,), what was left out, the listing of all examples; the
    size (height, width) that all images came in, None where several, and the channels of the one that has most.

    For each image also the hash of its `contents`, which of the `examples` of the source it is (split and place), and
    what it looks like, where that was asked for. `brightest` is the largest value of any, 0 to 255.
    """

    labels: np.ndarray
    bad: list[str]
    listing: bytes
    size: Size | None
    channels: int
    contents: list[bytes]
    examples: list[tuple[str, int]]
    looks: list[bytes] = field(default_factory=list)
    brightest: int = 0

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.listing)


class _Seen(NamedTuple):
    """What is kept of an image, and its pixels where somebody gathers them."""

    size: Size
    channels: int
    brightest: int
    look: bytes
    pixels: np.ndarray | None


def read(
    source: Source,
    ranges: Sequence[Range],
    *,
    form: Form | None = None,
    to: Callable[[np.ndarray], object] | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
    look: Callable[[np.ndarray], bytes] | None = None,
) -> Reading:
    """Read every example of `ranges`, in order.

    Each image goes `to` whoever gathers them, until that returns False; without one it is only checked. An unusable
    image raises InputError that names it, or with `skip_bad` is left out. Images come in their `form`, without one as
    they are. The listing has content and labels, unusable examples included, not names or dates. `look` makes the
    `looks` of images.
    """
    labels = _labels(source, ranges)
    names = [(split, index) for split, start, stop in ranges for index in range(start, stop)]
    plain, listing = labels.tolist(), bytearray()
    good: list[int] = []
    contents: list[bytes] = []
    bad: list[str] = []
    looks: list[bytes] = []
    sizes: set[Size] = set()  # two tell that there are several
    channels, brightest = 1, 0

    def work(job: tuple[int, Item]) -> tuple[bytes, _Seen | InputError]:
        index, item = job
        result = _decode(item, lambda: source.name(*names[index]), form, source.white)
        if isinstance(result, InputError):
            return _content_hash(item), result
        pixels, size = result
        # 256 checked photos at once would be gigabytes: without a reader only what they are like is kept
        kept = None if to is None else pixels if form is None else form.fitted(pixels)
        most = _WHITE if brightest == _WHITE else int(pixels.max())  # then no other can be brighter
        return _content_hash(item), _Seen(size, pixels.shape[2], most, b"" if look is None else look(pixels), kept)

    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool:
        # Pillow warns of odd but readable files (EXIF, palettes); what cannot be read is an error, not a warning.
        warnings.simplefilter("ignore")
        for first, chunk in _chunks(_items(source, ranges)):
            many = pool.map if _is_large(chunk) else map
            for index, (digest, result) in enumerate(many(work, enumerate(chunk, first)), first):
                listing += entry(digest, plain[index])
                if isinstance(result, InputError):
                    if not skip_bad:
                        raise InputError(
                            f"{result}; repair or remove it, or say --skip-bad to go on without"
                        ) from result
                    bad.append(str(result))
                    continue
                good.append(index)
                contents.append(digest)
                if look is not None:
                    looks.append(result.look)
                brightest = max(brightest, result.brightest)
                channels = max(channels, result.channels)
                if len(sizes) < 2:
                    sizes.add(result.size)
                if to is not None and result.pixels is not None:
                    to = None if to(result.pixels) is False else to
            if progress:
                progress(min(first + _CHUNK, len(names)), len(names))
    size = sizes.pop() if len(sizes) == 1 else None
    examples = [names[index] for index in good]
    return Reading(labels[good], bad, bytes(listing), size, channels, contents, examples, looks, brightest)


def list_images(source: Source, ranges: Sequence[Range], progress: Progress | None = None) -> bytes:
    """The listing that `read` would make, without decoding an image; what is unusable is no error."""
    labels, listing = _labels(source, ranges), bytearray()
    with ThreadPoolExecutor(_THREADS) as pool:
        for first, chunk in _chunks(_items(source, ranges)):
            many = pool.map if _is_large(chunk) else map
            for index, content in enumerate(many(_content_hash, chunk), first):
                listing += entry(content, labels[index])
            if progress:
                progress(min(first + _CHUNK, len(labels)), len(labels))
    return bytes(listing)


def _labels(source: Source, ranges: Sequence[Range]) -> np.ndarray:
    return np.concatenate([source.labels(split)[start:stop] for split, start, stop in ranges])


def _items(source: Source, ranges: Sequence[Range]) -> Iterator[Item]:
    return (item for split, start, stop in ranges for item in source.items(split, start, stop))


def _chunks(items: Iterator[Item]) -> Iterator[tuple[int, list[Item]]]:
    first = 0
    while chunk := list(islice(items, _CHUNK)):
        yield first, chunk
        first += len(chunk)


def _is_large(chunk: Sequence[Item]) -> bool:
    """Whether threads are worth it: small images take less time than handing them over."""
    sizes = (item.nbytes if isinstance(item, np.ndarray) else len(content(item)) for item in chunk)
    return sum(sizes) > len(chunk) * _SMALL


def _content_hash(item: Item) -> bytes:
    if isinstance(item, np.ndarray):
        return hashlib.sha256(repr(item.shape).encode() + item.tobytes()).digest()
    return hashlib.sha256(item.content if isinstance(item, Unusable) else item).digest()


def _decode(
    item: Item, name: Callable[[], str], form: Form | None, white: int | None
) -> tuple[np.ndarray, Size] | InputError:
    """An example before it gets its form, and the size that it has."""
    if isinstance(item, Unusable):
        return InputError(item.reason)
    if isinstance(item, np.ndarray):
        return item, (item.shape[0], item.shape[1])

    def decoded(called: str | None) -> tuple[np.ndarray, Size]:
        return decode_near(item, None, name=called, white=white) if form is None else form.decoded(item, called)

    try:
        try:
            return decoded(None)
        except InputError:  # once more, for the name: it takes longer to make than some images to decode
            return decoded(name())
    except InputError as error:
        return error


def overall_fingerprint(classes: Sequence[str], splits: dict[str, str]) -> str:
    """One fingerprint of the class names and the fingerprints of all splits."""
    text = json.dumps({"classes": list(classes), "splits": splits}, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
