"""Where the labels of points go, so that they cover neither each other nor what is drawn."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
_DISTANCES = (4.0, 7.0, 11.0, 16.0)  # points from the centre of a marker
_MARKER = 3.0  # points from its centre to its edge
_STEPS = 24  # places looked at on a line between two points


class Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: "Box") -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


def choose(
    anchors: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: Sequence[Box],
    room: Box,
) -> list[Box]:
    """A box of each size near its anchor, all in points: the first place that covers nothing, or the one that covers
    least. What leaves `room` counts most, then other labels, then obstacles."""
    placed: list[Box] = []
    for (x, y), (width, height) in zip(anchors, sizes, strict=True):
        best, least = None, float("inf")
        for rank, (distance, (right, up)) in enumerate((d, way) for d in _DISTANCES for way in _DIRECTIONS):
            left = x + right * distance - (width / 2 if right == 0 else width if right < 0 else 0)
            bottom = y + up * distance - (height / 2 if up == 0 else height if up < 0 else 0)
            box = Box(left, bottom, left + width, bottom + height)
            cost = 100 * (box.area - box.shared(room)) + 10 * sum(box.shared(other) for other in placed)
            cost += sum(box.shared(other) for other in obstacles) + 1e-6 * rank
            if cost < least:
                best, least = box, cost
        assert best is not None
        placed.append(best)
    return placed


def place_labels(axes: "Axes", labels: Sequence[tuple[float, float, str]], size: float, colour: str) -> None:
    """Write each (x, y, text), data coordinates, beside its point. The figure's layout must be done.

    Markers and the lines between points, of all that `axes` holds, are kept free where that is possible.
    """
    figure = axes.figure
    canvas = figure.canvas
    scale = 72 / figure.dpi
    texts = [axes.text(x, y, text, fontsize=size, color=colour, zorder=4) for x, y, text in labels]
    renderer = canvas.get_renderer()  # type: ignore[attr-defined]
    extents = [text.get_window_extent(renderer) for text in texts]
    obstacles: list[Box] = []
    for line in axes.get_lines():
        ends = [tuple(scale * v for v in end) for end in axes.transData.transform(line.get_xydata())]
        obstacles += [Box(x - _MARKER, y - _MARKER, x + _MARKER, y + _MARKER) for x, y in ends]
        for (x0, y0), (x1, y1) in pairwise(ends):
            for step in range(1, _STEPS):
                x, y = x0 + (x1 - x0) * step / _STEPS, y0 + (y1 - y0) * step / _STEPS
                obstacles.append(Box(x - 0.7, y - 0.7, x + 0.7, y + 0.7))
    whole = axes.get_window_extent(renderer)
    room = Box(*(scale * v for v in (whole.x0, whole.y0, whole.x1, whole.y1)))
    anchors = [tuple(scale * v for v in axes.transData.transform((x, y))) for x, y, _ in labels]
    boxes = choose(anchors, [(scale * e.width, scale * e.height) for e in extents], obstacles, room)  # type: ignore[arg-type]
    back = axes.transData.inverted()
    for text, box in zip(texts, boxes, strict=True):
        x, y = back.transform((box.left / scale, box.bottom / scale))
        text.set_position((float(x), float(y)))
        text.set_verticalalignment("bottom")
