"""The parts of the payload that decide by themselves: colours on dark ground, the order of columns, values, texts."""

import random
from itertools import pairwise

import numpy as np
import pytest

from munet.report.page.columns import arranged
from munet.report.page.looks import DARK_GROUND, contrast, task_look
from munet.report.page.texts import mutation_text, value_text
from munet.report.page.values import column, plain


@pytest.mark.parametrize("number", [*range(24), 60, 123])
def test_colours_can_be_seen_on_dark_ground(number: int):
    look = task_look(number)
    assert contrast(look["dark"], DARK_GROUND) >= 4
    assert look == task_look(number)


def families(sizes: list[int], seed: int) -> tuple[list[dict[str, str]], list[int]]:
    """Models of several families in random order, and the family of each."""
    members = [family for family, size in enumerate(sizes) for _ in range(size)]
    random.Random(seed).shuffle(members)
    slots = [f"block.{k}" for k in range(6)]
    return [
        {slot: f"{slot}/{family}" if slot < "block.4" else f"{slot}/{task}" for slot in slots}
        for task, family in enumerate(members)
    ], members


@pytest.mark.parametrize("sizes", [[2, 3, 2], [5, 7, 9, 4], [30, 40, 20]])
def test_columns_keep_families_together(sizes: list[int]):
    models, members = families(sizes, 1)
    order = arranged([*models, None])
    assert order[-1] == len(models), "tasks without a model come last"
    found = [members[task] for task in order[:-1]]
    changes = sum(a != b for a, b in pairwise(found))
    assert changes == len(sizes) - 1


def test_columns_of_nothing():
    assert arranged([]) == []
    assert arranged([None, None]) == [0, 1]
    assert arranged([None, {"head": "x"}]) == [1, 0]


def test_values_are_plain_and_short():
    assert plain(np.float64("nan")) is None
    assert plain(np.int64(3)) == 3
    assert plain(3.0) == 3
    assert column([0.123456789, None, 1e-9, 12345678.4]) == [0.12346, None, 1e-9, 12346000]


def test_texts():
    assert value_text(True) == "yes"
    assert value_text(0.30000000000000004) == "0.3"
    assert value_text(None) == "–"
    assert value_text([1, "a"]) == '[1, "a"]'
    assert mutation_text("set", "learning_rate", 0.01, 0.02) == "learning_rate 0.01 → 0.02"
    assert mutation_text("insert_adapter", "adapter.1", None, None) == "+adapter.1"
    assert mutation_text("remove_block", "block.5", None, None) == "−block.5"
    assert mutation_text("train_jointly", None, None, None) == "train jointly"
