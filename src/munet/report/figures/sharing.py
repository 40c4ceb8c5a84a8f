"""Layers that tasks have in common (A7), and through how many tasks the weights of each layer came (A14)."""

from typing import TYPE_CHECKING

from munet.report.figures.matrices import matrix, matrix_size, scale_bar
from munet.report.figures.needs import Options, chosen_tasks, one_system, readable
from munet.report.figures.style import page
from munet.report.style.palette import FAINT
from munet.text import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from munet.analysis import History


def draw(history: "History", options: Options) -> "Figure":
    """A matrix of tasks; a cell counts the layers that two retained models share."""
    from munet.analysis.sharing import shared_layers

    one_system(history, "sharing")
    readable(history, "sharing")
    table = shared_layers(history)
    names = [str(name) for name in table.index]
    title = f"Layers in common of {counted(len(names), 'task')}"
    reading = (
        "Each cell counts the layers that the models of two tasks share; on the diagonal stand all layers of a model."
    )
    with page(title, reading, matrix_size(names, names, 0.7), names) as made:
        axes = made.panels()[0][0]
        image = matrix(made, axes, table.to_numpy(float), names, names, lambda v: f"{v:.0f}", vmin=0)
        scale_bar(made, axes, image, "layers in common")
    return made.figure


def draw_depth(history: "History", options: Options) -> "Figure":
    """Slots from the input at the bottom to the head at the top, tasks as columns, means over tasks at the right."""
    from munet.analysis.lineage import transfers
    from munet.model.slots import slot_order

    readable(history, "transfer-depth")
    found = transfers(history)
    known = [task for task in dict.fromkeys(history.tasks["task"]) if task in set(found["task"])]
    tasks = chosen_tasks(options, known, "transfer-depth")
    table = found.pivot_table(index="slot", columns="task", values="depth", aggfunc="mean")
    table = table.loc[sorted(table.index, key=slot_order, reverse=True), tasks].dropna(how="all")
    slots = [str(slot) for slot in table.index]
    title = "How many tasks the weights of each layer came through"
    reading = (
        "Up the lineage of each task's model: of how many tasks the ancestors had an earlier version of the layer. "
        "0: the root's own layer, or trained from the root's straight away. White: no such layer. Right: means."
    )
    if len(history.systems) > 1:
        reading += f" Means over {len(history.systems)} systems."
    with page(title, reading, matrix_size(slots, tasks, 1.1), tasks) as made:
        axes = made.panels()[0][0]
        digits = 0 if len(history.systems) == 1 else 1
        image = matrix(made, axes, table.to_numpy(float), slots, tasks, lambda v: f"{v:.{digits}f}", vmin=0)
        size = axes.get_yticklabels()[0].get_fontsize()
        for row, mean in enumerate(table.mean(axis=1)):
            axes.text(len(tasks) - 0.35, row, f"{mean:.1f}", ha="left", va="center", fontsize=size, color=FAINT)
        scale_bar(made, axes, image, "tasks on the way", pad=0.25)
    return made.figure
