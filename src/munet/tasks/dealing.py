"""Which split each new image of a task that grew gets: those that are there keep theirs."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from munet.tasks.splits import PARTS

NEW = -1
_CUT = (PARTS.index("test"), PARTS.index("validation"))


def deal(labels: np.ndarray, held: np.ndarray, sizes: Mapping[int, int], by_class: np.ndarray) -> np.ndarray:
    """The split of each of N images, int64 (N,), as a place in `PARTS`.

    `labels` int64 (N,), all in the order of the source; `held` int64 (N,) what each has, or `NEW`; `sizes`: how many
    of the N each split should have by its rule. Test, then validation get what they lack of that, the first new images
    first, and train the rest. Images of the classes `by_class` are dealt class by class, the same shares of each, and
    one to each split where there are enough: so that a new class is everywhere.
    """
    found = held.copy()
    train = PARTS.index("train")
    rest = train if sizes.get(train) else max(sizes, key=lambda part: sizes[part])
    cut = [part for part in _CUT if sizes.get(part) and part != rest]
    for label in by_class.tolist():
        mine = labels == label
        count = int(np.count_nonzero(mine))
        wanted = {part: round(Fraction(sizes[part] * count, len(labels))) for part in cut}
        if count > len(cut):
            wanted = {part: max(1, size) for part, size in wanted.items()}
        _fill(found, mine, wanted, rest)
    _fill(found, np.ones(len(labels), bool), {part: sizes[part] for part in cut}, rest)
    return found


def _fill(found: np.ndarray, mine: np.ndarray, wanted: Mapping[int, int], rest: int) -> None:
    """Give the new ones among `mine` (N,) to the splits that have less than is wanted, the others to `rest`."""
    places = np.flatnonzero(mine & (found == NEW))
    keep = 0 if np.any(found[mine] == rest) else 1  # one at least is learned from
    for part, size in wanted.items():
        lacks = size - int(np.count_nonzero(found[mine] == part))
        take = max(0, min(lacks, len(places) - keep))
        found[places[:take]] = part
        places = places[take:]
    found[places] = rest
