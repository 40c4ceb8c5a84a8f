"""The live view as a terminal shows it: sizes, scripts, names of any length."""

import pytest
from test_cli_state import child, cycle, played

from cli_tools import LONG, NAMES, drawn, fits, opening, task_row
from munet.cli.evolve.screen import screen
from munet.evolution.events import GenerationStarted, TaskFinished

TRAINED = (
    cycle(0, 0, 0.5),
    cycle(0, 1, 0.612),
    child(0, 0.612, accepted=True, best=True),
    cycle(1, 0, 0.3),
    cycle(1, 1, 0.2),
    child(1, 0.3, accepted=False, best=False, reason="score 0.3 is not better than 0.612 of its parent"),
    cycle(2, 0, 0.4),
)


@pytest.mark.parametrize("width", [80, 120])
def test_header_children_and_tasks(width: int):
    rows = [task_row("mnist", validation_accuracy=0.4, test_accuracy=0.35)]
    text = drawn(screen(played(*opening(), *TRAINED, rows=rows), width, 30), width)
    assert fits(text, width)
    for part in ("mu2net-plus", "run 0001", "task 1/1", "iteration 1/1", "generation 1/2", "mnist", "41.7%", "left"):
        assert part in text
    lines = text.splitlines()
    first = next(line for line in lines if "clone block.0-1" in line)
    assert "61.2" in first
    assert "best" in first
    second = next(line for line in lines if "flip" in line)
    assert "20.0 (30.0)" in second, "the last accuracy, and the best one where it differs"
    assert "rejected" in second
    assert any("training 1/2" in line for line in lines)
    assert any("mnist" in line and "40.00" in line and "(61.20)" in line and "35.00" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_any_name_fits(name: str, width: int):
    events = [*opening((name, *NAMES)), *TRAINED[:2]]
    text = drawn(screen(played(*events), width, 30), width)
    assert fits(text, width)
    assert name[:8] in text
    assert "iteration 1/1" in text
    assert ("…" in text) or width == 120 or name != LONG


@pytest.mark.parametrize(("tasks", "height"), [(60, 30), (60, 24), (3, 14), (1, 5)])
def test_never_higher_than_the_terminal(tasks: int, height: int):
    names = tuple(f"task{number}" for number in range(tasks))
    state = played(*opening(names))
    lines = drawn(screen(state, 100, height), 100, height).splitlines()
    assert len(lines) <= max(height, 13), "below 13 lines the least that is worth showing stays"
    assert any("task0" in line for line in lines)
    if tasks > height:
        assert any("more tasks" in line for line in lines)


def test_the_window_of_tasks_follows_the_active_one():
    names = tuple(f"task{number:02}" for number in range(60))
    state = played(*opening(names))
    assert state.task is not None
    object.__setattr__(state.task, "task", "task41")
    text = drawn(screen(state, 100, 30), 100)
    assert "task41" in text.split("validation")[-1]
    assert "task03" not in text


def test_the_window_of_children_follows_the_one_in_training():
    start, task, _ = opening()
    mutations = [({"kind": "set", "name": "hue", "old": number, "new": 0},) for number in range(32)]
    events = [start, task, GenerationStarted("mnist", 0, 0, tuple(mutations))]
    events += [child(number, 0.5, accepted=True, best=False) for number in range(12)]
    text = drawn(screen(played(*events), 100, 24), 100)
    assert "training 0/2" in text
    assert "hue 12→0" in text
    assert "hue 0→0" not in text
    assert len(text.splitlines()) <= 24


def test_before_the_first_event_and_after_the_last():
    rows = [task_row("mnist")]
    assert "preparing the run" in drawn(screen(played(rows=rows), 80, 30), 80)
    done = played(*opening(), TaskFinished("mnist", 0, "id", 0.5, 0.45, True))
    text = drawn(screen(done, 80, 30), 80)
    assert "45.00" in text
    assert "1/1" in text


def test_it_ends_with_an_empty_line_where_an_echoed_interrupt_does_no_harm():
    assert drawn(screen(played(*opening()), 80, 30), 80).splitlines()[-1].strip() == ""
