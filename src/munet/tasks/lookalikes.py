"""Images that look the same though their files differ, as those saved again in another size or quality: a warning, for
nobody can be sure. Needs imagehash (`munet-ml[duplicates]`); without it none is looked for.

An image is told by its perceptual hash (Zauner 2010): which of its 256 lowest frequencies are above their median. Of
photographs that were saved again at half the size in quality 60, half differ in 4 to 12 bits, in their own size and
quality 70 in 2 to 6; different photographs in 12 at least, most in 80 and more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec

import numpy as np
from PIL import Image

from munet.tasks.duplicates import Duplicates
from munet.tasks.reading import Reading
from munet.text import counted

_SIDE = 16
_CLOSE = 10  # bits of 256
_FEW = 96  # ones, of which a photograph has 128: stripes and plain colours have few frequencies, and so equal hashes
_BANDS = _CLOSE + 1  # two hashes that differ in no more bits have one of so many parts in common
_LEAST = 64  # pixels of the shorter side: docs/tasks.md has what was found and missed below
_TOO_SMALL = b"-"  # in place of a hash
_ENOUGH = 128  # pixels of the shorter side that a hash is taken from
_GROUP = 64  # of hashes with a part in common, so many are compared with each other
_SHOWN = 2
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.int64)  # bits in a byte


def looks() -> Callable[[np.ndarray], bytes] | None:
    """Makes the hash (32 bytes) of an image uint8 (H, W, C), empty where that says little, and something shorter of one
    that is too small; None without imagehash."""
    if find_spec("imagehash") is None:
        return None
    import imagehash

    def look(pixels: np.ndarray) -> bytes:
        if min(pixels.shape[:2]) < _LEAST:
            return _TOO_SMALL
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        if (factor := min(image.size) // _ENOUGH) > 1:
            image = image.reduce(factor)  # a mean of squares: quick, and nothing that the hash could see is lost
        bits = imagehash.phash(image, hash_size=_SIDE).hash
        return np.packbits(bits).tobytes() if np.count_nonzero(bits) >= _FEW else b""

    return look


def find_lookalikes(readings: Mapping[str, Reading]) -> Duplicates:
    """Pairs that look the same, in two splits of the task or under two classes, but for those of equal content."""
    every = ((part, row, look) for part, reading in readings.items() for row, look in enumerate(reading.looks))
    parts = [(part, row) for part, row, look in every if look and look != _TOO_SMALL]
    if not parts:
        return Duplicates()
    hashes = np.array([np.frombuffer(readings[part].looks[row], np.uint8) for part, row in parts])
    found = Duplicates()
    for one, other in _close_pairs(hashes):
        (part, i), (second, j) = parts[one], parts[other]
        a, b = readings[part], readings[second]
        if a.contents[i] == b.contents[j] or a.examples[i] == b.examples[j]:
            continue
        pair = a.examples[i], b.examples[j]
        if a.labels[i] != b.labels[j]:
            found.classes.append(pair)
        elif part != second:
            found.splits.setdefault((part, second), []).append(pair)
    return found


def _close_pairs(hashes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Rows (i, j), i < j, of hashes uint8 (N, 32) that differ in few bits, ascending."""
    bits = np.unpackbits(hashes, axis=1)
    pairs = set[tuple[int, int]]()
    for band in np.array_split(np.arange(bits.shape[1]), _BANDS):
        keys = np.packbits(bits[:, band], axis=1)
        order = np.lexsort(keys.T)
        ends = np.flatnonzero(np.any(keys[order][1:] != keys[order][:-1], axis=1)) + 1
        for group in np.split(order, ends):
            some = np.sort(group)[:_GROUP]
            if len(some) > 1:
                near = _ONES[hashes[some][:, None] ^ hashes[some][None]].sum(2) <= _CLOSE
                i, j = np.nonzero(np.triu(near, 1))
                pairs.update(zip(some[i].tolist(), some[j].tolist(), strict=True))
    yield from sorted(pairs)


def told_of_lookalikes(
    found: Duplicates, readings: Mapping[str, Reading], name: Callable[[str, int], str]
) -> list[str]:
    """A sentence for each kind, with two examples, and one for images that were not compared. `name` says what to call
    an example."""

    def shown(pairs: Sequence[tuple[tuple[str, int], tuple[str, int]]]) -> str:
        return "; ".join(f"{name(*one)} ~ {name(*other)}" for one, other in pairs[:_SHOWN])

    sentences = [
        f"{counted(len(pairs), 'pair')} of {part} and {other} look the same ({shown(pairs)})"
        for (part, other), pairs in found.splits.items()
    ]
    if found.classes:
        sentences.append(f"{counted(len(found.classes), 'pair')} of two classes look the same ({shown(found.classes)})")
    small = sum(reading.looks.count(_TOO_SMALL) for reading in readings.values())
    if small:
        total = sum(len(reading.looks) for reading in readings.values())
        where = ", for all have" if small == total else f" among {small:,} of {total:,} images that have"
        sentences.append(f"images that look the same are not looked for{where} fewer than {_LEAST} pixels a side")
    return sentences
