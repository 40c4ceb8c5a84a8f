"""Tables that fit, whatever the terminal and the names are."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli_tools import drawn, fits, fresh_row, task_row
from munet.cli.text import renderables as tables
from munet.cli.text.grid import grid
from munet.tables.folding import breaks, folded

NAME = "handwritten_letters_az_6k"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]) | st.just(" "), max_size=60),
       st.integers(2, 20))  # fmt: skip
def test_folding_keeps_every_letter_in_lines_that_fit(text: str, most: int):
    ends = [0, *breaks(text, most), len(text)]
    lines = [text[begin:end] for begin, end in itertools.pairwise(ends)]
    assert "".join(lines) == text
    assert all(cell_len(line.rstrip(" ")) <= most for line in lines)
    assert [line.strip() for line in lines] == folded(text, most)


def test_words_that_fit_are_not_broken():
    assert folded("learning_rate 0.01→0.02, crop", 16) == ["learning_rate", "0.01→0.02, crop"]
    assert folded(NAME, 20) == ["handwritten_letters_", "az_6k"]
    assert folded("mu2net+own.toml", 8) == ["mu2net", "+own.", "toml"]
    assert folded("aaaaaaaaaaaa", 8) == ["aaaaaaaa", "aaaa"]


@pytest.mark.parametrize(("width", "kept"), [(40, "name b c"), (24, "name b"), (17, "name")])
def test_what_can_be_spared_goes_before_a_name_is_folded(width: int, kept: str):
    table = grid("name", "b", "c", names=("name",), spare=("c", "b"))
    table.add_row("some_long_name_12", "1234", "5678")
    text = drawn(table, width)
    assert fits(text, width)
    assert text.splitlines()[0].split() == kept.split()
    assert "some_long_name_12" in text


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_names_of_tasks_are_in_one_piece(width: int):
    rows = [task_row(NAME, private=True), task_row("b")]
    status = {"path": "fleet", "root": {"source": "builtin:glyphs", "id": "f" * 64}, "tasks": rows, "unfinished": []}
    status |= {"mean_test_accuracy": 0.5, "unique_parameters": 3, "parameters_per_task": 1.0, "missing_tasks": []}
    results = {NAME: {"split": "test", "accuracy": 0.5, "correct": 50, "examples": 100, "model": "f" * 64}}
    views = (
        tables.status_view(status, width),
        tables.before_after_view([fresh_row(NAME)], rows, {NAME}, width),
        tables.evaluate_view(results, width),
    )
    for view in views:
        text = drawn(view, width)
        assert fits(text, width)
        assert NAME in text
