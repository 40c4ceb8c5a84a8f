"""Which layers the tasks' models have in common (A7)."""

from typing import TYPE_CHECKING

from munet.analysis.frames import History

if TYPE_CHECKING:
    import pandas as pd


def shared_layers(history: History, system: str | None = None) -> "pd.DataFrame":
    """Square table, task by task in the order in which they were added: how many layers both models have.

    On the diagonal stand all layers of a task's model. Tasks without a model are left out.
    """
    import pandas as pd

    layers = {task: set(model.layers.values()) for task, model in history.one(system).retained.items()}
    counts = [[len(mine & other) for other in layers.values()] for mine in layers.values()]
    return pd.DataFrame(counts, index=list(layers), columns=list(layers), dtype="int64")


def shared_parameters(history: History, system: str | None = None) -> "pd.DataFrame":
    """As `shared_layers`, in parameters of these layers."""
    import pandas as pd

    one = history.one(system)
    sizes = {
        task: {layer: model.sizes.get(slot, 0) for slot, layer in model.layers.items()}
        for task, model in one.retained.items()
    }
    counts = [
        [sum(mine[layer] for layer in mine.keys() & other) for other in sizes.values()] for mine in sizes.values()
    ]
    return pd.DataFrame(counts, index=list(sizes), columns=list(sizes), dtype="int64")
