"""Who descends from whom, over time and score (A11), and settings along the lineages of the retained models (A12)."""

from typing import TYPE_CHECKING, Any

from munet.report.figures.needs import Frame, Options, evolved, one_system, some
from munet.report.figures.style import WIDTH, label_time, looks, page, sample
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from munet.analysis import History

_MANY = 4000  # sampled models above which vector files hold the faint ones as an image


def draw(history: "History", options: Options) -> "Figure":
    """A line from each sampled model to its parent, in the colour of its task; the retained lineages stand out."""
    from munet.analysis.lineage import line, tree

    one_system(history, "ancestors")
    children = some(history.children, "ancestors", "sampled children")
    scored = some(children[children["score"].notna()], "ancestors", "children with a score").set_index(
        "step", drop=False
    )
    edges = tree(history)
    edges = edges[edges["parent_score"].notna()]
    steps = {one.step for task in evolved(history, "ancestors")["task"] for one in line(history, task)}
    retained = scored[scored.index.isin(steps)]
    tasks = list(history.tasks["task"])
    present = [task for task in tasks if task in set(scored["task"])]
    title = f"Ancestors of {counted(len(scored), 'sampled model')} of {counted(len(present), 'task')}"
    reading = (
        "A line leads from each sampled model to its parent, in the colour of its own task. "
        "Strong lines, black plus signs: the lineages of the retained models. A model made from the root begins a line."
    )
    with page(title, reading, (WIDTH, 2.9), tasks, present) as made:
        axes = made.panels()[0][0]
        colours = {task: look.colour for task, look in looks(tasks).items()}
        image = len(scored) > _MANY
        _lines(axes, edges, colours, lw=0.5, alpha=0.5, zorder=2, rasterized=image)
        for task, mine in scored.groupby("task", sort=False):
            look, size = looks(tasks)[str(task)], 1 if image else 7
            axes.scatter(
                mine["step"], mine["score"], s=size, c=look.colour, marker=look.marker, lw=0, zorder=3, rasterized=image
            )
        _lines(axes, edges[edges["retained"]], colours, lw=1.7, zorder=4, capstyle="round")
        axes.plot(retained["step"], retained["score"], "+", color="black", ms=5, mew=0.9, zorder=5)
        label_time(axes, int(children["step"].max()) + 1)
        axes.set_ylabel("score")
        marks = {task: looks(tasks)[task].marker for task in present}
        made.legend([sample(color=colours[task], lw=1.7, marker=marks[task], ms=3.5) for task in present], present)
    return made.figure


def _lines(axes: "Axes", edges: Frame, colours: dict[str, str], **style: Any) -> None:
    from matplotlib.collections import LineCollection

    ends = edges[["parent_step", "parent_score", "step", "score"]].to_numpy(float)
    axes.add_collection(
        LineCollection(ends.reshape(-1, 2, 2), colors=[colours[task] for task in edges["task"]], **style)
    )
