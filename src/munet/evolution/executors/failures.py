"""Errors and deaths of workers as one-line messages."""

import pickle
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from traceback import format_exception
from typing import TYPE_CHECKING

from munet.errors import WorkerError

if TYPE_CHECKING:
    from munet.evolution.jobs import Work

MOST_DEATHS = 3  # of workers over one group


class WorkerDied(Exception):
    """A worker went away while it had a group. The text says how, as in "worker 2 was killed by SIGKILL"."""


class RemoteTraceback(Exception):
    """Where an error of a worker happened: the cause that the same error has here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n\nin a worker:\n{self.text}"


@dataclass(frozen=True)
class Failure:
    """An error on its way from a worker."""

    error: Exception
    traceback: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """An error that can travel: the same one where it survives the journey, else its name and text."""
        text = "".join(format_exception(error))
        bare = error.with_traceback(None)
        bare.__cause__ = bare.__context__ = None
        try:
            pickle.loads(pickle.dumps(bare))  # noqa: S301  # its own bytes
        except Exception:  # whatever an unknown class does when it is pickled
            bare = RuntimeError(f"{type(error).__name__}: {error}")
        return cls(bare, text)

    def unpacked(self) -> Exception:
        """The error to raise here."""
        self.error.__cause__ = RemoteTraceback(self.traceback)
        return self.error


def how_it_ended(code: int | None) -> str:
    """What an exit code says."""
    if code is None:
        return "fell silent"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}"


def again(group: "Work", death: str) -> str:
    """The line about a worker that died, when its job group is trained again."""
    return f"{death} while it trained {group.label}: trained again, with the same result"


def given_up(group: "Work", deaths: Sequence[str]) -> WorkerError:
    """The end of a run whose workers die over the same group."""
    return WorkerError(
        f"{len(deaths)} workers died over {group.label}, at last {deaths[-1]}. Does it need more memory? Fewer "
        "--workers, less --cache-memory or a smaller --batch-size take less; --executor local shows other causes"
    )
