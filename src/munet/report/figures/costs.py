"""Where time, FLOPs and parameters went, and what became of the sampled models, by task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from munet.report.figures.needs import Frame, Options, some
from munet.report.figures.style import SMALL, WIDTH, Page, page, plain_number
from munet.report.style.palette import ROOT
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

Part = tuple[str, str, str]  # column, words of the legend, colour
_TIME: tuple[Part, ...] = (
    ("train_seconds", "training", "#0072B2"),
    ("validation_seconds", "validation", "#56B4E9"),
    ("other_seconds", "other", ROOT),
)
_FLOPS: tuple[Part, ...] = (("train_flops", "training", "#D55E00"), ("validation_flops", "validation", "#E69F00"))
_PARAMETERS: tuple[Part, ...] = (("own", "used by itself alone", "#7FCDB4"), ("reused", "used by others", "#00785A"))
_FATES = ("#CC79A7", "#882255", "#6D747C", "#332288", "#A38A00", "#999933")  # of rejected children, by reason
_ROOT = "root"
_NAME = 20
_BAR, _LEGEND = 0.2, 0.15  # inches: of a row where there are few, of a line of a legend


def draw(history: "History", options: Options) -> "Figure":
    """Four rows of bars side by side, a bar for each task; of several systems the sums."""
    children = some(history.children, "costs", "sampled children")
    order = [task for task in dict.fromkeys(history.tasks["task"]) if task in set(children["task"])]
    order += [task for task in dict.fromkeys(children["task"]) if task not in order]  # tasks that are gone
    spent, weights, fates = _spent(history), _weights(history), _fates(history)
    rows = [*order, _ROOT] if _ROOT in weights.index and weights.loc[_ROOT, "trained"] > 0 else order
    reasons = [column for column in fates.columns if column not in ("retained", "accepted")]
    kinds = [("retained", "retained", "#00785A"), ("accepted", "accepted, not retained", "#7FCDB4")]
    kinds += [(reason, reason, _FATES[place % len(_FATES)]) for place, reason in enumerate(reasons)]
    together = f" of {len(history.systems)} systems" if len(history.systems) > 1 else ""
    title = f"Where time, FLOPs and parameters went, {counted(len(children), 'sampled model')}{together}"
    seconds, flops = (
        spent[["train_seconds", "validation_seconds", "other_seconds"]],
        spent[["train_flops", "validation_flops"]],
    )
    reading = (
        f"Together {float(seconds.sum().sum()) / 60:,.1f} minutes of devices and "
        f"{plain_number(round(float(flops.sum().sum()) / 1e12, 2))} TFLOPs, counted as plain loops take them. "
        "Parameters: of the layers in use, by the task that trained them."
    )
    bar = min(_BAR, max(0.085, 9.0 / len(rows)))
    size = (WIDTH, bar * len(rows) + 0.62 + _LEGEND * max(len(kinds), 3))
    with page(title, reading, size, [*rows, *reasons]) as made:
        panels = made.panels(1, 4, sharey=True)[0]
        _bars(made, panels[0], spent.reindex(rows), _TIME, 60.0, "minutes")
        _bars(made, panels[1], spent.reindex(rows), _FLOPS, 1e12, "TFLOPs")
        _bars(made, panels[2], weights.reindex(rows), _PARAMETERS, 1e6, "parameters (millions)")
        _bars(made, panels[3], fates.reindex(rows), kinds, 1.0, "sampled models")
        points = min(SMALL, bar * 72 * 0.8)
        panels[0].set_yticks(range(len(rows)), [made.say(name, _NAME) for name in rows], fontsize=points)
        panels[0].set_ylim(len(rows) - 0.4, -0.6)
    return made.figure


def _spent(history: "History") -> Frame:
    from munet.analysis.costs import spent

    return spent(history, "task").set_index("task")


def _weights(history: "History") -> Frame:
    """Parameters in use by the task that trained them, those of the root under its name."""
    from munet.analysis.costs import parameters

    table = some(parameters(history), "costs", "models").groupby("task", sort=False)[["trained", "reused"]].sum()
    return table.assign(own=table["trained"] - table["reused"])


def _fates(history: "History") -> Frame:
    """Children of each task that were retained, accepted but not retained, or rejected, by reason."""
    from munet.analysis.costs import rejected, spent

    counts = spent(history, "task").set_index("task")
    table = rejected(history)
    reasons = table.pivot_table(index="task", columns="reason", values="children", aggfunc="sum", fill_value=0)
    found = counts[["retained"]].assign(accepted=counts["accepted"] - counts["retained"])
    common = reasons.sum().sort_values(ascending=False).index if len(table) else []
    return found.join(reasons[list(common)]).fillna(0) if len(table) else found


def _bars(made: Page, axes: "Axes", table: Frame, parts: Sequence[Part], unit: float, label: str) -> None:
    import numpy as np

    left = np.zeros(len(table))
    for column, words, colour in parts:
        widths = np.nan_to_num(table[column].to_numpy(float)) / unit
        axes.barh(range(len(table)), widths, left=left, height=0.75, color=colour, label=made.say(words, 30))
        left += widths
    axes.set_xlabel(label, fontsize=SMALL)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(1e-9, left.max()) * 1.04)
    _few_ticks(axes, unit == 1)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.04, 1.0), fontsize=SMALL - 0.5, handlelength=0.9, handleheight=0.7,
        borderpad=0.1, labelspacing=0.2, handletextpad=0.4,
    )  # fmt: skip


def _few_ticks(axes: "Axes", whole: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
