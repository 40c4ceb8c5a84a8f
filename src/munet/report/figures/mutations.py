"""What the models learned about mutating: probabilities by depth (Figure 6) and their distributions (Figure 7)."""

from typing import TYPE_CHECKING

from ..palette import FAINT, INK
from .needs import Options, chosen_tasks, some
from .style import SMALL, WIDTH, counted, page, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame, Series

    from ...analysis import History

_COLOURS = {"clone": "#0072B2", "hyperparameter": "#E69F00", "remove": "#009E73", "insert": "#CC79A7"}
_WAY = "a method that learns its mutation probabilities, such as mu2net-plus, makes some"
_COLUMNS, _PANEL = 5, (1.4, 0.98)
_STEP = 0.02  # between two values that a probability may have
_MOST_DOT = 130.0  # area of the dot that stands for most models, square points


def draw_depth(history: "History", options: Options) -> "Figure":
    """Probability of cloning a block over its depth, of all retained models, with the line of least squares."""
    import numpy as np

    held = _held(history, options, "mutation-depth")
    held = held[(held["kind"] == "clone") & held["block"].notna()]
    some(held, "mutation-depth", "learned probabilities of cloning blocks", _WAY)
    counts = held.groupby(["block", "probability"]).size()
    models = held["model"].nunique()
    title = "Learned probability of cloning a block, by its depth"
    reading = (
        f"Blocks of {counted(models, 'retained model')}; a dot's area: how many of them have this value. "
        "Diamonds: the mean of each block. Line: least squares over all values."
    )
    with page(title, reading, (WIDTH * 0.72, 2.7), held["task"].unique()) as made:
        axes = made.panels()[0][0]
        blocks, values = (np.asarray(counts.index.get_level_values(n), float) for n in (0, 1))
        axes.scatter(
            blocks, values, s=np.maximum(5, _MOST_DOT * counts / counts.max()), color=_COLOURS["clone"], alpha=0.45, lw=0
        )
        means = held.groupby("block")["probability"].mean()
        axes.plot(means.index, means, "D", color=INK, ms=3.5, zorder=4)
        _line(axes, held["block"].to_numpy(float), held["probability"].to_numpy(float))
        axes.set_xlabel("block, from the input to the head")
        axes.set_ylabel("probability of cloning it")
        axes.set_xlim(blocks.min() - 0.5, blocks.max() + 0.5)
        axes.margins(y=0.15)
        whole_ticks(axes, 13)
    return made.figure


def _line(axes: "Axes", xs, ys) -> None:  # noqa: ANN001
    """The fit, with its equation at the right above; none through a single depth."""
    import numpy as np

    if len(np.unique(xs)) < 2:
        return
    slope, start = np.polyfit(xs, ys, 1)
    ends = np.array([xs.min(), xs.max()])
    axes.plot(ends, start + slope * ends, color="#D55E00", lw=1.5, zorder=3)
    text = f"{start:.3f} {'−' if slope < 0 else '+'} {abs(slope):.4f} × block"
    axes.text(1.0, 1.01, text, transform=axes.transAxes, ha="right", va="bottom", color="#D55E00", fontsize=SMALL)


def draw_histograms(history: "History", options: Options) -> "Figure":
    """A panel for each mutation: which probabilities the retained models learned. Blocks are taken together."""
    held = some(_held(history, options, "mutation-histograms"), "mutation-histograms", "learned probabilities", _WAY)
    held = held.assign(name=[_name(*row) for row in held[["mutation", "block"]].itertuples(index=False)])
    names = sorted(held["name"].unique(), key=lambda name: (list(_COLOURS).index(_kind(name)) if _kind(name) in _COLOURS else 9, name))
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    title = f"Learned mutation probabilities of {counted(held['model'].nunique(), 'retained model')}"
    reading = (
        "Share of models over the probability that each learned; dashed: the mean. Blue: cloning a layer, blocks taken "
        "together. Orange: changing a hyperparameter. Green: removing a block."
    )
    with page(title, reading, (max(3.4, columns * _PANEL[0]), rows * _PANEL[1] + 0.3), names) as made:
        panels = [axes for row in made.panels(rows, columns, sharex=True, sharey=True) for axes in row]
        low, high = held["probability"].min(), held["probability"].max()
        for axes, name in zip(panels, names, strict=False):
            _histogram(axes, held.loc[held["name"] == name, "probability"], low, high, _COLOURS.get(_kind(name), FAINT))
            axes.set_title(made.say(name.partition(":")[2] if _kind(name) == "hyperparameter" else name.replace(":", " "), 22), fontsize=SMALL)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        for number, axes in enumerate(panels[: len(names)]):
            axes.tick_params(labelbottom=number + columns >= len(names))
        made.figure.supxlabel("learned probability", fontsize=SMALL + 1)
        made.figure.supylabel("models (%)", fontsize=SMALL + 1)
    return made.figure


def _held(history: "History", options: Options, figure: str) -> "DataFrame":
    held = history.probabilities
    if options.task is not None:
        tasks = list(dict.fromkeys(history.tasks["task"]))
        held = held[held["task"].isin(chosen_tasks(options, tasks, figure))]
    return held


def _name(mutation: str, block: float) -> str:
    """`clone:block.3` -> `clone:block`."""
    return mutation if block != block else mutation.rpartition(".")[0]


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _histogram(axes: "Axes", values: "Series", low: float, high: float, colour: str) -> None:
    import numpy as np

    edges = np.arange(low - _STEP / 2, high + _STEP, _STEP)
    shares = np.full(len(values), 100 / len(values))
    axes.hist(values.to_numpy(float), bins=edges, weights=shares, color=colour, edgecolor="white", linewidth=0.4)
    axes.axvline(values.mean(), color=INK, lw=0.8, ls=(0, (3, 2)))
