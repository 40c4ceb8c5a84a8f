"""An order in which what is alike stands side by side."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def families(likeness: "np.ndarray") -> list[int]:
    """Rows of a symmetric matrix (N, N) of likeness, in order.

    The two groups that are most alike on average are joined, again and again, with those ends together that are most.
    """
    import numpy as np

    near, groups = likeness.astype(float), {number: [number] for number in range(len(likeness))}
    np.fill_diagonal(near, -1.0)
    while len(groups) > 1:
        first, second = sorted(divmod(int(near.argmax()), len(likeness)))
        a, b = groups[first], groups.pop(second)
        groups[first] = _joined(a, b, likeness)
        near[first] = near[:, first] = (near[first] * len(a) + near[second] * len(b)) / (len(a) + len(b))
        near[first, first] = -1.0
        near[second] = near[:, second] = -1.0
    return [number for group in groups.values() for number in group]


def _joined(a: list[int], b: list[int], likeness: "np.ndarray") -> list[int]:
    ways = ((a, b), (a, b[::-1]), (a[::-1], b), (b, a))
    x, y = max(ways, key=lambda way: likeness[way[0][-1], way[1][0]])
    return [*x, *y]
