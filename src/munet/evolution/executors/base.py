"""The interface of executors."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from munet.evolution.jobs import Result, Work

OnCycle = Callable[[int, int, float], None]  # (child, cycle, validation accuracy)
Note = Callable[[str], None]


class Executor(Protocol):
    """Trains job groups. An executor owns its workers from its making to `close`."""

    workers: int  # job groups in training at a time, as far as is known

    def run(self, groups: "Sequence[Work]", on_cycle: OnCycle, note: Note) -> "Iterator[Result]":
        """Results as children finish, in any order. All that is called back is called in the caller's thread.

        Each cycle of a child is reported once, also where a worker died and the child is trained again.
        """
        ...

    def close(self) -> None:
        """Stop the workers, whatever they do."""
        ...
