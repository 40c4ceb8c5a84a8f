"""What the models learned about mutating: probabilities by depth (Figure 6) and their distributions (Figure 7)."""

from collections import Counter
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.report.figures.needs import Frame, Options, some
from munet.report.figures.style import SMALL, WIDTH, hide_unused, page, whole_ticks
from munet.report.style.palette import FAINT, INK
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.analysis import History

_COLOURS = {"clone": "#0072B2", "hyperparameter": "#E69F00", "remove": "#009E73", "insert": "#CC79A7"}
_WAY = "a method that learns its mutation probabilities, such as mu2net-plus, makes some"
_COLUMNS, _PANEL = 5, (1.4, 0.98)
_STEP = 0.02  # between two values that a probability may have
_MOST_DOT = 130.0  # area of the dot that stands for most models, square points


def draw_depth(history: "History", options: Options) -> "Figure":
    """Probability of cloning a block over its depth, of all retained models, with the line of least squares."""
    import numpy as np

    from munet.analysis.settings import by_depth

    fit = by_depth(history)
    if not fit.points:
        raise InputError(
            f"mutation-depth needs learned probabilities of cloning blocks, and the history has none: {_WAY}"
        )
    counts = Counter((point.block, value) for point in fit.points for value in point.probabilities)
    models = max(len(point.probabilities) for point in fit.points)
    title = "Learned probability of cloning a block, by its depth"
    reading = (
        f"Blocks of {counted(models, 'retained model')}; a dot's area: how many of them have this value. "
        "Diamonds: the mean of each block. Line: least squares over all values."
    )
    with page(title, reading, (WIDTH * 0.72, 2.7)) as made:
        axes = made.panels()[0][0]
        blocks = np.array([block for block, _ in counts], float)
        areas = np.maximum(5, _MOST_DOT * np.array(list(counts.values())) / max(counts.values()))
        style = {"color": _COLOURS["clone"], "alpha": 0.45, "lw": 0}
        axes.scatter(blocks, [value for _, value in counts], s=areas, **style)
        means = [sum(point.probabilities) / len(point.probabilities) for point in fit.points]
        axes.plot([point.block for point in fit.points], means, "D", color=INK, ms=3.5, zorder=4)
        if fit.slope is not None and fit.intercept is not None:
            ends = np.array([blocks.min(), blocks.max()])
            axes.plot(ends, fit.intercept + fit.slope * ends, color="#D55E00", lw=1.5, zorder=3)
            text = f"{fit.intercept:.3f} {'−' if fit.slope < 0 else '+'} {abs(fit.slope):.4f} × block"
            look = {"ha": "right", "va": "bottom", "color": "#D55E00", "fontsize": SMALL}
            axes.text(1.0, 1.01, text, transform=axes.transAxes, **look)
        axes.set_xlabel("block, from the input to the head")
        axes.set_ylabel("probability of cloning it")
        axes.set_xlim(blocks.min() - 0.5, blocks.max() + 0.5)
        axes.margins(y=0.15)
        whole_ticks(axes, 13)
    return made.figure


def _models(held: Frame) -> int:
    return len(held[["system", "task"]].drop_duplicates())


def draw_histograms(history: "History", options: Options) -> "Figure":
    """A panel for each mutation: which probabilities the retained models learned. Blocks are taken together."""
    from munet.analysis.settings import probability_histograms

    table = some(probability_histograms(history), "mutation-histograms", "learned mutation probabilities", _WAY)
    table = table[~table["mutation"].str.contains(r"\.\d+$")]  # single blocks
    names = sorted(table["mutation"].unique(), key=_order)
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    title = f"Learned mutation probabilities of {counted(_models(history.probabilities), 'retained model')}"
    reading = (
        "Share of models over the probability that each learned; dashed: the mean. Blue: cloning a layer, blocks taken "
        "together. Orange: changing a hyperparameter. Green: removing a block."
    )
    size = (max(3.4, columns * _PANEL[0]), rows * _PANEL[1] + 0.3)
    with page(title, reading, size, names, labels=("learned probability", "models (%)")) as made:
        panels = made.grid(rows, columns)
        low, high = table["probability"].min(), table["probability"].max()
        for axes, name in zip(panels, names, strict=False):
            held = table[table["mutation"] == name]
            mean = (held["probability"] * held["share"]).sum()
            colour = _COLOURS.get(_kind(name), FAINT)
            axes.bar(held["probability"], 100 * held["share"], width=_STEP * 0.94, color=colour)
            axes.axvline(mean, color=INK, lw=0.8, ls=(0, (3, 2)))
            axes.set_title(made.say(_title(name), 22), fontsize=SMALL)
            axes.set(xlim=(low - _STEP, high + _STEP), ylim=(0, 105 * table["share"].max()))
        hide_unused(panels, len(names), columns)
    return made.figure


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _order(name: str) -> tuple[int, str]:
    kinds = list(_COLOURS)
    return (kinds.index(_kind(name)) if _kind(name) in kinds else len(kinds), name)


def _title(name: str) -> str:
    """`hyperparameter:flip` -> `flip`, `clone:block` -> `clone block`."""
    return name.removeprefix("hyperparameter:").replace(":", " ")
