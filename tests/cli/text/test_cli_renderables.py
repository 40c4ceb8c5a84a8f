"""What the read commands print, at both usual widths and with names of any kind."""

import pytest

from cli_tools import LONG, NAMES, drawn, fits, fresh_row, status_of, task_row, unfolded
from munet.cli.text import renderables as tables

WIDTHS = [80, 100, 120, 160]
ID = "0123456789abcdef" * 4


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_status_shows_any_name_whole(name: str, width: int):
    rows = [task_row(name, private=True), task_row("other"), fresh_row("new")]
    text = drawn(tables.status_view(status_of(*rows), width), width)
    assert fits(text, width)
    assert "83.45" in text
    assert "81.23" in text
    assert "14.8" in text or width < 100, "compute is left out first"
    assert "0123456789" in text
    assert "0123456789a" not in text, "ids are abbreviated"
    column = "".join(line[: line.find("  ")] for line in text.splitlines()[4:] if not line.startswith(("mean", "─")))
    assert unfolded(name) in unfolded(column), "what has to be typed again is folded, not cut"
    assert "private" in text


def test_status_numbers_are_whole_where_there_is_room():
    narrow, wide = (drawn(tables.status_view(status_of(task_row("a")), width), width) for width in (80, 120))
    assert "1.53M" in narrow
    assert "1,525,006" in wide
    assert "524,288" in wide


def test_status_totals_and_what_to_do_next():
    run = {"run": "0003", "user": "ada", "host": "lab", "started": "2026-11-27T20:14:03+00:00", "tasks": ["a", "b"]}
    run |= {"at": ["b"], "models": 9, "samples": 115200, "going_on": False, "resume": "munet resume fleet 0003"}
    text = drawn(tables.status_view(status_of(task_row("a"), unfinished=[run]), 200), 200)
    assert "mean test accuracy 81.23 %, 4,000,000 unique parameters, 800,000 per task" in text
    assert "Run 0003 of ada@lab is not finished: begun 2026-11-27T20:14:03+00:00 over a, b, now at b," in text
    assert "with 9 open models (115,200 samples of training). `munet resume fleet 0003` goes on with it." in text
    empty = {"mean_test_accuracy": None, "unique_parameters": 0, "parameters_per_task": None}
    assert "munet add fleet NAME SOURCE" in drawn(tables.status_view(status_of(**empty), 80), 80)
    text = drawn(tables.status_view(status_of(fresh_row("a"), **empty), 80), 80)
    assert "Nothing evolved yet: munet evolve fleet" in text


def entry(**changes):
    base = {
        "model": ID,
        "task": "mnist",
        "by": [],
        "signed_by": [],
        "generation": 2,
        "method": "mu2net-plus",
        "mutations": [{"kind": "clone", "slot": "block.0"}, {"kind": "set", "name": "hue", "old": 0.0, "new": 0.01}],
        "hyperparameters": {"hue": 0.01},
        "changed": {"hue": [0.0, 0.01], "flip": [False, True]},
        "validation_accuracy": 0.9,
        "score": 0.9,
        "alive": True,
        "claimed": False,
        "layers": {},
    }
    return base | changes


@pytest.mark.parametrize("width", WIDTHS)
def test_log_tells_each_change_once_and_marks_what_was_collected(width: int):
    root = entry(task=None, generation=0, mutations=[], changed={}, validation_accuracy=None, model="f" * 64)
    entries = [entry(), entry(alive=False, generation=1, task=LONG, model="a" * 64), root]
    text = drawn(tables.log_view(entries, width), width)
    assert fits(text, width)
    assert "aaaaaaaaaa*" in text
    assert "weights were collected" in text
    assert "the root" in text
    lines = text.splitlines()
    begin, end = lines[0].index("task"), lines[0].index("  depth")
    assert unfolded(LONG) in unfolded("".join(line[begin:end].strip() for line in lines))
    if width >= 120:
        assert text.splitlines()[2].count("hue 0→0.01") == 1
        assert "clone block.0, hue 0→0.01, flip false→true" in text


def test_who_evolved_is_told_where_it_is_known():
    assert "who" not in drawn(tables.log_view([entry()], 100), 100)
    text = drawn(tables.log_view([entry(by=["ada@lab", "bob@sea"])], 100), 100)
    assert "ada@lab, bob@sea" in text


def test_a_remote_tells_what_its_tasks_retained():
    told = {
        "task": "mnist",
        "model": ID,
        "by": ["ada@lab"],
        "signed_by": [],
        "test_accuracy": 0.5,
        "state": "retained",
        "known": False,
    }
    text = drawn(tables.remote_log_view([told]), 100)
    assert all(part in text for part in ("mnist", ID[:10], "ada@lab", "50.00", "retained", "not yet"))
    assert "has retained" in drawn(tables.remote_log_view([]), 100)


@pytest.mark.parametrize("width", WIDTHS)
def test_show_names_layers_trainers_and_sharers(width: int):
    model = {
        "model": ID,
        "task": "বাংলা",
        "by": ["ada@lab", "bob@sea"],
        "signed_by": ["ada@lab"],
        "parent": "e" * 64,
        "method": "mu2net-plus",
        "generation": 3,
        "architecture": {},
        "num_blocks": 1,
        "image_size": 32,
        "layers": [
            {
                "slot": "embedding",
                "layer": "b" * 64,
                "parameters": 147648,
                "trained_by": "root",
                "together": [],
                "by": [],
                "shared_with": list(NAMES),
            },
            {
                "slot": "block.0",
                "layer": "c" * 64,
                "parameters": 444864,
                "trained_by": LONG,
                "together": [LONG, "b", "c"],
                "by": ["ada@lab"],
                "shared_with": [],
            },
        ],
        "hyperparameters": {"learning_rate": 0.02, "flip": True},
        "mutation_probabilities": {"clone:block.0": 0.18},
        "mutations": [{"kind": "remove_block", "slot": "block.1"}],
        "metrics": {
            "validation_accuracy": 0.97,
            "validation_examples": 500,
            "cycle": 1,
            "accuracies": [0.9, 0.97],
            "score": 0.95,
            "accounted_parameters": 2000.0,
            "flops": 9e6,
        },
        "claimed": False,
        "stream": [0, "x", 0, 0, 0],
        "test_accuracy": 0.96,
    }
    text = drawn(tables.show_view(model, width), width)
    assert fits(text, width)
    for part in (
        ID,
        "child of eeeeeeeeee",
        "-block.1",
        "97.00",
        "96.00",
        "592,512",
        "bbbbbbbbbb",
        "clone:block.0 0.18",
        "evolved by ada@lab and bob@sea",
        "signed by ada@lab",
    ):
        assert part in text
    assert "learning_rate 0.02" in text
    root = model | {"task": None, "parent": None, "metrics": {}, "mutation_probabilities": {}, "test_accuracy": None}
    assert f"{ID}  root" in drawn(tables.show_view(root, 120), 120)


def test_diff_lists_what_is_shared_and_what_is_not():
    diff = {
        "a": "a" * 64,
        "b": "b" * 64,
        "shared": ["embedding", "block.0", "block.1"],
        "different": [{"slot": "head", "a": "c" * 64, "b": "d" * 64}],
        "only_a": ["block.2"],
        "only_b": ["adapter.0"],
        "hyperparameters": {"hue": [0.0, 0.01], "adapter_dim": [None, 32]},
        "shared_parameters": 900,
        "parameters_a": 1200,
        "parameters_b": 1000,
    }
    text = drawn(tables.diff_view(diff, 80), 80)
    assert "shared  900 parameters (90.0 % of the smaller): embedding block.0-1" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["head", "cccccccccc", "dddddddddd"] in rows
    assert ["block.2", "has", "it", "-"] in rows
    assert ["adapter.0", "-", "has", "it"] in rows
    assert ["adapter_dim", "-", "32"] in rows
    same = diff | {"different": [], "only_a": [], "only_b": [], "hyperparameters": {}}
    assert "No layer and no hyperparameter differs." in drawn(tables.diff_view(same, 80), 80)


@pytest.mark.parametrize("name", NAMES)
def test_evaluate_and_predict(name: str):
    results = {
        name: {"split": "test", "accuracy": 0.5, "correct": 50, "examples": 100, "model": ID},
        "b": {"split": "test", "accuracy": 1.0, "correct": 10, "examples": 10, "model": ID},
    }
    text = drawn(tables.evaluate_view(results, 80), 80)
    assert fits(text, 80)
    assert "mean 75.00 % over 2 tasks" in text
    text = drawn(tables.predict_view(["a.png", name], [[[(name, 0.9), ("x", 0.1)]], [[("y", 1.0)]]], ["t"]), 80)
    assert fits(text, 80)
    assert "90.0" in text
    assert "10.0" in text
    assert "100.0" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_before_and_after(width: int):
    before = [task_row("a", test_accuracy=0.7, parameters=2_000_000), fresh_row(LONG), task_row("idle")]
    after = [task_row("a"), task_row(LONG), task_row("idle")]
    text = drawn(tables.before_after_view(before, after, {"a", LONG}, width), width)
    assert fits(text, width)
    assert "idle" not in text, "only what evolved"
    row = next(line for line in text.splitlines() if line.startswith("a "))
    assert row.split()[-1] == "+11.23"
    assert ("2M→1.53M" in row) == (width >= 100)
    assert next(line for line in text.splitlines() if line.startswith("a-name")).split()[-1] == "-"


def test_fsck_names_damage_and_whom_it_hurts():
    report = {"tasks": 2, "models": 3, "layers": 1, "bytes": 2_500_000, "strays": []}
    report |= {"elsewhere": 0, "hurt": [], "lines": []}
    assert "fleet is whole: 2 tasks, 3 models, 1 layer, 2.5 MB checked" in drawn(tables.fsck_view(report, "fleet"), 100)
    bad = report | {
        "lines": ["layers/ab/cd.safetensors is missing; hurts task mnist"],
        "hurt": ["mnist"],
        "strays": ["x"],
    }
    text = drawn(tables.fsck_view(bad, "fleet"), 100)
    assert "damaged: layers/ab/cd.safetensors is missing; hurts task mnist" in text
    assert "stray: x (no damage)" in text
    assert "1 damaged object in fleet" in text
    assert "tasks hurt: mnist" in text
