"""Pictures of an allocation: who uses what, how alike tasks are, how much is used as training goes on.

Tasks are grouped by their cluster and components by their layer. Matplotlib is imported only when one is drawn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.allocation.training.measures import similarity
from munet.report.style.fonts import ellipsis, families, writable
from munet.report.style.palette import FAINT, INK, colour
from munet.text import cells, clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("pattern", "similarity", "fraction")
_SIZE = 7.5  # points
_CELL, _LEAST, _MOST = 0.11, 1.4, 5.4  # inches: a cell where there is room, the least and most of a side
_LABEL = 26  # letters of a task's name
_COLUMN_NAMES = 24  # tasks up to which columns have their names too
_NUMBERED = 8  # tasks up to which similarities are written too
_ALL_NAMES = 45  # tasks up to which each one is named; above, only clusters are
_USED, _UNUSED = "#0072B2", "#eef0f2"
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))


@dataclass(frozen=True)
class Pattern:
    """What is drawn: for each routed layer a matrix (T, C) of booleans, with the names of tasks and clusters."""

    tasks: tuple[str, ...]
    clusters: tuple[str, ...]
    layers: tuple[np.ndarray, ...]
    components: tuple[tuple[str, ...], ...] = ()

    @property
    def matrix(self) -> np.ndarray:
        """(T, N) over all layers."""
        return np.concatenate([np.asarray(layer, bool) for layer in self.layers], axis=1)

    @property
    def bands(self) -> list[tuple[str, int, int]]:
        """(cluster, first row, row after its last) of each run of tasks of one cluster."""
        return _bands(self.clusters)


def _bands(names: Sequence[str]) -> list[tuple[str, int, int]]:
    found, place = [], 0
    for name, held in groupby(names):
        end = place + len(list(held))
        found.append((name, place, end))
        place = end
    return found


def pattern_figure(pattern: Pattern, title: str) -> "Figure":
    """A filled cell for each component (column) that a task (row) uses."""
    matrix = pattern.matrix
    with _style([title, *pattern.tasks, *pattern.clusters]) as say:
        figure, axes = _matrix_figure(matrix.shape, pattern)
        _cells(axes, matrix.astype(float), [_UNUSED, _USED], 1.0)
        _rows(axes, pattern, say)
        place = 0
        names = [name for held in pattern.components for name in held]
        axes.set_xticks(range(matrix.shape[1]) if len(names) == matrix.shape[1] <= _ALL_NAMES else [])
        if axes.get_xticks().size:
            axes.set_xticklabels([say(ellipsis(name, _LABEL)) for name in names], rotation=90, fontsize=_SIZE - 2)
        for number, layer in enumerate(pattern.layers):
            end = place + layer.shape[1]
            axes.text(
                (place + end - 1) / 2, -0.75, f"layer {number + 1}", ha="center", va="bottom", fontsize=_SIZE - 0.5
            )
            if place:
                axes.axvline(place - 0.5, color=INK, lw=0.9)
            place = end
        used = matrix.mean()
        axes.set_xlabel(f"components; filled: used by the task ({100 * used:.0f} % of all cells)")
        axes.set_title(say(title), loc="left", pad=16)
        figure.draw_without_rendering()
    return figure


def similarity_figure(pattern: Pattern, title: str) -> "Figure":
    """Cosine similarity of the tasks' rows: 1 for tasks that use the same components, 0 for those that share none."""
    values = np.asarray(similarity(pattern.matrix))
    with _style([title, *pattern.tasks, *pattern.clusters]) as say:
        figure, axes = _matrix_figure(values.shape, pattern, beside=1.1)
        image = axes.imshow(values, vmin=0, vmax=1, cmap="cividis", interpolation="nearest")
        _rows(axes, pattern, say)
        _columns(axes, pattern, say)
        for row, column in np.ndindex(values.shape) if len(values) <= _NUMBERED else ():
            ink = INK if values[row, column] > 0.5 else "white"
            axes.text(
                column, row, f"{values[row, column]:.2f}", ha="center", va="center", color=ink, fontsize=_SIZE - 1
            )
        bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.04, aspect=24)
        bar.set_label("cosine similarity")
        bar.outline.set_visible(False)
        axes.set_title(say(title), loc="left", pad=8, x=0 if len(values) > 12 else -0.3)
        figure.draw_without_rendering()
    return figure


def fraction_figure(
    lines: Sequence[Mapping[str, Any]],
    tasks: Sequence[str],
    clusters: Sequence[str],
    title: str,
    budget: float | None = None,
) -> "Figure":
    """Share of the routed components that a cluster's tasks use, over the rounds, from the lines of metrics.jsonl."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rounds = [line["round"] for line in lines]
    with _style([title, *clusters]) as say:
        figure = Figure(figsize=(3.6, 2.7), facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.grid(color="#e6e8ea", lw=0.5)
        marks = {"marker": "o", "ms": 2.5} if len(rounds) < 40 else {}
        kinds = list(dict.fromkeys(clusters))
        for number, cluster in enumerate(kinds if len(kinds) > 1 else []):
            members = [task for task, of in zip(tasks, clusters, strict=True) if of == cluster]
            used = [100 * np.mean([line["used"][task] for task in members]) for line in lines]
            dashes = _DASHES[number % len(_DASHES)]
            axes.plot(rounds, used, color=colour(number), ls=dashes, lw=1.1, label=say(clean(cluster)), **marks)
        mean = [100 * line["fraction_used"] for line in lines]
        axes.plot(rounds, mean, color=INK, lw=1.6, label="mean of all tasks", **marks)
        if budget is not None and budget < 1:
            axes.axhline(100 * budget, color=FAINT, lw=0.8, ls=(0, (2, 2)))
            axes.annotate("budget", (0.01, 100 * budget), xycoords=("axes fraction", "data"), ha="left", va="top",
                          color=FAINT, fontsize=_SIZE - 1, xytext=(0, -1.5), textcoords="offset points")  # fmt: skip
        axes.set_ylim(0, 104)
        axes.set_xlabel("rounds")
        axes.set_ylabel("components used (%)")
        axes.set_title(say(title), loc="left", pad=8)
        if len(axes.get_lines()) > 1:
            columns = 2 if max(cells(name) for name in kinds) <= 20 else 1
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=columns, borderpad=0.2)
        figure.draw_without_rendering()
    return figure


# Drawing


def _matrix_figure(shape: tuple[int, int], pattern: Pattern, beside: float = 0.0) -> tuple["Figure", "Axes"]:
    """A figure whose cells are square where that leaves it neither tiny nor too large for a page.

    `beside` are the inches that a scale on the right needs, whose figure has tasks as columns too.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cell = min(0.24, max(_CELL, _LEAST / min(shape)), _MOST / max(shape))
    longest = max(cells(name) for name in pattern.tasks) if len(pattern.tasks) <= _ALL_NAMES else 12
    names = 0.058 * min(longest, _LABEL)
    below = names if beside and len(pattern.tasks) <= _COLUMN_NAMES else 0.3
    size = (max(3.0, shape[1] * cell + names + beside + 0.6), max(2.0, shape[0] * cell + below + 0.8))
    figure = Figure(figsize=size, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def _cells(axes: "Axes", values: np.ndarray, colours: Sequence[str], largest: float) -> None:
    from matplotlib.colors import ListedColormap

    axes.imshow(values, cmap=ListedColormap(colours), vmin=0, vmax=largest, interpolation="nearest")
    for edge in range(1, values.shape[0]):
        axes.axhline(edge - 0.5, color="white", lw=0.4)
    for edge in range(1, values.shape[1]):
        axes.axvline(edge - 0.5, color="white", lw=0.4)


def _rows(axes: "Axes", pattern: Pattern, say: Callable[[str], str]) -> None:
    """Names of tasks left, of clusters right where there are several; lines between clusters."""
    count, bands = len(pattern.tasks), pattern.bands
    if count <= _ALL_NAMES:
        size = _SIZE - 0.5 if count <= 24 else _SIZE - 2.5
        axes.set_yticks(range(count), [say(ellipsis(clean(name), _LABEL)) for name in pattern.tasks], fontsize=size)
    else:
        axes.set_yticks([(first + end - 1) / 2 for _, first, end in bands], [say(clean(name)) for name, *_ in bands])
    for name, first, end in bands if len(bands) > 1 else ():
        if first:
            axes.axhline(first - 0.5, color=INK, lw=0.9)
        if 1 < len(bands) < count and count <= _ALL_NAMES:
            axes.text(1.02, (first + end - 1) / 2, say(ellipsis(clean(name), _LABEL)), va="center", rotation=90,
                      transform=axes.get_yaxis_transform(), fontsize=_SIZE - 0.5, color=FAINT)  # fmt: skip


def _columns(axes: "Axes", pattern: Pattern, say: Callable[[str], str]) -> None:
    """The same tasks as columns; only their clusters are named where there are many."""
    count, bands = len(pattern.tasks), pattern.bands
    if count <= _COLUMN_NAMES:
        names = [say(ellipsis(clean(name), _LABEL)) for name in pattern.tasks]
        axes.set_xticks(range(count), names, rotation=90, fontsize=_SIZE - 0.5)
    else:
        narrow = any(cells(name) > 2 * (end - first) for name, first, end in bands)
        middles = [(first + end - 1) / 2 for _, first, end in bands]
        names = [say(ellipsis(clean(name), _LABEL)) for name, *_ in bands]
        axes.set_xticks(middles, names, rotation=90 if narrow else 0)
    for _, first, _ in bands[1:]:
        axes.axvline(first - 0.5, color=INK, lw=0.9)


@contextmanager
def _style(texts: Sequence[str]) -> Iterator[Callable[[str], str]]:
    """Our look; yields what makes any text writable with the fonts of this machine."""
    import matplotlib

    fonts = families([clean(text) for text in texts])
    style: Any = {
        "font.family": fonts, "font.size": _SIZE, "axes.titlesize": _SIZE, "legend.fontsize": _SIZE - 0.5,
        "xtick.labelsize": _SIZE - 0.5, "ytick.labelsize": _SIZE - 0.5, "axes.linewidth": 0.6, "axes.edgecolor": FAINT,
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.handlelength": 2.6,
        "axes.formatter.useoffset": False,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        yield lambda text: writable(clean(text), fonts)
