"""Output of a run: a live view in a terminal, plain lines elsewhere, or one JSON object a line."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from munet.cli.evolve.state import RunState, advance, initial_state
from munet.cli.text.formatting import duration, json_text, number, percent, short
from munet.evolution.events import (
    ChildFinished,
    Event,
    GenerationStarted,
    Notice,
    RunFinished,
    RunStarted,
    SharesPlanned,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
    event_json,
)
from munet.text import clean, counted

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Observer = Callable[[Event], None]
Rows = Sequence[Mapping[str, Any]]
_REFRESHES = 2  # a second: the view must cost the run next to nothing


@contextmanager
def json_lines(out: TextIO | None = None) -> Iterator[Observer]:
    """One JSON object a line: `event`, its name in snake case, and the fields of the event."""
    target = out or sys.stdout

    def observe(event: Event) -> None:
        target.write(json_text(event_json(event), indent=None) + "\n")
        target.flush()

    yield observe


@contextmanager
def plain_lines(
    rows: Rows = (), out: TextIO | None = None, clock: Callable[[], float] = monotonic
) -> Iterator[Observer]:
    """One line for each child and each task iteration, flushed at once, for logs and pipes."""
    target = out or sys.stdout
    state = initial_state(clock(), rows)

    def observe(event: Event) -> None:
        advance(state, event, clock())
        text = event_line(state, event)
        if text:
            target.write(text + "\n")
            target.flush()

    yield observe


def event_line(state: RunState, event: Event) -> str | None:
    """What is said of `event` in one line, after `state` has taken it in; None where nothing is."""
    match event:
        case RunStarted():
            return _run_line(event)
        case TaskStarted():
            best = (
                f"best so far {percent(event.best_accuracy)} %" if event.best_accuracy is not None else "no model yet"
            )
            images = (
                f"{number(event.train_examples)} training and {number(event.validation_examples)} validation images"
            )
            return f"{_place(state, event)}: {images}, {best}"
        case SharesPlanned():
            shares = ", ".join(f"{clean(name)} {number(samples)}" for name, samples in event.samples)
            return f"images to train on: {shares}" if len(event.samples) > 1 else None
        case TrunkStarted():
            return f"one trunk for {counted(len(event.tasks), 'task')}: {', '.join(map(clean, event.tasks))}"
        case TrunkCycle():
            return _trunk_line(state, event)
        case ChildFinished():
            return _child_line(state, event)
        case TaskFinished():
            return _task_line(state, event)
        case RunFinished():
            return finished_line(event)
        case Notice():
            return f"note: {event.text}"
        case _:
            return None


def _run_line(event: RunStarted) -> str:
    budget = [
        counted(len(event.tasks), "task"),
        counted(event.task_iterations, "task iteration"),
        counted(event.generations, "generation"),
        "1 child" if event.children == 1 else f"{event.children} children",
        counted(event.cycles, "cycle"),
    ]
    done = "1 child is" if event.finished_children == 1 else f"{event.finished_children} children are"
    resumed = f", resumed: {done} done" if event.resumed else ""
    return f"run {event.run}: {clean(event.method)}, {' x '.join(budget)}{resumed}"


def _place(state: RunState, event: TaskStarted | ChildFinished | TaskFinished) -> str:
    total = state.run.task_iterations if state.run else event.iteration + 1
    return f"{clean(event.task)} {event.iteration + 1}/{total}"


def _trunk_line(state: RunState, event: TrunkCycle) -> str:
    mean = sum(event.accuracies) / len(event.accuracies)
    cycles = state.trunk.cycles if state.trunk else event.cycle + 1
    left = f", about {duration(state.time_left)} left" if state.time_left is not None else ""
    return f"trunk {event.cycle + 1}/{cycles}: mean validation {percent(mean)} %; after {duration(state.elapsed)}{left}"


def _child_line(state: RunState, event: ChildFinished) -> str:
    row = state.children[event.child]
    generations = state.run.generations if state.run else event.generation + 1
    where = f"generation {event.generation + 1}/{generations} child {event.child + 1}/{len(state.children)}"
    verdict = (
        "best"
        if event.best
        else "accepted"
        if event.accepted
        else f"rejected ({clean(event.reason or 'no reason given')})"
    )
    accuracies = " ".join(percent(accuracy, 1) for accuracy in row.accuracies)
    left = f", about {duration(state.time_left)} left" if state.time_left is not None else ""
    trained = f"{accuracies} %" if accuracies else "not trained to the end"
    if not accuracies and event.accuracy is not None:
        trained = f"{percent(event.accuracy, 1)} % without training"
    done = f"{_place(state, event)} {where}: {trained}, {verdict}"
    return f"{done}; {clean(row.mutated)}; after {duration(state.elapsed)}{left}"


def _task_line(state: RunState, event: TaskFinished) -> str:
    if event.model is None:
        return f"{_place(state, event)} done: no child was good enough, the task still has no model"
    verdict = "improved" if event.improved else "not improved"
    measured = f"validation {percent(event.validation_accuracy)} %, test {percent(event.test_accuracy)} %"
    return f"{_place(state, event)} done: {verdict}, {measured}, model {short(event.model)}"


def finished_line(event: RunFinished) -> str:
    named = {"training": event.train_seconds, "validation": event.validation_seconds, "test": event.test_seconds}
    spent = ", ".join(f"{part} {duration(seconds)}" for part, seconds in named.items())
    other = max(0.0, event.seconds - sum(named.values()))
    return (
        f"run {event.run} finished in {duration(event.seconds)} "
        f"({spent}, heads and all else {duration(other)}), {number(event.samples)} training samples"
    )


class _Screen:
    """Draws the state as it is at the moment of each refresh, so that the clock runs between events."""

    def __init__(self, state: RunState, clock: Callable[[], float]) -> None:
        self.state, self.clock = state, clock

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from munet.cli.evolve.screen import screen

        self.state.now = self.clock()
        yield screen(self.state, options.max_width, options.height or console.height)


@contextmanager
def live_view(rows: Rows, console: "Console", clock: Callable[[], float] = monotonic) -> Iterator[Observer]:
    """A view that redraws itself; finished task iterations scroll by above it, and it leaves nothing behind."""
    from rich.live import Live
    from rich.text import Text

    state = initial_state(clock(), rows)
    view = Live(_Screen(state, clock), console=console, refresh_per_second=_REFRESHES, transient=True)

    def observe(event: Event) -> None:
        advance(state, event, clock())
        if isinstance(event, TaskFinished | RunFinished | Notice) or (isinstance(event, RunStarted) and event.resumed):
            view.console.print(Text(event_line(state, event) or ""))
        if isinstance(event, GenerationStarted | ChildFinished | TrunkStarted | TrunkCycle):
            view.refresh()

    with view:
        yield observe
