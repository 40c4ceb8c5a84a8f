"""Many tasks stand in families: those that take layers from one another, and by no means because all use the root."""

import random
from itertools import pairwise

import pytest

from munet.report.page.columns import arranged

ROOT = {f"block.{n}": f"root {n}" for n in range(4)}


def layers_of(taken: dict[int, list[int]], count: int) -> list[dict[str, str]]:
    """Of each task the root's layers with a head of its own, and a layer of each of those that it takes from."""
    return [
        ROOT | {"head": f"head {task}"} | {f"adapter.{n}": f"of {other}" for n, other in enumerate(taken.get(task, []))}
        for task in range(count)
    ]


def makers_of(count: int) -> dict[str, list[int]]:
    return {f"root {n}": list[int]() for n in range(4)} | {f"head {n}": [n] for n in range(count)}


@pytest.mark.parametrize("sizes", [[2, 3, 2], [5, 7, 9, 4], [30, 40, 20]])
def test_columns_keep_families_together(sizes: list[int]):
    members = [family for family, size in enumerate(sizes) for _ in range(size)]
    random.Random(1).shuffle(members)
    slots = [f"block.{k}" for k in range(6)]
    models: list[dict[str, str] | None] = [
        {slot: f"{slot}/{family}" if slot < "block.4" else f"{slot}/own {task}" for slot in slots}
        for task, family in enumerate(members)
    ]
    makers = {f"{slot}/{family}": [members.index(family)] for slot in slots for family in range(len(sizes))}
    makers |= {f"{slot}/own {task}": [task] for slot in slots for task in range(len(members))}
    order, _ = arranged([*models, None], makers)
    assert order[-1] == len(models), "tasks without a model come last"
    found = [members[task] for task in order[:-1]]
    assert sum(a != b for a, b in pairwise(found)) == len(sizes) - 1


def test_families_are_of_tasks_that_take_from_one_another():
    taken = {3: [1], 9: [1], 1: [1], 5: [12], 12: [12], 7: [7]}
    makers = (
        {f"root {n}": [] for n in range(4)}
        | {f"head {n}": [n] for n in range(14)}
        | {f"of {n}": [n] for n in range(14)}
    )
    layers = [*layers_of(taken, 14), None]
    order, families = arranged(layers, makers)
    assert families == [[1, 3, 9], [12, 5]]
    assert sorted(order[:3]) == [1, 3, 9]
    assert sorted(order[3:5]) == [5, 12]
    assert order[5:] == [0, 2, 4, 6, 7, 8, 10, 11, 13, 14], "alone in their own order, without a model last"


def test_those_who_trained_a_trunk_together_are_one_family():
    layers = layers_of({task: [0] for task in range(13)}, 13)
    makers = makers_of(13) | {"of 0": list(range(13))}
    order, families = arranged(layers, makers)
    assert families == [list(range(13))]
    assert sorted(order) == list(range(13))


def test_few_tasks_have_no_families():
    layers = layers_of({1: [0], 0: [0]}, 3)
    assert arranged(layers, makers_of(3) | {"of 0": [0]})[1] == []
    assert arranged([], {}) == ([], [])
    assert arranged([None, None], {}) == ([0, 1], [])
    assert arranged([None, {"head": "x"}], {"x": [1]})[0] == [1, 0]


def test_a_family_is_named_after_whom_most_layers_come_from_and_not_after_whom_most_tasks_like_best():
    taken = {3: [12, 12, 1], 4: [12, 12, 1], 5: [12, 12, 1], 1: [12], 6: [1] * 5, 7: [1] * 5}
    makers = makers_of(14) | {f"of {n}": [n] for n in range(14)}
    _, families = arranged(layers_of(taken, 14), makers)
    assert families == [[1, 12, 3, 4, 5, 6, 7]]
