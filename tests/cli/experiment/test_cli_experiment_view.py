"""The views of a grid of runs: what a person sees while it is performed."""

import json
from pathlib import Path

import pytest

from cli_tools import drawn, fits
from munet.cli.experiment.view import GridState, screen, watching
from munet.evolution.events import (
    CycleFinished,
    GenerationStarted,
    RunStarted,
    TaskFinished,
    TaskStarted,
    event_json,
    event_of,
)
from munet.experiments.grid import Run, grid
from munet.experiments.scheduler import Ended, Message, Reported, Started
from munet.experiments.spec import Spec

WORDS = ("multi-head", "finetune-full+preprocessing=none+replicas=1", "mu2net-plus+scale=0.3")
EVENTS = (
    RunStarted("0001", "munet", ("digits", "বাংলা"), 1, 1, 2, 2),
    TaskStarted("digits", 0, 100, 50, None),
    GenerationStarted("digits", 0, 0, ((), ())),
    CycleFinished("digits", 0, 0, 0, 0, 0.5),
    CycleFinished("digits", 0, 0, 0, 1, 0.75),
    TaskFinished("digits", 0, "ab" * 32, 0.75, 0.5, True),
    TaskStarted("বাংলা", 0, 100, 50, None),
)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return grid(tmp_path, "mccb-local", "mini", [Spec.parse(word) for word in WORDS], range(4))


def messages(run: Run) -> list[Message]:
    reading = Reported(run, json.dumps({"event": "reading", "task": "digits"}))
    return [Started(run), reading, *(Reported(run, json.dumps(event_json(event))) for event in EVENTS)]


def finish(run: Run, mean: float = 0.9) -> Ended:
    run.folder.mkdir(parents=True)
    run.result.write_text(json.dumps({"mean_test_accuracy": mean}))
    return Ended(run, None)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_come_back_from_json(event):
    assert event_of(json.loads(json.dumps(event_json(event)))) == event


def test_the_state_follows_the_messages(runs: list[Run]):
    finish(runs[0], 0.7)
    state = GridState(runs, 0.0)
    assert state.earlier == 1
    assert state.time_left is None
    for message in messages(runs[1]):
        state.take(message, 10.0)
    row = state.rows[str(runs[1])]
    assert (row.state, row.mean) == ("running", 0.5)
    assert row.progress == 0.5, "one of two tasks is over"
    assert state.time_left == pytest.approx((12 - 1 - 0.5) * 10 / 0.5)
    state.take(Ended(runs[1], "no space left"), 11.0)
    assert (row.state, row.detail) == ("failed", "no space left")
    state.take(finish(runs[2], 0.8), 20.0)
    assert state.rows[str(runs[2])].mean == 0.8


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 10)])
def test_the_screen_fits_and_shows_what_runs(runs: list[Run], width: int, height: int):
    finish(runs[0])
    state = GridState(runs, 0.0)
    for message in messages(runs[5]):
        state.take(message, 10.0)
    text = drawn(screen(state, height), width, height)
    assert fits(text, width)
    assert len(text.splitlines()) <= height
    assert "1 of 12 runs finished" in text
    assert ("বাংলা 1" in text) == (width > 60)


def test_plain_lines(runs: list[Run], capsys: pytest.CaptureFixture[str]):
    with watching(runs[:2], as_json=False) as listen:
        for message in messages(runs[0]):
            listen(message)
        listen(finish(runs[0]))
        listen(Started(runs[1]))
        listen(Ended(runs[1], "task digits cannot be had"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 runs, 0 finished before"
    assert lines[1].startswith("multi-head seed 0: started in ")
    assert lines[2].startswith("multi-head seed 0: 50 %, digits 1, mean test 50.00 %")
    assert lines[3].startswith("multi-head seed 0: finished in 0:00, mean test 90.00 %")
    assert lines[-1] == "finetune-full+preprocessing=none+replicas=1 seed 0: failed: task digits cannot be had"


def test_json_lines(runs: list[Run], capsys: pytest.CaptureFixture[str]):
    with watching(runs, as_json=True) as listen:
        for message in [*messages(runs[0]), finish(runs[0])]:
            listen(message)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["event"] for one in lines[:3]] == ["started", "reading", "run_started"]
    assert lines[-1]["error"] is None
    assert {(one["method"], one["seed"]) for one in lines} == {("multi-head", 0)}
