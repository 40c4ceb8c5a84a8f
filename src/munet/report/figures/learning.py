"""How accuracy rose along the lineage of each task's model, and what was left of it on the test split (A20)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.report.figures.needs import Frame, Options, chosen_tasks, evolved, some
from munet.report.figures.style import SMALL, grid_shape, hide_unused, page, sample, whole_ticks
from munet.report.style.palette import colour
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

_LOW, _HIGH = 0.95, 1.007  # of the smallest value, of the largest: the limits (A20)
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))


def draw(history: "History", options: Options) -> "Figure":
    """A panel for each task, in it a curve for each system."""
    tasks = list(dict.fromkeys(evolved(history, "learning")["task"]))
    groups = {system: system if len(history.systems) > 1 else "" for system in history.systems}
    return curves_figure(history, groups, chosen_tasks(options, tasks, "learning"))


def curves_figure(history: "History", groups: Mapping[str, str], tasks: Sequence[str], about: str = "") -> "Figure":
    """The grid of curves; systems of one group, such as the seeds of a method, share a colour and a legend."""
    from munet.analysis.learning import curves, gaps

    held = curves(history)
    held = some(held[held["task"].isin(tasks)], "learning", "validations of a retained model's lineage")
    ends = gaps(history).set_index(["system", "task"])
    names = list(dict.fromkeys(groups[system] for system in history.systems if system in set(held["system"])))
    styles = {name: _style(place) for place, name in enumerate(names)}
    tasks = [task for task in tasks if task in set(held["task"])]
    columns, rows, panel = grid_shape(len(tasks), large=len(names) > 3)
    title = f"Learning curves of {counted(len(tasks), 'task')}{about}"
    reading = (
        "Validation accuracy along the lineage of a task's own models, each up to its selected cycle, on one scale. "
        "+ is the selected model, o below or above it the same model's test accuracy: the dotted line is the gap."
    )
    legend = names if len(names) > 1 else []
    labels = ("validations", "accuracy (%)")
    size = (max(4.6, columns * panel[0]), rows * panel[1] * 1.12 + 0.3)
    with page(title, reading, size, [*tasks, *names], legend, labels=labels) as made:
        panels = made.grid(rows, columns)
        drawn = {s: styles.get(groups[s], {}) for s in groups}
        limits = [
            _panel(axes, task, held[held["task"] == task], ends, drawn)
            for axes, task in zip(panels, tasks, strict=False)
        ]
        for axes, task in zip(panels, tasks, strict=False):
            axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
            axes.set_title(made.say(task, 22), fontsize=SMALL)
            axes.set_xlim(0, 1.03 * held["validation"].max() + 0.5)
            whole_ticks(axes, made.ticks)
        hide_unused(panels, len(tasks), columns)
        if legend:
            made.legend([sample(**style) for style in styles.values()], legend)
    return made.figure


def _style(place: int) -> dict[str, Any]:
    return {"color": colour(place), "ls": _DASHES[place // 7 % len(_DASHES)], "lw": 1.1}


def _panel(
    axes: "Axes", task: str, held: Frame, ends: Frame, styles: Mapping[str, dict[str, Any]]
) -> tuple[float, float]:
    """Draws the curves of a task; gives the limits that they need."""
    lowest, highest = [], []
    for system, curve in held.groupby("system", sort=False):
        style = styles[str(system)]
        heights = 100 * curve["accuracy"].to_numpy(float)
        axes.plot(curve["validation"], heights, alpha=0.5, zorder=2, **style)
        lowest.append(heights.min())
        highest.append(heights.max())
        if (system, task) not in ends.index:
            continue
        end = ends.loc[(system, task)]
        x, selected, tested = end["validations"], 100 * end["validation_accuracy"], 100 * end["test_accuracy"]
        axes.plot([x, x], [selected, tested], ls=":", lw=0.9, color=style["color"], zorder=3)
        axes.plot([x], [selected], "+", color=style["color"], ms=5.5, mew=1.2, zorder=4, clip_on=False)
        axes.plot([x], [tested], "o", mfc="white", color=style["color"], ms=3.6, mew=1.0, zorder=4, clip_on=False)
        if tested == tested:  # not NaN
            lowest.append(tested)
            highest.append(tested)
    low, high = _LOW * min(lowest), _HIGH * max(highest)
    return low, max(high, low + 0.5, max(highest) + 0.05 * (max(highest) - low))
