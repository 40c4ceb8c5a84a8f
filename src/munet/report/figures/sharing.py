"""Layers that tasks have in common (A7), and through how many tasks the weights of each layer came (A14)."""

from typing import TYPE_CHECKING

from .matrices import matrix, matrix_size, scale_bar
from .needs import Options, evolved, one_system
from .style import counted, page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analysis import History


def draw(history: "History", options: Options) -> "Figure":
    """A matrix of tasks; a cell counts the layers that two retained models share."""
    from ...analysis.sharing import shared_layers

    one_system(history, "sharing")
    evolved(history, "sharing")
    table = shared_layers(history)
    names = [str(name) for name in table.index]
    title = f"Layers that {counted(len(names), 'task')} have in common"
    reading = "Each cell counts the layers that the models of two tasks share; on the diagonal stand all layers of a model."
    with page(title, reading, matrix_size(names, names, 0.7), names) as made:
        axes = made.panels()[0][0]
        image = matrix(made, axes, table.to_numpy(float), names, names, lambda v: f"{v:.0f}" if v else "", vmin=0)
        scale_bar(made, axes, image, "layers in common")
    return made.figure


def draw_depth(history: "History", options: Options) -> "Figure":
    """Slots from the input at the bottom to the head at the top, tasks as columns, and the mean over tasks at the right."""
    from ...analysis.lineage import transfers
    from ...history import slot_order

    evolved(history, "transfer-depth")
    found = transfers(history)
    if options.task is not None:
        from .needs import chosen_tasks

        found = found[found["task"].isin(chosen_tasks(options, list(dict.fromkeys(found["task"])), "transfer-depth"))]
    order = list(dict.fromkeys(history.tasks["task"]))
    table = found.pivot_table(index="slot", columns="task", values="depth", aggfunc="mean", observed=True)
    slots = sorted(table.index, key=slot_order, reverse=True)
    tasks = [task for task in order if task in table.columns]
    table = table.loc[slots, tasks]
    mean = "mean"
    systems = len(history.systems)
    title = "Through how many tasks the weights of each layer came"
    reading = (
        "Up the lineage of a task's model, each time the followed layer is not there, the layer that it was made from is "
        "followed on, and the ancestor's task is counted once. 0: the root's own layer, or trained from the root's at once. "
        "White: no such layer."
    )
    if systems > 1:
        reading += f" Means over {systems} systems."
    with page(title, reading, matrix_size(slots, tasks, 1.3), [*tasks, mean]) as made:
        grid = made.figure.subplots(1, 2, width_ratios=[max(1, len(tasks)), 2.2], squeeze=False)
        left, right = grid[0]
        image = matrix(made, left, table.to_numpy(float), slots, tasks, lambda v: f"{v:.3g}", vmin=0)
        right.set_visible(False)
        scale_bar(made, left, image, "tasks on the way")
    return made.figure
