"""The parts of the payload that decide by themselves: colours on dark ground, the order of columns, values, texts."""

import numpy as np
import pytest

from munet.report.page.looks import DARK_GROUND, contrast, task_look
from munet.report.page.texts import mutation_text, value_text
from munet.report.page.values import column, plain


@pytest.mark.parametrize("number", [*range(24), 60, 123])
def test_colours_can_be_seen_on_dark_ground(number: int):
    look = task_look(number)
    assert contrast(look["dark"], DARK_GROUND) >= 4
    assert look == task_look(number)


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
