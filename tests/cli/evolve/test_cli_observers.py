"""Plain lines, JSON lines, and the live view on a real (recorded) console."""

import io
import json
import signal

import pytest
from rich.console import Console
from test_cli_state import child, cycle

from cli_tools import opening
from munet.cli.evolve.observers import json_lines, live_view, plain_lines
from munet.cli.terminated import terminated
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    GenerationStarted,
    RunFinished,
    RunStarted,
    SharesPlanned,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)

EVENTS = (
    *opening(),
    cycle(0, 0, 0.5),
    cycle(0, 1, 0.612),
    child(0, 0.612, accepted=True, best=True),
    cycle(1, 0, 0.3),
    child(1, None, accepted=False, best=False, reason="loss is not finite"),
    TaskFinished("mnist", 0, "0123456789abcdef", 0.612, 0.6, True),
    RunFinished("0001", 100.0, 60.0, 30.0, 5.0, 12345),
)


class Flushed(io.StringIO):
    """Remembers what had been written when it was last flushed."""

    seen = ""

    def flush(self) -> None:
        self.seen = self.getvalue()


def ticking():
    """A clock that goes on by a second at each look."""
    times = iter(range(10_000))
    return lambda: float(next(times))


def test_plain_lines_one_for_each_child_and_task():
    out = Flushed()
    with plain_lines((), out, ticking()) as observe:
        for event in EVENTS:
            observe(event)
            assert out.seen == out.getvalue(), "each line is flushed at once"
    lines = out.getvalue().splitlines()
    assert lines[0] == "run 0001: mu2net-plus, 1 task x 1 task iteration x 2 generations x 3 children x 2 cycles"
    assert lines[1] == "mnist 1/1: 57,000 training and 500 validation images, no model yet"
    assert lines[2].startswith("mnist 1/1 generation 1/2 child 1/3: 50.0 61.2 %, best; clone block.0-1; ")
    assert lines[2].endswith("left")
    assert "30.0 %, rejected (loss is not finite); flip" in lines[3]
    assert lines[4] == "mnist 1/1 done: improved, validation 61.20 %, test 60.00 %, model 0123456789"
    assert lines[5] == (
        "run 0001 finished in 1:40 (training 1:00, validation 0:30, test 0:05, heads and all else 0:05), "
        "12,345 training samples"
    )
    assert len(lines) == 6


def test_a_resumed_run_says_so():
    out = io.StringIO()
    with plain_lines((), out, ticking()) as observe:
        observe(opening(resumed=True, finished_children=4)[0])
    assert out.getvalue().endswith(", resumed: 4 children are done\n")


def test_a_task_that_keeps_no_child_says_so():
    out = io.StringIO()
    with plain_lines((), out, ticking()) as observe:
        for event in (*opening(), TaskFinished("mnist", 0, None, None, None, False)):
            observe(event)
    assert "still has no model" in out.getvalue()


def test_json_lines_one_object_for_each_event():
    out = io.StringIO()
    with json_lines(out) as observe:
        for event in (*EVENTS, CycleFinished("mnist", 0, 0, 0, 0, float("nan"))):
            observe(event)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(rows) == len(EVENTS) + 1
    assert [rows[0]["event"], rows[3]["event"], rows[-2]["event"]] == ["run_started", "cycle_finished", "run_finished"]
    assert rows[0]["tasks"] == ["mnist"]
    assert rows[-1]["accuracy"] is None, "JSON has no NaN"


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100, height=30, color_system=None, markup=False)


def test_the_live_view_leaves_only_the_lines_that_matter():
    console = terminal()
    with live_view((), console, ticking()) as observe:
        for event in EVENTS:
            observe(event)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "mnist 1/1 done: improved" in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1, "the cursor comes back"
    after = written.rsplit("\x1b[2K", 1)[1]
    assert after.strip() == "", "nothing is left below the last line that was erased"


def test_an_interrupt_leaves_a_clean_screen():
    console = terminal()

    def run() -> None:
        with live_view((), console, ticking()) as observe:
            for event in EVENTS[:5]:
                observe(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert written.rsplit("\x1b[2K", 1)[1].strip() == ""
    assert "\x1b[?25h" in written


def test_a_terminated_run_unwinds():
    before = signal.getsignal(signal.SIGTERM)
    console = terminal()
    with pytest.raises(SystemExit) as ended, terminated(), live_view((), console, ticking()):
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert "\x1b[?25h" in console.file.getvalue()  # type: ignore[attr-defined]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_trunk_and_a_head_without_training_have_lines_of_their_own() -> None:
    out = io.StringIO()
    with plain_lines(out=out, clock=lambda: 0.0) as observe:
        observe(RunStarted("0001", "adaptive", ("a", "b"), 2, 1, 1, 8))
        observe(TaskStarted("a", 0, 100, 20, None))
        observe(
            GenerationStarted("a", 0, 0, (({"kind": "set", "name": "head_features", "old": None, "new": "pooled"},),))
        )
        observe(ChildFinished("a", 0, 0, 0, True, True, 0.9, 0.9, None))
        observe(SharesPlanned(1, (("a", 25600), ("b", 0))))
        observe(TrunkStarted(("a", "b"), 1, 8, (0.5, 0.5)))
        observe(TrunkCycle(1, 0, (0.9, 0.8)))
    text = out.getvalue()
    assert "90.0 % without training, best" in text
    assert "images to train on: a 25,600, b 0" in text
    assert "one trunk for 2 tasks: a, b" in text
    assert "trunk 1/8: mean validation 85.00 %" in text
