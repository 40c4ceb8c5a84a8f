"""The look of all figures: sizes in inches, fonts in points, titles, legends of tasks, small multiples.

Figures are as wide as the text of a page or as one of its two columns, so their letters keep their size in print.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from munet.report.style.fonts import ellipsis, families, writable
from munet.report.style.palette import FAINT, INK, task_colours
from munet.text import cells, clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

WIDTH, COLUMN = 7.0, 3.4
SIZE, TITLE, SMALL = 8.0, 10.0, 7.0
GRID = "#e6e8ea"
TIME = "step: the sampled models in order of time"
MARKERS = ("o", "s", "^", "D", "v", "p", "<", ">", "h")
LETTER = 0.6 / 72  # inches that a letter is wide for each point of its size, a little more than the mean
_MARGIN = 0.08
_NUMBERS = 0.4  # inches of the numbers at the left of a panel
_BAND = 0.2  # inches of a label below or beside all panels
_LINE = 1.28  # height of a line in units of its size
_MOST_LETTERS = 44, 24  # of a name in a legend of few names and of many
_HANDLE = 0.34  # inches of a legend's sample with the space around it


@dataclass
class Page:
    """A figure with a title and a line that says how to read it above, and a legend below what is drawn."""

    figure: "Figure"
    fonts: list[str]
    box: tuple[float, float, float, float]  # inches that are left for what is drawn: left, bottom, right, top
    ticks: int = 4  # numbers that fit below a panel of a grid

    def say(self, text: object, most: int | None = None) -> str:
        """`text` on one line and with the letters that this machine has; with at most `most` cells, as some label."""
        held = clean(str(text))
        return writable(ellipsis(held, most) if most else held, self.fonts)

    def panels(self, rows: int = 1, columns: int = 1, **options: Any) -> "list[list[Axes]]":
        """Axes in rows; the same as `Figure.subplots`."""
        return [list(row) for row in self.figure.subplots(rows, columns, squeeze=False, **options)]

    def grid(self, rows: int, columns: int, *, own: bool = False) -> "list[Axes]":
        """Many small panels with titles, in reading order; much faster than `panels`. Their axes are not joined.

        Each has its `own` numbers at its y axis, or only the first of a row has. `hide_unused` once all is drawn.
        """
        width, height = self.figure.get_size_inches()
        left, bottom, right, top = self.box
        left, bottom, top = left + _NUMBERS, bottom + 0.2, top - 0.2
        across, down = (_NUMBERS if own else 0.1), 0.31  # inches between two panels
        panel = (right - left + across) / columns - across, (top - bottom + down) / rows - down
        self.ticks = 4 if panel[0] > 1 else 2
        self.figure.set_layout_engine("none")
        edges = {"left": left / width, "right": right / width, "bottom": bottom / height, "top": top / height}
        spaces = {"wspace": across / panel[0], "hspace": down / panel[1]}
        place = self.figure.add_gridspec(rows, columns, **edges, **spaces)
        panels = list(place.subplots(squeeze=False).flat)
        for number, axes in enumerate(panels):
            axes.tick_params(labelleft=own or number % columns == 0)
        return panels

    def legend(self, handles: Sequence[Any], names: Sequence[str]) -> None:
        """Below everything, in as many columns as fit; its room was set aside when the page was made."""
        columns, size, _ = legend_plan(names, self.figure.get_figwidth())
        labels = [self.say(name, _letters(names)) for name in names]
        # a legend fills its columns first; rows read better where they follow the order of tasks
        order = _by_rows(len(labels), columns)
        self.figure.legend(
            [handles[i] for i in order], [labels[i] for i in order], loc="lower left", ncols=columns, fontsize=size,
            bbox_to_anchor=(0, 0), borderaxespad=0.25, columnspacing=1.0, handletextpad=0.5, labelspacing=0.28,
            handlelength=1.6, borderpad=0.2,
        )  # fmt: skip


def legend_plan(names: Sequence[str], width: float) -> tuple[int, float, float]:
    """(columns, font size, height in inches) of a legend of these names across a figure."""
    if not names:
        return 1, SMALL, 0.0
    size = SMALL if len(names) <= 48 else SMALL - 1
    longest = max(min(cells(clean(name)), _letters(names)) for name in names)
    columns = max(1, min(len(names), int((width - 2 * _MARGIN) / (longest * size * LETTER * 0.92 + _HANDLE))))
    rows = -(-len(names) // columns)
    return -(-len(names) // rows), size, rows * size * 1.35 / 72 + 0.14


def _letters(names: Sequence[str]) -> int:
    return _MOST_LETTERS[len(names) > 24]


def _by_rows(count: int, columns: int) -> list[int]:
    """Places in reading order for a legend that matplotlib fills column by column, the first ones longer."""
    rows = -(-count // columns)
    grid = [[row * columns + column for column in range(columns)] for row in range(rows)]
    order = [grid[row][column] for column in range(columns) for row in range(rows)]
    return [place for place in order if place < count]


@contextmanager
def page(
    title: str,
    reading: str,
    size: tuple[float, float],
    names: Iterable[str] = (),
    legend: Sequence[str] = (),
    *,
    labels: tuple[str, str] = ("", ""),
) -> Iterator[Page]:
    """A page whose drawing, apart from title and legend, is `size` large. `names` are all words not written here.

    `labels` stand once below and at the left of all panels.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = size
    fonts = families([clean(text) for text in (title, reading, *labels, *names, *legend)])
    room = width - 2 * _MARGIN
    titles = wrap(clean(title), int(room / (TITLE * LETTER)))
    lines = wrap(clean(reading), int(room / (SMALL * LETTER * 0.92)))
    head = 0.1 + len(titles) * TITLE * _LINE / 72 + len(lines) * SMALL * _LINE / 72 + 0.06
    foot = legend_plan(legend, width)[2]
    whole = height + head + foot
    below, beside = (_BAND if label else 0.0 for label in labels)
    with matplotlib.rc_context(_style(fonts)):
        figure = Figure(figsize=(width, whole), facecolor="white")
        FigureCanvasAgg(figure)
        figure.set_layout_engine(
            "constrained",
            rect=(beside / width, (foot + below) / whole, 1 - beside / width, (height - below) / whole),
            **{"w_pad": 0.05, "h_pad": 0.05, "wspace": 0.03, "hspace": 0.03},
        )
        x, y = 0.5 + beside / 2 / width, (foot + (below + height) / 2) / whole
        figure.text(x, (foot + 0.04) / whole, writable(clean(labels[0]), fonts), ha="center", va="bottom")
        figure.text(0.04 / width, y, writable(clean(labels[1]), fonts), rotation=90, ha="left", va="center")
        made = Page(figure, fonts, (beside + 0.05, foot + below, width - 0.08, foot + height))
        top = 0.1
        for words, points, ink in (*((t, TITLE, INK) for t in titles), *((t, SMALL, FAINT) for t in lines)):
            y = 1 - top / whole
            figure.text(_MARGIN / width, y, writable(words, fonts), fontsize=points, color=ink, va="top")
            top += points * _LINE / 72
        yield made
        figure.draw_without_rendering()  # ticks are made now, in this style, and everything has its place


def _style(fonts: list[str]) -> Any:
    return {
        "font.family": fonts, "font.size": SIZE, "axes.titlesize": SIZE, "axes.labelsize": SIZE,
        "legend.fontsize": SMALL, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "axes.linewidth": 0.6,
        "axes.edgecolor": FAINT, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
        "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.5, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "text.parse_math": False,
        "axes.titlelocation": "left", "axes.unicode_minus": True, "axes.formatter.useoffset": False,
    }  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a task is drawn, the same in every figure of a system; markers tell apart what colours may not."""

    colour: str
    marker: str


def looks(tasks: Sequence[str]) -> Mapping[str, Look]:
    """By the order in which tasks were added."""
    return {
        task: Look(ink, MARKERS[number % len(MARKERS)])
        for number, (task, ink) in enumerate(task_colours(list(tasks)).items())
    }


def grid_shape(count: int, *, large: bool = False) -> tuple[int, int, tuple[float, float]]:
    """(columns, rows, size of a panel in inches) of so many small panels over the width of a page, or `large` ones."""
    if large and 1 < count <= 16:
        return 2, -(-count // 2), (WIDTH / 2, 1.7)
    if count == 1:
        return 1, 1, (4.6, 2.1)
    columns = min(count, 4 if count <= 20 else 6 if count <= 60 else 8)
    width = WIDTH / columns if columns >= 4 else 2.3
    return columns, -(-count // columns), (width, max(0.85, width * 0.62))


def sample(**style: Any) -> "Line2D":
    """What stands for a line or a marker in a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **style)


def hide_unused(panels: "Sequence[Axes]", used: int, columns: int) -> None:
    """Hide what is left of a grid; the lowest panel of each column has the numbers of the shared axis."""
    for number, axes in enumerate(panels):
        axes.set_visible(number < used)
        axes.tick_params(labelbottom=number + columns >= used)


def plain_number(value: float) -> str:
    """Without powers of ten wherever that stays short."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def whole_ticks(axes: "Axes", count: int = 9) -> None:
    """Ticks of the x axis at whole numbers, written out."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=count, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def label_time(axes: "Axes", steps: int) -> None:
    """The axis of all figures over time."""
    axes.set_xlim(-0.5 - 0.01 * steps, steps - 0.5 + 0.01 * steps)
    axes.set_xlabel(TIME)
    whole_ticks(axes)
