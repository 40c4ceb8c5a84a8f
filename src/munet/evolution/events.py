"""Events that an evolution passes to its observer. Plain values: no tensor, no open file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args


@dataclass(frozen=True)
class RunStarted:
    """An evolution begins, or an interrupted one goes on (`resumed`)."""

    run: str
    method: str
    tasks: tuple[str, ...]
    task_iterations: int
    generations: int
    children: int
    cycles: int
    resumed: bool = False
    finished_children: int = 0  # of a resumed run: those that need no more work
    head_first: bool = False  # the first task iteration gives each task a head in closed form, and trains nothing
    images: tuple[tuple[int, ...], ...] = ()  # of each task, in the order of `munet.evolution.work.Images`
    speed: float = 0.0  # images that are trained on in a second, by a measurement of late; 0 where there is none
    together: bool = False  # tasks that are new train one trunk


@dataclass(frozen=True)
class TaskStarted:
    """One task iteration begins."""

    task: str
    iteration: int  # 0-based, in this run
    train_examples: int
    validation_examples: int
    best_accuracy: float | None  # validation accuracy of the model retained so far


@dataclass(frozen=True)
class GenerationStarted:
    """All children of a generation are drawn; `finished` are the numbers of those that an earlier session trained."""

    task: str
    iteration: int
    generation: int
    children: tuple[tuple[Mapping[str, Any], ...], ...]  # the mutations of each, as in its record
    finished: tuple[int, ...] = ()
    costs: tuple[tuple[float, float], ...] = ()  # of training on one image and of reading one, in forward passes of
    # the root; of each child


@dataclass(frozen=True)
class CycleFinished:
    """One child trained for one cycle and was validated."""

    task: str
    iteration: int
    generation: int
    child: int
    cycle: int
    accuracy: float


@dataclass(frozen=True)
class ChildFinished:
    """A child is accepted or rejected; `record` is what the run's file holds of it."""

    task: str
    iteration: int
    generation: int
    child: int
    accepted: bool
    best: bool  # it is the best model of the active task now
    accuracy: float | None
    score: float | None
    reason: str | None  # why it was rejected
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskFinished:
    """A task iteration is over: the best model is retained and tested. None where every child was rejected."""

    task: str
    iteration: int
    model: str | None
    validation_accuracy: float | None
    test_accuracy: float | None
    improved: bool  # a first model, or one that scores higher than the one before


@dataclass(frozen=True)
class SharesPlanned:
    """How the new tasks divide their samples in a task iteration; 0 where training is not expected to beat the head."""

    iteration: int
    samples: tuple[tuple[str, int], ...]  # (task, images to train on)


@dataclass(frozen=True)
class SharesExpected:
    """What `SharesPlanned` is going to say, as far as the heads tell that are made."""

    iteration: int
    samples: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class TrunkStarted:
    """One trunk begins to be trained for several tasks, before their task iteration `iteration`."""

    tasks: tuple[str, ...]
    iteration: int
    cycles: int
    shares: tuple[float, ...]  # of the samples


@dataclass(frozen=True)
class TrunkCycle:
    """The trunk trained for one cycle, and every task's path was validated."""

    iteration: int
    cycle: int
    accuracies: tuple[float, ...]  # in the order of the tasks


@dataclass(frozen=True)
class RunFinished:
    run: str
    seconds: float
    train_seconds: float
    validation_seconds: float
    test_seconds: float
    samples: int


@dataclass(frozen=True)
class Notice:
    """Something that a person should know, and that changes no result."""

    text: str


Event = (
    RunStarted
    | TaskStarted
    | GenerationStarted
    | CycleFinished
    | ChildFinished
    | TaskFinished
    | SharesPlanned
    | SharesExpected
    | TrunkStarted
    | TrunkCycle
    | RunFinished
    | Notice
)
Observer = Callable[[Event], None]


def event_json(event: Event) -> dict[str, Any]:
    """An event as JSON values: its name in snake case under `event`, and its fields."""
    return {"event": _word(type(event)), **asdict(event)}


def event_of(values: Mapping[str, Any]) -> Event:
    """The event that `event_json` made these fields of. KeyError if there is no such event."""
    fields = {key: _frozen(value) for key, value in values.items() if key != "event"}
    return _KINDS[values["event"]](**fields)


def _word(kind: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


_KINDS = {_word(kind): kind for kind in get_args(Event)}
