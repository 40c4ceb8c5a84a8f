"""A picture of a system's network: who uses which layer, and who trained it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from munet.analysis.model_history import show
from munet.analysis.status import status
from munet.model.slots import parse, slot_order
from munet.report.network.layout import Box, Layer, Layout, Path, arrange
from munet.report.style.fonts import BASE, ellipsis, families, folded, writable
from munet.report.style.palette import FAINT, INK, ROOT, task_colours, text_on
from munet.report.style.saving import check_suffix, save
from munet.text import cells, clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from munet.store.store import HasStore, Store

_HIDDEN = ("norm",)  # always a task's own, like the head that follows it
_SMALL = ("cls", "posembed", "adapter", "pool")
_CAPTIONED = 72  # letters that a title with a caption of its own may have: its size does not change with them
_READING = (
    "Each line is a task: from its images at the bottom, through the layers of its model, to its classes at the top. "
    "A box is a layer, in the colours of the tasks that trained it; grey layers are the root's. Wide boxes are shared. "
    "Below the name of a slot: the parameters of one of its layers. On a head: the accuracy on validation images."
)
# inches
_MANY, _LEAST_PITCH = 40, 0.34  # tasks above which columns are narrower, down to so much
_PAGE = 18.0  # width above which title and names grow with the picture
_MARGIN, _LEFT, _LEAST_WIDTH = 0.45, 1.5, 9.0
_BAND = 0.06  # width of a colour, at least
_ROW, _SMALL_ROW, _BOX, _SMALL_BOX = 0.98, 0.68, 0.34, 0.21


def draw_network(system: "HasStore", path: str | File) -> File:
    """Draw the retained models of all tasks into a PNG, SVG or PDF file (by its suffix); returns the path.

    InputError for another suffix; StoreError where the file cannot be written, which happens in one step.
    """
    target = File(path)
    check_suffix(target)
    return save(network_figure(system.store), target)


def task_paths(store: "Store") -> list[Path]:
    """What the picture shows of each task, in the order in which the tasks were added."""
    paths = []
    for row in status(store)["tasks"]:
        layers = {}
        for layer in show(store, row["model"])["layers"] if row["model"] else ():
            trainer = None if layer["trained_by"] == "root" else layer["trained_by"]
            layers[layer["slot"]] = Layer(layer["layer"], layer["parameters"], trainer, tuple(layer["together"]))
        paths.append(Path(row["name"], layers, row["validation_accuracy"]))
    return paths


def visible_slots(paths: Sequence[Path]) -> list[str]:
    """Slots that get a row, in forward order."""
    slots = {slot for path in paths for slot in path.layers}
    return sorted((slot for slot in slots if slot not in _HIDDEN), key=slot_order)


def network_figure(store: "Store") -> "Figure":
    """The picture as a matplotlib figure."""
    paths, facts = task_paths(store), status(store)
    if not any(path.layers for path in paths):
        return _nothing_yet(paths, str(facts["root"]["source"]))
    return picture(paths, _title(facts))


def picture(
    paths: Sequence[Path],
    title: str,
    *,
    layout: Layout | None = None,
    caption: Sequence[str] | None = None,
    highlight: str | None = None,
) -> "Figure":
    """A figure of these paths, at least one of which has layers.

    `layout` if it is not to be the usual one, `caption` the lines below the title instead of how to read the picture,
    `highlight` a task that is to stand out.
    """
    return _Picture(paths, layout or arrange(paths, visible_slots(paths)), title, caption, highlight).draw()


def _title(status: dict[str, Any]) -> str:
    grown = sum(row["model"] is not None for row in status["tasks"])
    parts = [
        "1 task" if grown == 1 else f"{grown} tasks",
        f"{status['unique_parameters']:,} unique parameters",
        f"{round(status['parameters_per_task']):,} per task",
    ]
    if status["mean_test_accuracy"] is not None:
        parts.append(f"mean test accuracy {100 * status['mean_test_accuracy']:.1f} %")
    return "  ·  ".join(parts)


def _figure(width: float, height: float) -> tuple["Figure", "Axes"]:
    """A figure whose coordinates are inches from its lower left corner."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


def _nothing_yet(paths: Sequence[Path], root: str) -> "Figure":
    names = ", ".join(clean(path.task) for path in paths) or "no tasks yet"
    lines = [
        "No task has been evolved yet",
        *wrap(f"The system holds its root, {clean(root)}, and: {names}.", 95)[:6],
        "`munet evolve` gives each task a model; then this picture shows who shares which layers.",
    ]
    fonts = families(lines)
    figure, axes = _figure(_LEAST_WIDTH, 1.3 + 0.28 * len(lines))
    top = 0.75 + 0.28 * len(lines)
    for number, line in enumerate(lines):
        style = {"fontsize": 15, "weight": "bold", "color": INK} if number == 0 else {"fontsize": 10, "color": FAINT}
        y = top - 0.28 * number - (0.1 if number else 0)
        axes.text(0.5, y, writable(line, fonts), family=fonts, parse_math=False, **style)
    return figure


@dataclass
class _Picture:
    """Drawing one layout. Inches throughout; `pitch` is the width of a column."""

    paths: Sequence[Path]
    layout: Layout
    title: str
    caption_lines: Sequence[str] | None = None
    highlight: str | None = None
    pitch: float = field(init=False)
    x0: float = field(init=False)  # of the first column's centre
    y: list[float] = field(init=False)  # of the rows' centres

    def __post_init__(self) -> None:
        columns = len(self.layout.tasks)
        self.pitch = (
            min(1.4, max(0.62, 11.0 / columns)) if columns <= _MANY else max(_LEAST_PITCH, 0.62 * _MANY / columns)
        )
        self.width = max(_LEAST_WIDTH, _LEFT + columns * self.pitch + _MARGIN)
        self.large = max(1.0, self.width / _PAGE)
        self.letters = min(self.large, 1.4)
        self.x0 = _LEFT + self.pitch / 2
        self.stretch = 1 + min(max(0, columns - 6) / 24, 1.4)  # lines that run far sideways need more height
        self.slanted = self.pitch < 1.1  # names do not fit side by side
        self.labels = [self._label(task) for task in self.layout.tasks]
        lines = max(label.count("\n") + 1 for label in self.labels)
        self.bottom = _MARGIN + (0.072 * self.letters * max(map(cells, self.labels)) if self.slanted else 0.18 * lines)
        self.y = self._heights()
        room = int((self.width - 2 * _MARGIN) * 13.4 / self.large)
        self.caption = wrap(_READING + self._idle(), room) if self.caption_lines is None else [*self.caption_lines]
        self.height = self.y[-1] + 0.65 + (0.8 + 0.19 * len(self.caption)) * self.large
        self.colours = task_colours([path.task for path in self.paths])
        self.accuracy = {path.task: path.accuracy for path in self.paths}
        self.fonts = families([*self.labels, *(clean(path.task) for path in self.paths), *self.caption])

    def _label(self, task: str) -> str:
        name = clean(task)
        if self.slanted:
            return ellipsis(name, 22)
        return "\n".join(folded(name, int(self.pitch * 11), 3))

    def _idle(self) -> str:
        idle = [clean(path.task) for path in self.paths if not path.layers]
        return f" Not evolved yet: {ellipsis(', '.join(idle), 300)}." if idle else ""

    def _heights(self) -> list[float]:
        """Centres of the rows: small ones stand closer."""
        heights, y = [], self.bottom + 0.72 * self.stretch
        pitches = [_SMALL_ROW if _is_small(slot) else _ROW for slot in self.layout.slots]
        for number, pitch in enumerate(pitches):
            y += (pitches[number - 1] + pitch) / 2 * self.stretch if number else 0
            heights.append(y)
        return heights

    def x(self, column: float) -> float:
        return self.x0 + column * self.pitch

    def text(self, axes: "Axes", x: float, y: float, words: str, **style: Any) -> None:
        # Bold is for numbers: fallback fonts often have no bold face.
        fonts = [BASE] if "weight" in style else self.fonts
        axes.text(x, y, writable(words, fonts), family=fonts, parse_math=False, **{"color": INK, **style})

    def draw(self) -> "Figure":
        figure, axes = _figure(self.width, self.height)
        # the base font's bold letters are about 0.68 of their size wide
        letters = len(self.title) if self.caption_lines is None else _CAPTIONED
        size = min(15.0 * self.large, (self.width - 2 * _MARGIN) * 72 / (0.68 * letters))
        self.text(axes, _MARGIN, self.height - 0.5 * self.large, self.title, fontsize=size, weight="bold")
        for number, line in enumerate(self.caption):
            y = self.height - (0.82 + 0.19 * number) * self.large
            self.text(axes, _MARGIN, y, line, fontsize=9 * self.large, color=FAINT)
        self._rows(axes)
        for task in reversed(list(self.layout.lines)):
            self._line(axes, task)
        for box in self.layout.boxes:
            self._box(axes, box)
        self._names(axes)
        return figure

    def _rows(self, axes: "Axes") -> None:
        """Names of the slots at the left, with the size of one layer where all have the same."""
        left, right = self.x(-0.5), self.x(len(self.layout.tasks) - 0.5)
        if self.highlight is not None:
            x = self.x(self.layout.column(self.highlight))
            axes.fill_betweenx(
                [0, self.y[-1] + 0.62], x - self.pitch / 2, x + self.pitch / 2, color="#f4f1e4", lw=0, zorder=-1
            )
        for row, (slot, y) in enumerate(zip(self.layout.slots, self.y, strict=True)):
            sizes = {box.layer.parameters for box in self.layout.boxes if box.row == row and box.layer}
            axes.plot([left, right], [y, y], color="#eceff2", linewidth=1, zorder=0)
            two = bool(sizes) and not _is_small(slot)
            self.text(axes, left - 0.12, y + (0.03 if two else -0.045), slot, fontsize=9.5 * self.letters, ha="right")
            if two:
                low, high = min(sizes), max(sizes)
                size = f"{low:,}" if low == high else f"{low:,}–{high:,}"
                self.text(
                    axes, left - 0.12, y - 0.14 * self.letters, size, fontsize=7 * self.letters, ha="right", color=FAINT
                )

    def _line(self, axes: "Axes", task: str) -> None:
        """One smooth line that is vertical where it enters and leaves a box."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path as Curve

        column = self.x(self.layout.column(task))
        xs = [column, *(self.x(port) for port in self.layout.lines[task]), column]
        heights = [_height(slot) / 2 * 0.6 for slot in self.layout.slots]
        ends = [(self.bottom + 0.06,) * 2, *((y - h, y + h) for y, h in zip(self.y, heights, strict=True))]
        ends.append((self.y[-1] + 0.3,) * 2)
        points, codes = [(xs[0], ends[0][0])], [Curve.MOVETO]
        for (x, (_, low)), (next_x, (high, out)) in zip(
            zip(xs, ends, strict=True), zip(xs[1:], ends[1:], strict=True), strict=False
        ):
            middle = (low + high) / 2
            points += [(x, middle), (next_x, middle), (next_x, high), (next_x, out)]
            codes += [Curve.CURVE4, Curve.CURVE4, Curve.CURVE4, Curve.LINETO]
        thick = 2.8 if self.pitch > 1 else 2.0 if self.pitch > 0.5 else 1.4
        edge, top = (INK, 0.5) if task == self.highlight else ("white", 0.0)
        for colour, width, layer in ((edge, thick + 2.4, 1.0 + top), (self.colours[task], thick, 1.1 + top)):
            axes.add_patch(
                PathPatch(
                    Curve(points, codes), fill=False, edgecolor=colour, linewidth=width, zorder=layer, capstyle="round"
                )
            )

    def _box(self, axes: "Axes", box: Box) -> None:
        from matplotlib.patches import FancyBboxPatch

        if box.layer is None:
            return
        slot = self.layout.slots[box.row]
        height, width = _height(slot), box.width * self.pitch
        together = box.layer.together
        fill = ROOT if box.layer.trained_by is None else self.colours.get(box.layer.trained_by, FAINT)
        x, y = self.x(box.x), self.y[box.row]
        shape = f"round,pad=0,rounding_size={height * 0.32}"
        outline = axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2), width, height, boxstyle=shape, facecolor=fill, edgecolor=INK,
                linewidth=1.4 if self.highlight in box.users else 0, zorder=3,
            )
        )  # fmt: skip
        if together:
            self._bands(axes, box, outline)
        size = 6.8 if _is_small(slot) else 8.5
        words = _fitting(box, width - 0.1, size)
        look = {"bbox": {"boxstyle": "square,pad=0.25", "facecolor": "white", "edgecolor": "none"}} if together else {}
        look = {"color": INK if together else text_on(fill), "fontsize": size, "zorder": 4, **look}
        if words:
            self.text(axes, x, y, words, ha="center", va="center_baseline", **look)

    def _bands(self, axes: "Axes", box: Box, outline: "Patch") -> None:
        """The colours of those that trained a layer together, as many as have room."""
        from matplotlib.patches import Rectangle

        makers, left = box.layer.together if box.layer else (), self.x(box.x) - box.width * self.pitch / 2
        count = max(1, min(len(makers), int(box.width * self.pitch / _BAND)))
        wide, height = box.width * self.pitch / count, _height(self.layout.slots[box.row])
        for band in range(count):
            colour = self.colours.get(makers[band * len(makers) // count], FAINT)
            corner = (left + band * wide, self.y[box.row] - height / 2)
            axes.add_patch(Rectangle(corner, wide, height, facecolor=colour, lw=0, zorder=3.1)).set_clip_path(outline)

    def _names(self, axes: "Axes") -> None:
        for column, (task, label) in enumerate(zip(self.layout.tasks, self.labels, strict=True)):
            x = self.x(column)
            idle = task not in self.layout.lines
            look = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if self.slanted else {"ha": "center"}
            style = {"fontsize": 10 * self.letters, "color": FAINT if idle else INK, **look}
            self.text(axes, x, self.bottom - 0.07, label, va="top", **style)
            accuracy = self.accuracy[task]
            if accuracy is not None and not idle:
                text = f"{100 * accuracy:.1f} %" if self.pitch > 0.8 else f"{100 * accuracy:.1f}"
                look = {"rotation": 90} if self.pitch < 0.5 else {}
                self.text(axes, x, self.y[-1] + 0.38, text, fontsize=10, weight="bold", ha="center", **look)


def _is_small(slot: str) -> bool:
    return parse(slot).kind in _SMALL


def _height(slot: str) -> float:
    return _SMALL_BOX if _is_small(slot) else _BOX


def _fitting(box: Box, room: float, size: float) -> str:
    """The fullest of several texts that fits into `room` inches; letters are about 0.6 of `size` points wide."""
    users, trainer = len(box.users), box.layer.trained_by if box.layer else None
    shared = [f"{users} tasks", str(users)] if users > 1 else []
    if trainer is None:
        texts = [f"root, {users} tasks", *shared] if shared else ["root"]
    else:
        name = "together" if box.layer and box.layer.together else ellipsis(clean(trainer), 24)
        texts = [f"{name}, {users} tasks", *shared] if shared else []
    return next((text for text in texts if len(text) * 0.6 * size / 72 <= room), "")
