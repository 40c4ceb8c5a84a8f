"""Where everything of a network picture goes, as plain numbers: no drawing here, no matplotlib, no torch.

A column is one unit wide and holds one task; rows are counted upwards from 0, one for each slot. A layer is a box in
the row of its slot, as wide as it has users: each user's line enters and leaves through a port of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

PORT = 0.3  # distance of two lines in one box
PAD = 0.21  # from the first and the last line to the sides of the box
GAP = 0.18  # between two boxes of one row; a row never needs more room than the columns have
_LOOSE = 40  # tasks above which lines pass rows where they have no layer without making room there
_CROSSING = 0.5  # columns that a line would rather run sideways than cross another
_FEW = 24  # tasks up to which crossings are looked at
_MOST_TRIALS = 3000  # layouts tried while columns are put in order


@dataclass(frozen=True)
class Layer:
    """A layer in a model: its id, its number of parameters, and the task that trained it (None: the root).

    `together` has the tasks that trained it, where these are several.
    """

    identity: str
    parameters: int
    trained_by: str | None
    together: tuple[str, ...] = ()


@dataclass(frozen=True)
class Path:
    """A task and the layers of its model by slot; no layers where nothing was evolved yet."""

    task: str
    layers: Mapping[str, Layer]
    accuracy: float | None = None  # on the validation split: what stands on its head, in every picture and on the page


@dataclass(frozen=True)
class Box:
    """A layer in the picture. `layer` is None where a task has nothing in this row and its line only passes."""

    row: int
    layer: Layer | None
    users: tuple[str, ...]  # from left to right
    x: float

    @property
    def width(self) -> float:
        return width(len(self.users))

    def port(self, task: str) -> float:
        """Where the line of `task` runs through this box."""
        return self.x + PORT * (self.users.index(task) - (len(self.users) - 1) / 2)


@dataclass(frozen=True)
class Layout:
    """All of a picture: tasks from left to right, slots upwards, boxes, and the points of each task's line by row."""

    tasks: tuple[str, ...]
    slots: tuple[str, ...]
    boxes: tuple[Box, ...]
    lines: Mapping[str, tuple[float, ...]]

    def column(self, task: str) -> int:
        return self.tasks.index(task)


def width(users: int) -> float:
    return 2 * PAD + PORT * max(0, users - 1)


def arrange(paths: Sequence[Path], slots: Sequence[str], order: Sequence[str] | None = None) -> Layout:
    """Columns ordered so that lines are short, boxes near their users. `slots` in forward order.

    Tasks without a model keep their place at the right and get no line. In an animation nothing may jump: with `order`,
    all of its columns and all rows stay where they are, also those that nobody uses yet.
    """
    grown = [path for path in paths if path.layers]
    present = tuple(slot for slot in slots if order is not None or any(slot in path.layers for path in grown))
    loose = max(len(grown), len(order or ())) > _LOOSE
    rows = [_holders(grown, slot, passing=not loose) for slot in present]
    order = list(order) if order is not None else _shorten([path.task for path in grown], rows)
    boxes = [box for number, holders in enumerate(rows) for box in _row(number, holders, order)]
    found = {(box.row, task): box for box in boxes for task in box.users}
    there = {path.task for path in grown}
    lines = {task: _through(task, column, found, len(rows)) for column, task in enumerate(order) if task in there}
    idle = [path.task for path in paths if not path.layers and path.task not in order]
    return Layout((*order, *idle), present, tuple(boxes), lines)


def _through(task: str, column: int, found: Mapping[tuple[int, str], Box], rows: int) -> tuple[float, ...]:
    """Where a line runs through each row; in one where it has no box, on the straight way between those that it has."""
    known = [(row, found[row, task].port(task)) for row in range(rows) if (row, task) in found]
    stops = [(-1, float(column)), *known, (rows, float(column))]
    points = []
    for (below, x), (above, to) in pairwise(stops):
        points += [x + (to - x) * (row - below) / (above - below) for row in range(below + 1, above)]
        points.append(to)
    return tuple(points[:rows])


Holders = list[tuple[Layer | None, tuple[str, ...]]]


def _holders(paths: Iterable[Path], slot: str, *, passing: bool = True) -> Holders:
    """The layers of a row with their users; a task that lacks the slot passes alone."""
    users: dict[str, list[str]] = {}
    layers: dict[str, Layer] = {}
    alone: Holders = []
    for path in paths:
        layer = path.layers.get(slot)
        if layer is None:
            if passing:
                alone.append((None, (path.task,)))
        else:
            layers[layer.identity] = layer
            users.setdefault(layer.identity, []).append(path.task)
    return [*((layers[key], tuple(tasks)) for key, tasks in users.items()), *alone]


def _row(number: int, holders: Holders, order: Sequence[str]) -> list[Box]:
    column = {task: x for x, task in enumerate(order)}
    wanted = []
    for layer, tasks in holders:
        users = tuple(sorted(tasks, key=column.__getitem__))
        wanted.append((sum(column[task] for task in users) / len(users), users, layer))
    wanted.sort(key=lambda item: (item[0], column[item[1][0]]))
    places = spread([x for x, _, _ in wanted], [width(len(users)) for _, users, _ in wanted], len(order))
    return [Box(number, layer, users, x) for x, (_, users, layer) in zip(places, wanted, strict=True)]


def spread(wanted: Sequence[float], widths: Sequence[float], columns: int) -> list[float]:
    """Centres as near to `wanted` (ascending) as boxes of these widths allow without touching.

    Boxes that collide form a group, which sits where its members want to be on average (isotonic regression).
    """
    offsets, left = [], 0.0
    for box in widths:
        offsets.append(left + box / 2)
        left += box + GAP
    room = max(0.0, columns - (left - GAP))
    # Where each box would have the left end of a row without gaps; equal values mean that boxes touch.
    groups: list[tuple[float, int]] = []
    for target, offset in zip(wanted, offsets, strict=True):
        mean, count = target - offset, 1
        while groups and groups[-1][0] > mean:
            other, others = groups.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        groups.append((mean, count))
    starts = [min(max(mean, -0.5), -0.5 + room) for mean, count in groups for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def _shorten(order: list[str], rows: Sequence[Holders]) -> list[str]:
    """The order of columns after moving one task at a time for as long as that makes all lines shorter together."""
    best, trials = _length(order, rows), 0
    improved = True
    while improved and trials < _MOST_TRIALS:
        improved = False
        for task in list(order):
            rest = [other for other in order if other != task]
            for place in range(len(order)):
                trial = [*rest[:place], task, *rest[place:]]
                trials += 1
                length = _length(trial, rows)
                if length < best - 1e-9:
                    order, best, improved = trial, length, True
            if trials >= _MOST_TRIALS:
                break
    return order


def _length(order: Sequence[str], rows: Sequence[Holders]) -> float:
    """How far all lines run sideways, from the column below the first row to the column above the last one.

    Two lines that cross count as `_CROSSING` more; of many tasks that is not looked at, it would take too long.
    """
    total = 0.0
    column = {task: float(x) for x, task in enumerate(order)}
    last = column
    for number, holders in enumerate(rows):
        ports = {task: box.port(task) for box in _row(number, holders, order) for task in box.users}
        total += _between(last, {**last, **ports})
        last = {**last, **ports}
    return total + _between(last, column)


def _between(below: Mapping[str, float], above: Mapping[str, float]) -> float:
    """How far lines run from one row to the next, and what their crossings count."""
    total = sum(abs(above[task] - x) for task, x in below.items())
    if len(below) > _FEW:
        return total
    upwards = [above[task] for task in sorted(below, key=below.__getitem__)]
    return total + _CROSSING * sum(one > other for n, one in enumerate(upwards) for other in upwards[n + 1 :])
