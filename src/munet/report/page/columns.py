"""The order of the tasks from left to right: those that share layers stand side by side."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from munet.report.network.layout import Layer, Path, arrange

if TYPE_CHECKING:
    import numpy as np

_FEW = 12  # tasks up to which every move is tried, as `munet plot network` does; it takes too long for more

Layers = Mapping[str, str] | None  # slot -> layer of a task's model


def arranged(layers: Sequence[Layers]) -> list[int]:
    """Numbers of the tasks in the order of their columns; those without a model come last, in their own order."""
    grown = [task for task, path in enumerate(layers) if path]
    if len(grown) > _FEW:
        grown = _families(grown, layers)
    elif grown:
        slots = list(dict.fromkeys(slot for path in layers for slot in path or ()))
        paths = [Path(str(t), {s: Layer(i, 0, None) for s, i in (layers[t] or {}).items()}) for t in grown]
        grown = [int(task) for task in arrange(paths, slots).tasks]
    return [*grown, *(task for task, path in enumerate(layers) if not path)]


def _families(grown: list[int], layers: Sequence[Layers]) -> list[int]:
    """Join the two groups that share most, again and again, with those ends together that share most."""
    import numpy as np

    sets = [set((layers[task] or {}).values()) for task in grown]
    likeness = np.array([[len(a & b) for b in sets] for a in sets], dtype=float)
    near, groups = likeness.copy(), {number: [number] for number in range(len(grown))}
    np.fill_diagonal(near, -1.0)
    while len(groups) > 1:
        first, second = divmod(int(near.argmax()), len(grown))
        first, second = min(first, second), max(first, second)
        a, b = groups[first], groups.pop(second)
        groups[first] = _joined(a, b, likeness)
        near[first] = near[:, first] = (near[first] * len(a) + near[second] * len(b)) / (len(a) + len(b))
        near[first, first] = -1.0
        near[second] = near[:, second] = -1.0
    return [grown[number] for group in groups.values() for number in group]


def _joined(a: list[int], b: list[int], likeness: "np.ndarray") -> list[int]:
    ways = ((a, b), (a, b[::-1]), (a[::-1], b), (b, a))
    x, y = max(ways, key=lambda way: likeness[way[0][-1], way[1][0]])
    return [*x, *y]
