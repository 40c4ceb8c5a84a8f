"""What each of the people who grow a system together contributed, by task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from munet.report.figures.needs import Frame, Options, some
from munet.report.figures.style import SMALL, WIDTH, looks, page, plain_number
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

_NAME = 24
_PARTS = (
    ("retained", "models that a task retained", 1.0),
    ("now", "of them retained now", 1.0),
    ("parameters", "parameters in use (millions)", 1e6),
)


def draw(history: "History", options: Options) -> "Figure":
    """Three rows of bars side by side, a bar for each person, in the colours of the tasks."""
    from munet.analysis.people import NOT_KNOWN, contributions

    table = some(contributions(history), "people", "a task with a model")
    people = sorted(set(table["person"]), key=lambda person: (person == NOT_KNOWN, person))
    tasks = [task for task in dict.fromkeys(history.tasks["task"]) if task in set(table["task"])]
    tasks += [task for task in dict.fromkeys(table["task"]) if task not in tasks]  # tasks that are gone
    reading = (
        "A task retains one model at a time; one that was replaced counts on the left only. Parameters: of the layers "
        "in use now, by who trained them, whichever tasks use them; those of the root are nobody's."
    )
    title = f"What each contributed: {counted(len(people), 'author')}, {counted(len(tasks), 'task')}"
    bar = min(0.26, max(0.1, 8.0 / len(people)))
    colours = {task: look.colour for task, look in looks(tasks).items()}
    with page(title, reading, (WIDTH, bar * len(people) + 0.75), people, tasks) as made:
        panels, handles = made.panels(1, len(_PARTS), sharey=True)[0], list[Frame]()
        for axes, (column, label, unit) in zip(panels, _PARTS, strict=True):
            wide = table.pivot_table(index="person", columns="task", values=column, aggfunc="sum", fill_value=0)
            handles = _bars(axes, wide.reindex(index=people, columns=tasks, fill_value=0) / unit, tasks, colours)
            axes.set_xlabel(label, fontsize=SMALL)
            _few_ticks(axes, whole=unit == 1)
        names = [made.say(person, _NAME) for person in people]
        panels[0].set_yticks(range(len(people)), names, fontsize=min(SMALL, bar * 72 * 0.8))
        panels[0].set_ylim(len(people) - 0.4, -0.6)
        made.legend(handles, tasks)
    return made.figure


def _bars(axes: "Axes", wide: Frame, tasks: Sequence[str], colours: dict[str, str]) -> list[Frame]:
    import numpy as np

    left, handles = np.zeros(len(wide)), list[Frame]()
    for task in tasks:
        widths = wide[task].to_numpy(float)
        style = {"height": 0.75, "color": colours[task], "edgecolor": "white", "lw": 0.4}
        handles.append(axes.barh(range(len(wide)), widths, left=left, **style))
        left += widths
    axes.set_xlim(0, max(1e-9, left.max()) * 1.04)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return handles


def _few_ticks(axes: "Axes", *, whole: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
