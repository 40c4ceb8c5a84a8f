"""Which tasks' models descend from which: a graph of arrows on a circle (A15) and a matrix of shares (A16).

Both count, along the lineage of each retained model, the ancestors by their task, a model's own task included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, degrees, pi, sin
from typing import TYPE_CHECKING

from munet.report.figures.matrices import matrix, matrix_size, scale_bar
from munet.report.figures.needs import Frame, Options, evolved
from munet.report.figures.style import LETTER, SMALL, Page, looks, page
from munet.text import cells, clean, counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

_NAME = 20  # letters of a task's name around the circle
_THICK = 5.0  # points of the strongest arrow
_LEVEL = 12  # tasks up to which names are level
_PITCH = 0.13  # inches that a name needs along the circle


def draw_graph(history: "History", options: Options) -> "Figure":
    """An arrow from each task to those whose models descend from it."""
    from munet.analysis.flow import ancestor_counts, edges

    evolved(history, "flow")
    names = [str(name) for name in ancestor_counts(history).columns]
    arrows = edges(history)
    given = len(arrows[arrows["ancestor"] != arrows["task"]])
    title = f"Knowledge flow between {counted(len(names), 'task')}{_together(history)}"
    reading = (
        "An arrow leads from a task to one whose model descends from it, in the colour of the ancestor; the more of "
        f"the ancestors are that task's, the wider. Loops: the task's own. {counted(given, 'pair')} of tasks."
        if given
        else "No model descends from a model of another task. Loops: the model has ancestors of its own task."
    )
    radius = max(1.35, len(names) * _PITCH / (2 * pi)) if len(names) > 1 else 0.0
    ring = min(0.15, 0.45 * 2 * pi * radius / len(names)) if radius else 0.15
    longest = min(_NAME, max(cells(clean(name)) for name in names)) * (SMALL + 0.5) * LETTER + 0.15
    wide = radius + 2 * ring + longest
    high = radius + 2 * ring + (0.25 if len(names) <= _LEVEL else longest)
    with page(title, reading, (max(4.6, 2 * wide), 2 * high), names) as made:
        axes = made.panels()[0][0]
        axes.set_axis_off()
        axes.set(xlim=(-wide, wide), ylim=(-high, high), aspect="equal")
        look = looks(list(dict.fromkeys([*history.tasks["task"], *names])))
        _Circle(made, axes, names, {name: one.colour for name, one in look.items()}, radius, ring).draw(arrows)
    return made.figure


def _together(history: "History") -> str:
    return f", {len(history.systems)} systems together" if len(history.systems) > 1 else ""


@dataclass
class _Circle:
    """The graph of tasks on a circle, in inches from its centre."""

    made: Page
    axes: "Axes"
    names: Sequence[str]
    colours: Mapping[str, str]
    radius: float
    ring: float  # radius of a loop

    def __post_init__(self) -> None:
        count = len(self.names)
        self.angles = {name: pi / 2 - 2 * pi * place / count for place, name in enumerate(self.names)}
        self.thick = _THICK * (1 if count <= 16 else 0.55 if count <= 48 else 0.3)

    def at(self, name: str, radius: float) -> tuple[float, float]:
        return radius * cos(self.angles[name]), radius * sin(self.angles[name])

    def draw(self, arrows: Frame) -> None:
        """`arrows` with their ancestor, task and width from 1/3 to 1."""
        for ancestor, task, width in arrows.sort_values("width")[["ancestor", "task", "width"]].itertuples(index=False):
            self._loop(task, width) if ancestor == task else self._arrow(ancestor, task, width)
        looped = set(arrows.loc[arrows["ancestor"] == arrows["task"], "task"])
        dot = 9.0 if len(self.names) <= 16 else 4.5
        for name in self.names:
            x, y = self.at(name, self.radius)
            self.axes.plot([x], [y], "o", color=self.colours[name], ms=dot, mec="white", mew=0.8, zorder=5)
            self._label(name, self.radius + (2 * self.ring + 0.06 if name in looped else 0.12))

    def _arrow(self, start: str, end: str, width: float) -> None:
        from matplotlib.patches import FancyArrowPatch

        thick = self.thick * width
        self.axes.add_patch(
            FancyArrowPatch(
                self.at(start, self.radius), self.at(end, self.radius), connectionstyle="arc3,rad=0.18",
                arrowstyle="-|>", mutation_scale=4.5 + 1.7 * thick, lw=thick, color=self.colours[start], alpha=0.85,
                shrinkA=5, shrinkB=6.5, zorder=2 + width / 100, joinstyle="miter", gid=f"{start}>{end}",
            )
        )  # fmt: skip

    def _loop(self, name: str, width: float) -> None:
        """A ring outside the circle."""
        from matplotlib.patches import Arc

        middle = self.at(name, self.radius + self.ring)
        style = {"lw": 0.6 * self.thick * width, "color": self.colours[name], "alpha": 0.85, "zorder": 1.5}
        self.axes.add_patch(Arc(middle, 2 * self.ring, 2 * self.ring, **style))

    def _label(self, name: str, away: float) -> None:
        """Level where there is room, else along the ray from the centre, never upside down."""
        (x, y), angle = self.at(name, away), self.angles[name]
        words, right = self.made.say(name, _NAME), cos(angle) > 1e-9
        if len(self.names) <= _LEVEL:
            side = "center" if abs(cos(angle)) < 0.3 else "left" if right else "right"
            upright = "bottom" if sin(angle) > 0.9 else "top" if sin(angle) < -0.9 else "center"
            self.axes.text(x, y, words, ha=side, va=upright, fontsize=SMALL + 0.5)
            return
        turn = degrees(angle) + (0 if right else 180)
        look = {"rotation": turn, "rotation_mode": "anchor", "va": "center", "fontsize": SMALL - 1}
        self.axes.text(x, y, words, ha="left" if right else "right", **look)


def draw_matrix(history: "History", options: Options) -> "Figure":
    """Rows are tasks, columns the tasks of their ancestors, each row in percent."""
    from munet.analysis.flow import ancestor_shares

    evolved(history, "transfers")
    shares = ancestor_shares(history)
    rows, columns = ([str(name) for name in names] for names in (shares.index, shares.columns))
    reading = (
        "Each row: of the ancestors of a task's model trained on any task, the share of each task, in percent. "
        "On the diagonal stands the task itself. A hatched row has no such ancestor: the model was made from the root."
    )
    size = matrix_size(rows, columns, 0.7)
    with page(f"Where models come from{_together(history)}", reading, size, [*rows, *columns]) as made:
        axes = made.panels()[0][0]
        cells_ = 100 * shares.to_numpy(float)
        cells_[cells_.sum(axis=1) == 0] = float("nan")  # none is not a share of 0
        image = matrix(made, axes, cells_, rows, columns, lambda v: f"{v:.0f}", vmin=0, vmax=100)
        axes.set_ylabel("task")
        axes.set_xlabel("task of the ancestors")
        scale_bar(made, axes, image, "share of ancestors (%)")
    return made.figure
