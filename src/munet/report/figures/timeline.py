"""The score of every sampled model over time (analysis notebook, A10)."""

from typing import TYPE_CHECKING

from munet.report.figures.needs import Frame, Options, one_system, some
from munet.report.figures.style import WIDTH, Look, label_time, looks, page
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from munet.analysis import History

_MANY = 4000  # points above which markers shrink and vector files hold them as an image


def draw(history: "History", options: Options) -> "Figure":
    """A point for each sampled model, for each task a line along its best so far and a cross at its best."""
    one_system(history, "timeline")
    children = some(history.children, "timeline", "sampled children")
    scored = some(children[children["score"].notna()], "timeline", "children with a score")
    tasks = list(history.tasks["task"])
    present = [task for task in tasks if task in set(scored["task"])]
    reading = (
        "Each point is a sampled model, in the colour of its task: filled if it was accepted, hollow if not. "
        "Lines follow the best of each task so far; a black cross marks the best of all."
    )
    lost = len(children) - len(scored)
    if lost:
        reading += f" Without {lost:,} that reached no score."
    title = f"Scores of {counted(len(scored), 'sampled model')} of {counted(len(present), 'task')}"
    with page(title, reading, (WIDTH, 2.7), tasks, present) as made:
        axes = made.panels()[0][0]
        handles = [_task(axes, scored[scored["task"] == task], looks(tasks)[task], len(scored)) for task in present]
        label_time(axes, int(children["step"].max()) + 1)
        axes.set_ylabel("score")
        made.legend(handles, present)
    return made.figure


def _task(axes: "Axes", children: Frame, look: Look, count: int) -> "Line2D":
    import numpy as np

    xs, ys = children["step"].to_numpy(), children["score"].to_numpy(float)
    accepted = children["accepted"].to_numpy(bool)
    image = count > _MANY
    size = 1.2 if image else 2.0 if count > 800 else 3.2
    reached = np.maximum.accumulate(np.where(accepted, ys, -np.inf))
    held = np.isfinite(reached)
    axes.step(xs[held], reached[held], where="post", color=look.colour, lw=0.8, alpha=0.6, zorder=2, rasterized=image)
    style = {"marker": look.marker, "ls": "none", "ms": size, "mew": 0.7, "mec": look.colour, "rasterized": image}
    axes.plot(xs[~accepted], ys[~accepted], mfc="white", zorder=3, **style)
    (handle,) = axes.plot(xs[accepted], ys[accepted], mfc=look.colour, zorder=3, **style)
    best = ys.argmax()
    axes.plot(
        xs[best],
        ys[best],
        "x",
        color="black",
        ms=5.5 if count <= 800 else 3.5,
        mew=1.3 if count <= 800 else 0.9,
        zorder=4,
    )
    return handle
