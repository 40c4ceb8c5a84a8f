"""The order of the tasks from left to right: those that share layers stand side by side."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from munet.report.network.families import families
from munet.report.network.layout import Layer, Path, arrange

if TYPE_CHECKING:
    import numpy as np

_FEW = 12  # tasks up to which every move is tried, as `munet plot network` does; it takes too long for more

Layers = Mapping[str, str] | None  # slot -> layer of a task's model


def arranged(layers: Sequence[Layers]) -> list[int]:
    """Numbers of the tasks in the order of their columns; those without a model come last, in their own order."""
    grown = [task for task, path in enumerate(layers) if path]
    if len(grown) > _FEW:
        grown = [grown[place] for place in families(_likeness(grown, layers))]
    elif grown:
        slots = list(dict.fromkeys(slot for path in layers for slot in path or ()))
        paths = [Path(str(t), {s: Layer(i, 0, None) for s, i in (layers[t] or {}).items()}) for t in grown]
        grown = [int(task) for task in arrange(paths, slots).tasks]
    return [*grown, *(task for task, path in enumerate(layers) if not path)]


def _likeness(grown: list[int], layers: Sequence[Layers]) -> "np.ndarray":
    """How many layers the models of two tasks have in common."""
    import numpy as np

    sets = [set((layers[task] or {}).values()) for task in grown]
    return np.array([[len(a & b) for b in sets] for a in sets], dtype=float)
