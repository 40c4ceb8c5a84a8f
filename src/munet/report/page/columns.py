"""The order of the tasks from left to right: those that share layers stand side by side, many of them in families."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from munet.report.network.families import families
from munet.report.network.layout import Layer, Path, arrange

if TYPE_CHECKING:
    import numpy as np

_FEW = 12  # tasks up to which every move is tried, as `munet plot network` does; it takes too long for more

Layers = Mapping[str, str] | None  # slot -> layer of a task's model
Makers = Mapping[str, Sequence[int]]
"""Layer -> the tasks that trained it; empty for the root's."""


def arranged(layers: Sequence[Layers], makers: Makers) -> tuple[list[int], list[list[int]]]:
    """Numbers of the tasks in the order of their columns, and the families of many tasks, from left to right.

    A family is of tasks that take most layers, of those that others trained, from one another; whom the others take
    most layers from stands first. The largest family comes first, then tasks that take from nobody, at last those
    without a model.
    """
    grown = [task for task, path in enumerate(layers) if path]
    kin = list[list[int]]()
    if len(grown) > _FEW:
        alike = _likeness(grown, layers, makers)
        place = {task: number for number, task in enumerate(grown)}
        kin = sorted(_kin(grown, layers, makers), key=lambda family: (-len(family), family[0]))
        together = [[place[task] for task in family] for family in kin]
        single = [task for task in grown if not any(task in family for family in kin)]
        ordered = [grown[family[n]] for family in together for n in families(alike[family][:, family])]
        grown = [*ordered, *single]
    elif grown:
        slots = list(dict.fromkeys(slot for path in layers for slot in path or ()))
        paths = [Path(str(t), {s: Layer(i, 0, None) for s, i in (layers[t] or {}).items()}) for t in grown]
        grown = [int(task) for task in arrange(paths, slots).tasks]
    return [*grown, *(task for task, path in enumerate(layers) if not path)], kin


def _kin(grown: list[int], layers: Sequence[Layers], makers: Makers) -> list[list[int]]:
    """Families of two tasks and more; in each the one whom the others take most layers from comes first."""
    parent = dict[int, int]()
    taken = {
        task: Counter(maker for layer in (layers[task] or {}).values() for maker in makers.get(layer, ()))
        for task in grown
    }
    for task in grown:
        others = [(-count, maker) for maker, count in taken[task].items() if maker != task and layers[maker]]
        if others:
            parent[task] = min(others)[1]
    groups = {task: [task] for task in grown}
    for task, other in parent.items():
        mine, theirs = groups[task], groups[other]
        if mine is not theirs:
            mine += theirs
            groups |= dict.fromkeys(theirs, mine)
    found = {id(group): group for group in groups.values() if len(group) > 1}
    return [_givers_first(group, taken) for group in found.values()]


def _givers_first(family: list[int], taken: Mapping[int, Counter[int]]) -> list[int]:
    """A task may be nobody's first choice and still the one that most layers of the family come from."""
    given = {maker: sum(taken[task][maker] for task in family if task != maker) for maker in family}
    return sorted(family, key=lambda maker: (-given[maker], maker))


def _likeness(grown: list[int], layers: Sequence[Layers], makers: Makers) -> "np.ndarray":
    """How many layers that tasks trained the models of two tasks have in common."""
    import numpy as np

    sets = [{layer for layer in (layers[task] or {}).values() if makers.get(layer, ())} for task in grown]
    return np.array([[len(a & b) for b in sets] for a in sets], dtype=float)
