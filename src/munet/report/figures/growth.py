"""Quality, size and compute of a growing system over its task iterations (Figure 3 of the mu2Net+ paper)."""

from typing import TYPE_CHECKING

from munet.report.figures.needs import Frame, Options, some
from munet.report.figures.style import SMALL, page
from munet.report.style.palette import FAINT
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from munet.analysis import History

MEASURES = (
    ("mean_test_accuracy", "mean test\naccuracy (%)", 100.0, "#0072B2"),
    ("parameters_per_task", "parameters\nper task (millions)", 1e-6, "#D55E00"),
    ("flops_per_task", "FLOPs per\ntask (millions)", 1e-6, "#009E73"),
    ("tasks", "tasks with\na model", 1.0, FAINT),
)
_WIDTH, _PANEL = 5.0, 1.05
_LEAST_SPAN = 0.04  # of the largest value that an axis spans: what hardly changes is a flat line
_MARKED = 60  # task iterations up to which each is a point
_MOST_RUNS = 12  # whose beginnings are marked


def draw(history: "History", options: Options) -> "Figure":
    """A panel for each measure; of several systems the mean with the range from the lowest to the highest."""
    from munet.analysis.progress import progress

    curves = some(progress(history), "growth", "finished task iterations")
    curves = curves.assign(number=curves["point"] + 1)
    systems, last = curves["system"].nunique(), int(curves["number"].max())
    title = f"Quality, size and compute over {counted(last, 'task iteration')}"
    reading = "After each task iteration, the means over all tasks that have a model by then."
    if systems > 1:
        reading += f" Lines: mean of {systems} systems; bands: from the lowest to the highest."
    starts = _starts(curves)
    if starts:
        reading += " Dashed lines: a new run begins."
    with page(title, reading, (_WIDTH, _PANEL * len(MEASURES) + 0.35)) as made:
        panels = [row[0] for row in made.panels(len(MEASURES), 1, sharex=True)]
        for axes, (measure, text, unit, colour) in zip(panels, MEASURES, strict=True):
            _measure(axes, curves, measure, unit, colour)
            axes.set_ylabel(text, fontsize=SMALL)
            axes.yaxis.set_major_locator(_ticks(4, integer=measure == "tasks"))
            for start in starts:
                axes.axvline(start - 0.5, color=FAINT, lw=0.6, ls=(0, (3, 2)), zorder=0)
        panels[-1].set_xlabel("task iterations")
        panels[-1].xaxis.set_major_locator(_ticks(10, integer=True))
        panels[-1].set_xlim(0.5, last + 0.5)
        made.figure.align_ylabels(panels)
    return made.figure


def _starts(curves: Frame) -> list[int]:
    """Task iterations at which a run after the first begins, where all systems agree and the picture stays clear."""
    found = {
        tuple(part["number"][part["run"] != part["run"].shift()])[1:]
        for _, part in curves.groupby("system", sort=False)
    }
    starts = [int(number) for number in found.pop()] if len(found) == 1 else []
    return starts if len(starts) <= _MOST_RUNS else []


def _measure(axes: "Axes", curves: Frame, measure: str, unit: float, colour: str) -> None:
    import numpy as np

    held = curves.assign(value=curves[measure].astype(float) * unit).groupby("number")["value"]
    xs, mean = list(held.groups), held.mean().to_numpy()
    low, high = held.min().to_numpy(), held.max().to_numpy()
    if (high > low).any():
        axes.fill_between(xs, low, high, color=colour, alpha=0.18, lw=0, zorder=1)
    marks = {"marker": "o", "ms": 2.6} if len(xs) <= _MARKED else {}
    axes.plot(xs, mean, color=colour, lw=1.2, zorder=3, **marks)
    bottom, top = axes.get_ylim()
    spare = _LEAST_SPAN * np.nanmax(np.abs(high)) - (top - bottom)
    if spare > 0:
        axes.set_ylim(bottom - spare / 2, top + spare / 2)


def _ticks(count: int, **options: bool) -> "MaxNLocator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=count, min_n_ticks=1, **options)
