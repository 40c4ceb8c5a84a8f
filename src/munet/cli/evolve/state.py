"""The state of a running evolution, as events change it. Values only: `screen.py` draws it, `observers.py` feeds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from munet.cli.evolve.remaining import Remaining
from munet.cli.text.formatting import mutations_text
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)

WAITING, EARLIER, TRAINING, ACCEPTED, BEST, REJECTED = "waiting", "earlier", "training", "accepted", "best", "rejected"


@dataclass
class ChildRow:
    """One child of the generation in training."""

    mutated: str
    accuracies: list[float] = field(default_factory=list)
    state: str = WAITING
    reason: str | None = None


@dataclass
class TaskRow:
    """One task of the run: accuracies as fractions before the run and now."""

    name: str
    validation_before: float | None = None
    validation: float | None = None
    test_before: float | None = None
    test: float | None = None
    iterations: int = 0  # finished in this run, as far as this session saw
    open: float | None = None  # the best child of the task iteration that is not over yet


@dataclass
class RunState:
    """All that the views show. Times are seconds of one clock that the caller chooses."""

    began: float
    now: float
    run: RunStarted | None = None
    tasks: dict[str, TaskRow] = field(default_factory=dict)
    task: TaskStarted | None = None
    generation: int = 0
    children: list[ChildRow] = field(default_factory=list)
    finished: RunFinished | None = None
    trunk: TrunkStarted | None = None  # in training
    trunk_accuracies: list[float] = field(default_factory=list)  # mean over its tasks, after each cycle
    remaining: Remaining | None = None
    share: float = 0.0  # of the run's work that is done; it never goes back where a child turns out to cost more

    @property
    def elapsed(self) -> float:
        return self.now - self.began

    @property
    def progress(self) -> float:
        """Fraction of the run's work that is done, by earlier sessions included."""
        if self.finished:
            return 1.0
        if self.run is None:
            return 0.0
        run = self.run
        children = len(run.tasks) * run.task_iterations * run.generations * run.children
        done = max(self.share, run.finished_children / children)
        return min(1.0, done + (self.remaining.within_head(self.now) if self.remaining else 0.0))

    @property
    def fits_heads(self) -> bool:
        """Whether the task iteration trains nothing: its child is a head in closed form."""
        return self.task is not None and self.remaining is not None and self.remaining.is_head(self.task.iteration)

    @property
    def time_left(self) -> float | None:
        """Seconds; None where nothing is known of them yet."""
        if self.finished:
            return 0.0
        left = self.remaining.seconds if self.remaining else None
        return None if left is None or self.remaining is None else max(0.0, left - (self.now - self.remaining.now))


def initial_state(now: float, rows: Sequence[Mapping[str, Any]] = ()) -> RunState:
    """State before the first event; `rows` are the tasks of `System.status()`."""
    tasks = {}
    for row in rows:
        validation, test = row["validation_accuracy"], row["test_accuracy"]
        tasks[row["name"]] = TaskRow(row["name"], validation, validation, test, test)
    return RunState(began=now, now=now, tasks=tasks)


def advance(state: RunState, event: Event, now: float, *, replayed: bool = False) -> None:
    """Let `event` change `state`. Of many that are `replayed` the share that is done is counted once, after them, by
    `count_share`."""
    state.now = now
    if state.remaining is not None:
        state.remaining.hear(event, now)
        if not replayed:
            count_share(state)
    match event:
        case RunStarted():
            if state.run is not None:  # an observer may hear several runs, as those of a sequence
                state.began, state.finished, state.share = now, None, 0.0
            state.run, state.remaining = event, Remaining(event, now)
            state.tasks = {name: state.tasks.get(name, TaskRow(name)) for name in event.tasks}
        case TaskStarted():
            state.task, state.trunk = event, None
            state.generation, state.children = 0, []
            _skip(state, event)
        case TrunkStarted():
            state.trunk, state.trunk_accuracies, state.children, state.task = event, [], [], None
        case TrunkCycle():
            state.trunk_accuracies.append(sum(event.accuracies) / len(event.accuracies))
        case GenerationStarted():
            state.generation = event.generation
            state.children = [ChildRow(mutations_text(mutations)) for mutations in event.children]
            for number in event.finished:
                state.children[number].state = EARLIER
            _next(state)
        case CycleFinished():
            _cycle(state, event)
        case ChildFinished():
            _child(state, event)
        case TaskFinished():
            row = state.tasks[event.task]
            row.validation, row.test, row.open = event.validation_accuracy, event.test_accuracy, None
            row.iterations = event.iteration + 1
            state.children = []
        case RunFinished():
            state.finished = event


def count_share(state: RunState) -> None:
    """Take the share of the work that is done from what is left."""
    if state.remaining is not None:
        state.share = max(state.share, state.remaining.share)


def _skip(state: RunState, event: TaskStarted) -> None:
    """Count what earlier sessions of a resumed run finished: all task iterations before this one, in their order."""
    done = event.iteration + 1
    for name, row in state.tasks.items():
        done -= name == event.task
        row.iterations = max(row.iterations, done)


def _next(state: RunState) -> None:
    """No event says that a child begins: the first that waits does, when nobody trains."""
    if all(row.state != TRAINING for row in state.children):
        for row in state.children:
            if row.state == WAITING:
                row.state = TRAINING
                return


def _cycle(state: RunState, event: CycleFinished) -> None:
    row = state.children[event.child]
    row.state = TRAINING
    row.accuracies.append(event.accuracy)


def _child(state: RunState, event: ChildFinished) -> None:
    row = state.children[event.child]
    row.reason = event.reason
    row.state = BEST if event.best else ACCEPTED if event.accepted else REJECTED
    if event.best:
        state.tasks[event.task].open = event.accuracy
        for other in state.children:
            if other is not row and other.state == BEST:
                other.state = ACCEPTED
    _next(state)
