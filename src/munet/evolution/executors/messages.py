"""Messages between a run and its workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from munet.evolution.executors.failures import Failure

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ChildTrainer, ComputeSettings
    from munet.evolution.jobs import Result, Work


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process is to know before its first job group."""

    system: str  # path
    compute: "ComputeSettings"
    seen: Mapping[str, tuple[str, str]]  # of `Splits`: what need not be hashed again


@dataclass(frozen=True)
class Cycle:
    """A child was validated."""

    child: int
    cycle: int
    accuracy: float


@dataclass(frozen=True)
class Noted:
    """Something that a person should know."""

    text: str


@dataclass(frozen=True)
class Trained:
    """A child is finished."""

    result: "Result"


@dataclass(frozen=True)
class Done:
    """A job group is finished. A `Failure` is the other end."""


Message = Cycle | Noted | Trained | Done | Failure


def train_and_report(trainer: "ChildTrainer", group: "Work", say: Callable[[Message], None]) -> None:
    """Train a job group and send a message for all that happens, but none for its end."""
    results = trainer.train(
        group,
        lambda child, cycle, accuracy: say(Cycle(child, cycle, accuracy)),
        lambda sentence: say(Noted(sentence)),
    )
    for result in results:
        say(Trained(result))


class Relay:
    """Passes on what workers say, each thing once: one that died may have said it before, and others say the same."""

    def __init__(self) -> None:
        self._notes: set[str] = set()
        self._heard: set[tuple[int, int | None]] = set()
        self._on_cycle: Callable[[int, int, float], None] = lambda child, cycle, accuracy: None
        self._note: Callable[[str], None] = lambda text: None

    def begin(self, on_cycle: Callable[[int, int, float], None], note: Callable[[str], None]) -> None:
        """A new generation, whose children are numbered from 0 again."""
        self._heard.clear()
        self._on_cycle, self._note = on_cycle, note

    def hear(self, message: Message) -> "Result | None":
        """Pass a message on to the callbacks. Returns the result of a new child; raises a failure of a worker."""
        if isinstance(message, Failure):
            raise message.unpacked()
        if isinstance(message, Cycle) and self._is_new(message.child, message.cycle):
            self._on_cycle(message.child, message.cycle, message.accuracy)
        elif isinstance(message, Noted):
            self.tell(message.text)
        elif isinstance(message, Trained) and self._is_new(message.result.number, None):
            return message.result
        return None

    def tell(self, text: str) -> None:
        """A note that need not be repeated."""
        if text not in self._notes:
            self._notes.add(text)
            self._note(text)

    def _is_new(self, child: int, cycle: int | None) -> bool:
        new = (child, cycle) not in self._heard
        self._heard.add((child, cycle))
        return new
