"""The tables hold the right numbers, and every form of them says the same and escapes what others wrote."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from experiment_tools import LEAK, TASKS, grid, result
from munet.catalog import published
from munet.experiments.results.read import Result, Runs, find
from munet.experiments.results.tables import differences_table, methods_table, omniglots, published_table, tasks_table
from munet.tables.render import WRITERS, cell_text, comma_separated, latex, markdown, number
from munet.tables.table import Column, Label, Range, Spread, Table, Values
from munet.tables.terminal import terminal
from repo import DOCS


def made(method: str, seed: int, *accuracies: float, **changes: Any) -> Result:
    return Result.model_validate(result(method, seed, dict(zip(TASKS, accuracies, strict=False)), **changes))


@pytest.fixture
def runs() -> Runs:
    """Tasks digits, letters, omniglot32_drawers; two methods, two seeds."""
    return {
        "finetune-full": [made("finetune-full", 0, 0.8, 0.7, 0.3), made("finetune-full", 1, 0.9, 0.8, 0.1)],
        "munet": [
            made("munet", 0, 0.9, 0.8, 0.1, parameters_per_task=500_000.0, flops_per_task=10e6, device_hours=0.5),
            made("munet", 1, 0.9, 0.6, 0.3, parameters_per_task=700_000.0, flops_per_task=12e6, device_hours=1.0),
        ],
    }


def rows_of(table: Table) -> list[dict[str, Any]]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def test_methods_by_hand(runs: Runs):
    full, munet = rows_of(methods_table(runs, ["omniglot32_drawers"]))
    assert full["method"] == Label("finetune-full")
    assert full["seeds"] == 2
    assert full["test_mean"] == pytest.approx(0.6), "1.8 and 1.8 over three tasks"
    assert full["test_std"] == pytest.approx(0)
    assert full["test_mean_without"] == pytest.approx(0.8), "0.75 and 0.85"
    assert full["validation_mean"] == pytest.approx(0.61)
    assert munet["test_max"] == pytest.approx(0.6)
    assert munet["test_range"] == Range(pytest.approx(0.6), pytest.approx(0.6))  # pyright: ignore[reportArgumentType]
    assert munet["test_mean_without"] == pytest.approx(0.8), "0.85 and 0.75"
    assert munet["parameters_per_task"] == 600_000
    assert munet["flops_per_task"] == 11e6
    assert munet["device_hours"] == 0.75
    assert munet["samples_per_task"] == pytest.approx(51_200)
    assert munet["flops_spent"] == 4e13, "training and validation"


def test_the_note_of_a_task_is_at_every_number_it_goes_into(runs: Runs):
    assert omniglots(runs) == ["omniglot32_drawers"]
    table = methods_table(runs, ["omniglot32_drawers"])
    assert table.notes == (f"omniglot32_drawers: {LEAK}",)
    marked = {column.key for column in table.columns if column.marks}
    assert marked == {"test_max", "test_mean", "test_range", "test_std", "validation_mean"}
    for part in ("test", "validation"):
        labels = [row[0] for row in tasks_table(runs, part, ["omniglot32_drawers"]).rows]
        assert labels == [
            Label("digits"),
            Label("letters"),
            Label("omniglot32_drawers", (1,)),
            Label("mean", (1,)),
            Label("mean without omniglot32_drawers"),
        ]
    marked = {column.key for column in differences_table(runs, "munet", ["omniglot32_drawers"]).columns if column.marks}
    assert marked == {"difference", "interval", "by_seed"}
    published_marks = {c.key for c in published_table(runs, published("mccb")).columns if c.marks}
    assert published_marks == {"test_mean"}


def test_tasks_by_hand(runs: Runs):
    table = tasks_table(runs, "test", ["omniglot32_drawers"])
    assert [column.title for column in table.columns] == ["task", "finetune-full", "munet"]
    digits, _, omniglot, mean, rest = rows_of(table)
    assert digits["finetune-full"] == Spread(pytest.approx(0.85), 0.8, 0.9)  # pyright: ignore[reportArgumentType]
    assert digits["munet"] == Spread(0.9, 0.9, 0.9)
    assert omniglot["munet"] == Spread(pytest.approx(0.2), 0.1, 0.3)  # pyright: ignore[reportArgumentType]
    assert mean["finetune-full"].mean == pytest.approx(0.6)
    assert rest["finetune-full"] == Spread(pytest.approx(0.8), pytest.approx(0.75), pytest.approx(0.85))  # pyright: ignore[reportArgumentType]
    assert tasks_table(runs, "validation").rows[0][1] == Spread(pytest.approx(0.86), 0.81, 0.91)  # pyright: ignore[reportArgumentType]


def test_differences_by_hand(runs: Runs):
    (row,) = rows_of(differences_table(runs, "finetune-full", ["omniglot32_drawers"]))
    # munet - finetune-full: 0.1 0.1 -0.2 and 0 -0.2 0.2
    assert (row["seeds"], row["tasks"]) == (2, 3)
    assert row["difference"] == pytest.approx(0)
    assert row["by_seed"] == Values((pytest.approx(0, abs=1e-15), pytest.approx(0, abs=1e-15)))  # pyright: ignore[reportArgumentType]
    assert (row["ahead"], row["behind"]) == (1, 1), "digits 0.05, letters -0.05, omniglot 0"
    assert row["difference_without"] == pytest.approx(0)
    assert -0.2 <= row["interval"].low < 0 < row["interval"].high <= 0.2
    others = {**runs, "mu2net": [made("mu2net", 0, 0.5, 0.5, 0.5)]}
    again, short = rows_of(differences_table(others, "finetune-full", ["omniglot32_drawers"]))
    assert again == row, "an interval does not depend on which other methods are shown"
    assert short["seeds"] == 1


def test_methods_without_common_seeds_cannot_be_compared():
    runs = {"munet": [made("munet", 0, 0.5)], "mu2net": [made("mu2net", 1, 0.5)]}
    (row,) = rows_of(differences_table(runs, "munet"))
    assert row["seeds"] == 0
    assert {value for key, value in row.items() if key not in ("method", "seeds")} == {None}


def test_one_seed_has_neither_range_nor_deviation():
    (row,) = rows_of(methods_table({"munet": [made("munet", 0, 0.5, 0.7)]}))
    assert row["test_mean"] == pytest.approx(0.6)
    assert row["test_range"] is None
    assert row["test_std"] is None


def test_what_makes_runs_hard_to_compare_is_said():
    moved = result("mu2net", 1, {"digits": 0.5}, device="cuda", precision="bf16")
    moved["tasks"][0]["splits"]["test"]["fingerprint"] = "something else"
    runs = {"munet": [made("munet", 0, 0.5, 0.6)], "mu2net": [Result.model_validate(moved)]}
    remarks = " ".join(methods_table(runs).remarks)
    assert "population standard deviation" in remarks
    assert "Not every method has the same seeds." in remarks
    assert "different devices and cannot be compared: cpu fp32, cuda bf16" in remarks
    assert "not all over the same tasks; some are missing in: mu2net" in remarks
    assert "different images of: digits (test)." in remarks
    calm = " ".join(methods_table({"munet": [made("munet", 0, 0.5)], "mu2net": [made("mu2net", 0, 0.5)]}).remarks)
    assert not re.search("cannot be compared|missing|different images|same seeds", calm)


def test_published_results_stand_beside_ours(runs: Runs):
    rows = {row["method"].text: row for row in rows_of(published_table(runs, published("mccb")))}
    munet = rows["munet"]
    assert (munet["published_max"], munet["published_mean"], munet["published_std"]) == (0.9298, 0.9141, 0.0106)
    assert munet["test_mean"] == pytest.approx(0.6)
    assert (munet["published_parameters"], munet["parameters_per_task"]) == (1_200_000, 600_000)
    assert munet["core_hours"] == 5.02
    assert rows["multi-head"]["test_mean"] is None
    table = published_table(runs, published("mccb"))
    assert "Ours: toy at budget mini." in table.remarks
    assert any("toy and mccb differ" in remark for remark in table.remarks)
    same = {"munet": [made("munet", 0, 0.5, benchmark="mccb")]}
    assert published_table(same, published("mccb")).remarks == ("Ours: mccb at budget mini.",)
    sources = {table.notes[mark - 1] for row in table.rows for mark in row[0].marks}  # type: ignore[union-attr]
    assert sources == {row.source for row in published("mccb")}


# Forms


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.81234, "percent", "81.23"),
        (-0.01234, "points", "-1.23"),
        (0.00001, "points", "+0.00"),
        (-0.00001, "points", "+0.00"),
        (1_525_005.6, "count", "1,525,006"),
        (14_770_000, "mflops", "14.77"),
        (18.123e12, "tflops", "18.1"),
        (1234.5e12, "tflops", "1,234"),
        (0.0, "hours", "0"),
        (0.0421, "hours", "0.042"),
        (5.021, "hours", "5.02"),
    ],
)
def test_numbers(value: float, unit: Any, text: str):
    assert number(value, unit) == text


def test_cells():
    assert cell_text(Spread(0.5, 0.4, 0.6), "percent") == "50.00 [40.00–60.00]"
    assert cell_text(Spread(0.5, 0.5, 0.5), "percent") == "50.00"
    assert cell_text(Range(-0.02, -0.01), "points") == "-2.00 to -1.00"
    assert cell_text(Values((0.01, -0.01)), "points") == "+1.00 -1.00"
    assert cell_text(None, "percent") == "-"
    assert cell_text(Label("a\nb\x1b[31m\u202e"), "text") == "a□b□[31m□"


def odd_table(*names: str) -> Table:
    columns = (Column("task", "task"), Column("m", "a_b|c", "percent", parts=("mean", "low", "high")))
    rows = tuple((Label(name, (1,)), Spread(0.5, 0.4, 0.6)) for name in names)
    return Table("test", "50 % & more", columns, rows, ("x: y",))


def test_latex_escapes_and_stands_between_rules():
    text = latex([odd_table("a_b & 100% #1 $x$ {y} ~^\\ <z> a--b", "[x]", "*")])
    assert (
        r"a\_b \& 100\% \#1 \$x\$ \{y\} \textasciitilde{}\textasciicircum{}\textbackslash{} \textless{}z\textgreater{}"
        in text
    )
    assert r"a-{}-b\textsuperscript{1} & 50.00 [40.00\textendash{}60.00] \\" in text
    assert r"{}[x]" in text, "a bracket after \\\\ would be its argument"
    assert r"{}*" in text
    assert r"\caption{50 \% \& more}" in text
    for command in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(command) == 1
    assert text.count(r"\begin") == text.count(r"\end") == 2
    assert r"\textsuperscript{1} x: y" in text


def test_markdown_escapes_and_keeps_the_shape_of_the_table():
    text = markdown([odd_table("a|b *c* _d_ e_f `g` <h> \\", "x")])
    assert r"| a\|b \*c\* \_d\_ e_f \`g\` \<h\> \\¹ | 50.00 [40.00–60.00] |" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "\n¹ x: y\n" in text


def test_csv_holds_raw_values_and_no_formulas():
    rows = list(csv.reader(io.StringIO(comma_separated(odd_table('=1+1,"a"', "-x")))))
    assert rows == [
        ["task", "m_mean", "m_low", "m_high", "notes"],
        ['\'=1+1,"a"', "0.5", "0.4", "0.6", "x: y"],
        ["'-x", "0.5", "0.4", "0.6", "x: y"],
    ]


def test_csv_columns_do_not_depend_on_what_is_known():
    one, two = {"munet": [made("munet", 0, 0.5)]}, {"munet": [made("munet", s, 0.5 + s / 10) for s in (0, 1)]}
    heads = [comma_separated(methods_table(runs)).splitlines()[0] for runs in (one, two)]
    assert heads[0] == heads[1]
    assert "test_range_low,test_range_high" in heads[0]


def test_json_holds_raw_values(runs: Runs):
    (table,) = json.loads(WRITERS["json"]([tasks_table(runs, "test")]))
    assert table["rows"][0]["task"] == "digits"
    assert table["rows"][0]["munet"] == {"mean": 0.9, "low": 0.9, "high": 0.9}


# Terminal


def drawn(table: Table, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True, markup=False, emoji=False)
    console.print(terminal(table, width))
    return console.export_text()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 250])
def test_no_table_is_wider_than_the_terminal_and_nothing_is_cut(tmp_path: Path, width: int):
    runs = find(grid(tmp_path), "toy", "mini").runs
    left = omniglots(runs)
    tables = [methods_table(runs, left), tasks_table(runs, "test", left), differences_table(runs, "munet", left)]
    for table in [*tables, published_table(runs, published("mccb"))]:
        text = drawn(table, width)
        assert all(cell_len(line) <= width for line in text.splitlines())
        assert "…" not in text
        for row in table.rows:
            for cell, column in zip(row[1:], table.columns[1:], strict=True):
                assert cell_text(cell, column.unit) in text
    methods = drawn(tables[0], 250)
    assert len([line for line in methods.splitlines() if line.startswith("mu2net-plus")]) == 1, "in one part"
    assert "finetune-full+preprocessing=none+replicas=1" in methods


def test_names_are_folded_and_whole():
    names = ["a" * 70, "漢字の手書き文字" * 4, "[bold]x[/bold]", "finetune-full+preprocessing=none+replicas=1"]
    table = odd_table(*names)
    text = drawn(table, 60)
    assert all(cell_len(line) <= 60 for line in text.splitlines())
    column = "".join("".join(line.split("50.00")[0].split()) for line in text.splitlines())
    for name in names:
        assert "".join(name.split()) in column


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4), st.integers(50, 120))
def test_any_name_can_be_shown_and_written(names: Sequence[str], width: int):
    table = odd_table(*names)
    assert all(cell_len(line) <= width for line in drawn(table, width).splitlines())
    assert len(list(csv.reader(io.StringIO(comma_separated(table))))) == len(names) + 1
    assert len([line for line in markdown([table]).splitlines() if line.startswith("|")]) == len(names) + 2
    body = latex([table]).split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == len(names)
    assert all(len(re.findall(r"(?<!\\)&", row)) == 1 for row in body)


def test_a_table_of_tasks_without_notes_has_no_footnotes():
    table = methods_table({"munet": [made("munet", 0, 0.5, 0.6)]})
    assert table.notes == ()
    assert not any(column.marks for column in table.columns)


def test_the_captions_in_the_docs_are_those_that_the_command_prints(runs: Runs):
    """docs/results.md holds printed tables: no caption of a comparison is worded by hand."""
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    first, second = differences_table(runs, "finetune-full").remarks
    captions = [line for line in text.splitlines() if line.startswith("Percentage points of test accuracy")]
    assert len(captions) == 2
    assert {re.sub(r"up to \d+ pairs", "N", line) for line in captions} == {re.sub(r"up to \d+ pairs", "N", first)}
    assert text.count(second) == len(captions)
