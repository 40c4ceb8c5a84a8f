"""Output of a grid of runs: one live view in a terminal, plain lines elsewhere, or one JSON object a line."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from munet.cli.common import console
from munet.cli.evolve.state import RunState, advance, initial_state
from munet.cli.text.formatting import NOTHING, duration, percent
from munet.evolution.events import TaskFinished, event_of
from munet.experiments.grid import Run
from munet.experiments.scheduler import Ended, Message, Reported, Started
from munet.text import clean, counted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table

Listener = Callable[[Message], None]
WAITING, READING, RUNNING, FINISHED, FAILED = "waiting", "reading", "running", "finished", "failed"
_OPEN = (READING, RUNNING)
_REFRESHES = 2  # a second
_FIXED_LINES = 6


@dataclass
class Row:
    """One run of the grid as the views show it."""

    run: Run
    state: str = WAITING
    began: float = 0.0
    detail: str = ""
    evolution: RunState | None = None
    mean: float | None = None  # test accuracy over the tasks that have a model
    seconds: float | None = None  # of a run that this session finished
    tests: dict[str, float] = field(default_factory=dict)

    @property
    def progress(self) -> float:
        if self.state == FINISHED:
            return 1.0
        return self.evolution.progress if self.evolution else 0.0


class GridState:
    """All runs of a grid, as messages change them."""

    def __init__(self, runs: Sequence[Run], now: float) -> None:
        self.began = self.now = now
        self.rows = {str(run): Row(run, FINISHED if run.finished else WAITING) for run in runs}
        self.earlier = sum(row.state == FINISHED for row in self.rows.values())
        for row in self.rows.values():
            if row.state == FINISHED:
                row.mean = _mean_of(row.run)

    def take(self, message: Message, now: float) -> None:
        """Let a message change the state."""
        self.now = now
        row = self.rows[str(message.run)]
        match message:
            case Started():
                row.state, row.began = READING, now
            case Reported():
                self._reported(row, json.loads(message.line), now)
            case Ended():
                row.state = FAILED if message.error else FINISHED
                row.detail = message.error or ""
                row.seconds = now - row.began
                row.mean = row.mean if message.error else _mean_of(row.run)

    def _reported(self, row: Row, fields: dict[str, Any], now: float) -> None:
        if fields["event"] == "reading":
            row.detail = f"reading {clean(fields['task'])}"
            return
        event = event_of(fields)
        row.state = RUNNING
        row.evolution = row.evolution or initial_state(now)
        advance(row.evolution, event, now)
        if row.evolution.task is not None:
            task = row.evolution.task
            row.detail = f"{clean(task.task)} {task.iteration + 1}"
        if isinstance(event, TaskFinished) and event.test_accuracy is not None:
            row.tests[event.task] = event.test_accuracy
            row.mean = sum(row.tests.values()) / len(row.tests)

    @property
    def time_left(self) -> float | None:
        """Seconds, from how fast the runs of this session went; None until one has made some way."""
        done = sum(row.progress for row in self.rows.values()) - self.earlier
        left = sum(1 - row.progress for row in self.rows.values() if row.state != FAILED)
        return left * (self.now - self.began) / done if done > 0.02 else None


def _mean_of(run: Run) -> float | None:
    return json.loads(run.result.read_bytes())["mean_test_accuracy"] if run.finished else None


@contextmanager
def watching(runs: Sequence[Run], as_json: bool) -> Iterator[Listener]:
    """Yields what `perform_all` tells its messages."""
    out = console()
    if as_json:
        yield _json_line
    elif out.is_terminal and not out.is_dumb_terminal:
        with _live(GridState(runs, monotonic()), out) as listen:
            yield listen
    else:
        with _plain(GridState(runs, monotonic())) as listen:
            yield listen


def _json_line(message: Message) -> None:
    fields: dict[str, Any]
    match message:
        case Started():
            fields = {"event": "started", "folder": str(message.run.folder)}
        case Reported():
            fields = json.loads(message.line)
        case Ended():
            fields = {"event": "ended", "error": message.error}
    fields |= {"method": str(message.run.spec), "seed": message.run.seed}
    sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def _plain(state: GridState) -> Iterator[Listener]:
    """One line when a run begins, ends a task iteration, and is over."""
    print(f"{counted(len(state.rows), 'run')}, {state.earlier} finished before", flush=True)

    def listen(message: Message) -> None:
        state.take(message, monotonic())
        text = _line(state, message)
        if text:
            print(text, flush=True)

    yield listen


def _line(state: GridState, message: Message) -> str | None:
    row = state.rows[str(message.run)]
    left = f"; about {duration(state.time_left)} left for all" if state.time_left is not None else ""
    match message:
        case Started():
            return f"{clean(message.run)}: started in {clean(message.run.folder)}"
        case Ended(error=None):
            return f"{clean(message.run)}: finished in {duration(row.seconds)}, mean test {percent(row.mean)} %{left}"
        case Ended():
            return f"{clean(message.run)}: failed: {clean(message.error)}"
        case Reported() if (notice := json.loads(message.line))["event"] == "notice":
            return f"{clean(message.run)}: {clean(notice['text'])}"
        case Reported() if row.evolution and json.loads(message.line)["event"] == "task_finished":
            done = percent(row.progress, 0)
            return f"{clean(message.run)}: {done} %, {row.detail}, mean test {percent(row.mean)} %{left}"
    return None


class _Screen:
    def __init__(self, state: GridState) -> None:
        self.state = state

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        self.state.now = monotonic()
        yield screen(self.state, options.height or console.height)


@contextmanager
def _live(state: GridState, out: "Console") -> Iterator[Listener]:
    from rich.live import Live
    from rich.text import Text

    view = Live(_Screen(state), console=out, refresh_per_second=_REFRESHES, transient=True)

    def listen(message: Message) -> None:
        state.take(message, monotonic())
        if isinstance(message, Ended):
            view.console.print(Text(_line(state, message) or ""))

    with view:
        yield listen


def screen(state: GridState, height: int) -> "Table":
    """A row for each run, those that are running in the middle; never higher than `height` lines."""
    from rich import box
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    rows = list(state.rows.values())
    finished = sum(row.state == FINISHED for row in rows)
    left = f", about {duration(state.time_left)} left" if state.time_left is not None else ""
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"{finished} of {counted(len(rows), 'run')} finished, {duration(state.now - state.began)}{left}",
        title_justify="left",
        title_style="bold",
        expand=True,
        header_style="bold",
    )
    table.add_column("method", ratio=3, no_wrap=True, overflow="ellipsis")
    table.add_column("seed", justify="right", no_wrap=True)
    table.add_column("", width=12)
    table.add_column("now", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column("mean test %", justify="right", no_wrap=True)
    table.add_column("left", justify="right", no_wrap=True)
    for row in _shown(rows, max(3, height - _FIXED_LINES)):
        bar = ProgressBar(total=1.0, completed=row.progress) if row.state in _OPEN else row.state
        time = row.evolution.time_left if row.evolution and row.state == RUNNING else None
        style = {WAITING: "dim", FAILED: "red", FINISHED: "green"}.get(row.state, "")
        table.add_row(
            clean(row.run.spec),
            str(row.run.seed),
            bar,
            row.detail if row.state != FINISHED else duration(row.seconds) if row.seconds else "",
            percent(row.mean) if row.mean is not None else NOTHING,
            duration(time) if time is not None else "",
            style=style,
        )
    return table


def _shown(rows: list[Row], room: int) -> list[Row]:
    if len(rows) <= room:
        return rows
    active = next((number for number, row in enumerate(rows) if row.state in _OPEN), 0)
    first = max(0, min(active - room // 3, len(rows) - room))
    return rows[first : first + room]
