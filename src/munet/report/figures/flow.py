"""Which tasks' models descend from which: a graph of arrows on a circle (A15) and a matrix of shares (A16).

Both count, along the lineage of each retained model, the ancestors by their task, a model's own task included.
"""

from collections.abc import Sequence
from math import cos, degrees, pi, sin
from typing import TYPE_CHECKING

from .matrices import cell_side, matrix, matrix_size, scale_bar
from .needs import Options, evolved
from .style import SMALL, Page, looks, page

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...analysis import History

_NAME = 20  # letters of a task's name around the circle
_THICK = 5.0  # points of the strongest arrow
_LEVEL = 12  # tasks up to which names are level
_PITCH = 0.13  # inches that a name needs along the circle


def _counts(history: "History", figure: str) -> tuple[list[str], "np.ndarray"]:
    """Task names and the counts: rows are tasks, columns the tasks of their ancestors."""
    from ...analysis.flow import counts

    evolved(history, figure)
    table = counts(history)
    return [str(name) for name in table.index], table.to_numpy(float)


def draw_graph(history: "History", options: Options) -> "Figure":
    """An arrow from each task to those whose models descend from it."""
    names, counts = _counts(history, "flow")
    return graph(names, counts, list(dict.fromkeys(history.tasks["task"])), len(history.systems))


def graph(names: Sequence[str], counts: "np.ndarray", order: Sequence[str], systems: int) -> "Figure":
    """The graph of these counts. Width as in the papers' notebook: (n + T/2) / (T + T/2), T all ancestors of a task."""
    given = sum(bool(counts[i, j]) for i in range(len(names)) for j in range(len(names)) if i != j)
    title = f"Knowledge flow between {len(names)} task{'s' * (len(names) != 1)}"
    title += f", {systems} systems together" if systems > 1 else ""
    reading = (
        "An arrow leads from a task to one whose model descends from it, in the colour of the ancestor; the more of the "
        "ancestors are that task's, the wider. Loops: ancestors of the task itself. "
        f"{given} pair{'s' * (given != 1)} of tasks."
    )
    radius = max(1.35 if len(names) > 1 else 0.5, len(names) * _PITCH / (2 * pi))
    ring = min(0.15, 0.45 * 2 * pi * radius / len(names))
    wide, high = radius + 2 * ring + 1.3, radius + 2 * ring + (0.25 if len(names) <= _LEVEL else 1.3)
    with page(title, reading, (max(4.6, 2 * wide), 2 * high), names) as made:
        axes = made.panels()[0][0]
        axes.set_axis_off()
        axes.grid(visible=False)
        axes.set_aspect("equal")
        axes.set(xlim=(-wide, wide), ylim=(-high, high))
        _nodes_and_arrows(made, axes, names, counts, looks(order), radius, ring)
    return made.figure


def _nodes_and_arrows(made: Page, axes: "Axes", names, counts, look, radius: float, ring: float) -> None:  # noqa: ANN001
    angles = [pi / 2 - 2 * pi * number / len(names) for number in range(len(names))]
    points = [(radius * cos(a), radius * sin(a)) for a in angles]
    arrows = []
    for row, total in enumerate(counts.sum(axis=1)):
        for column in range(len(names)):
            if counts[row, column] > 0:
                arrows.append(((counts[row, column] + 0.5 * total) / (1.5 * total), column, row))
    thick = _THICK if len(names) <= 16 else _THICK * 0.55 if len(names) <= 48 else _THICK * 0.3
    for width, source, target in sorted(arrows):
        colour = look[names[source]].colour
        if source == target:
            _loop(axes, points[source], angles[source], ring, thick * width, colour)
        else:
            _arrow(axes, points[source], points[target], thick * width, colour)
    dot = 9.0 if len(names) <= 16 else 4.5
    looped = {source for _, source, target in arrows if source == target}
    for number, (name, (x, y), angle) in enumerate(zip(names, points, angles, strict=True)):
        axes.plot([x], [y], "o", color=look[name].colour, ms=dot, mec="white", mew=0.8, zorder=5)
        _label(made, axes, name, angle, radius + (2 * ring + 0.06 if number in looped else 0.12), len(names))


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float], width: float, colour: str) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(
            start, end, connectionstyle="arc3,rad=0.18", arrowstyle="-|>", mutation_scale=4.5 + 1.7 * width,
            lw=width, color=colour, alpha=0.85, shrinkA=5, shrinkB=6.5, zorder=2 + width / 100, joinstyle="miter",
        )
    )  # fmt: skip


def _loop(axes: "Axes", point: tuple[float, float], angle: float, ring: float, width: float, colour: str) -> None:
    """A ring outside the circle."""
    from matplotlib.patches import Arc

    x, y = point[0] + ring * cos(angle), point[1] + ring * sin(angle)
    axes.add_patch(Arc((x, y), 2 * ring, 2 * ring, lw=width * 0.6, color=colour, alpha=0.85, zorder=1.5))


def _label(made: Page, axes: "Axes", name: str, angle: float, away: float, count: int) -> None:
    """Level where there is room, else along the ray from the centre, never upside down."""
    x, y = away * cos(angle), away * sin(angle)
    words = made.say(name, _NAME)
    right = cos(angle) > 1e-9
    if count <= _LEVEL:
        side = "center" if abs(cos(angle)) < 0.3 else "left" if right else "right"
        upright = "bottom" if sin(angle) > 0.9 else "top" if sin(angle) < -0.9 else "center"
        axes.text(x, y, words, ha=side, va=upright, fontsize=SMALL + 0.5)
        return
    turn = degrees(angle) if right else degrees(angle) + 180
    axes.text(x, y, words, ha="left" if right else "right", va="center", rotation=turn, rotation_mode="anchor",
              fontsize=SMALL - 1)  # fmt: skip


def draw_matrix(history: "History", options: Options) -> "Figure":
    """Rows are tasks, columns the tasks of their ancestors, each row in percent."""
    import numpy as np

    names, counts = _counts(history, "transfers")
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    several = f", {len(history.systems)} systems together" if len(history.systems) > 1 else ""
    reading = (
        "Each row: of the ancestors of a task's model that were trained on some task, the share trained on each, in percent. "
        "The diagonal is the task itself. An empty row has no such ancestor."
    )
    with page(f"Where models come from{several}", reading, matrix_size(names, names, 0.7), names) as made:
        axes = made.panels()[0][0]
        image = matrix(made, axes, shares, names, names, lambda v: f"{v:.0f}" if v else "", vmin=0, vmax=100)
        axes.set_ylabel("task")
        axes.set_xlabel("task of the ancestors")
        scale_bar(made, axes, image, "share of ancestors (%)")
    return made.figure
