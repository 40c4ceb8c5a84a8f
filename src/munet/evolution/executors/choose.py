"""What an evolution asks of an executor, and the choice among them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from munet.evolution.executors.worker_plan import Team

if TYPE_CHECKING:
    from munet.evolution.child_trainer import Setting
    from munet.evolution.executors.ray_cluster import Cluster
    from munet.evolution.jobs import Litter, Result
    from munet.system import System
    from munet.tasks.cache.splits import Splits

Told = Callable[[int, int, float], None]  # (child, cycle, validation accuracy)
Note = Callable[[str], None]


class Executor(Protocol):
    """Trains litters. An executor owns its workers from its making to `close`."""

    workers: int  # litters in training at a time, as far as is known

    def run(self, litters: "Sequence[Litter]", on_cycle: Told, note: Note) -> "Iterator[Result]":
        """Results as children finish, in any order. All that is called back is called in the caller's thread.

        Each cycle of a child is told once, also where a worker died and the child is trained again.
        """
        ...

    def close(self) -> None:
        """Stop the workers, whatever they do."""
        ...


def join_cluster(team: Team, system: "System") -> "AbstractContextManager[Cluster | None]":
    """The cluster of a team that has one, left at the end. Before a run begins: an address may be wrong."""
    if team.executor != "ray":
        return nullcontext()
    from munet.evolution.executors import ray_executor

    return ray_executor.join_cluster(team, system)


def start_executor(
    team: Team, system: "System", setting: "Setting", splits: "Splits", cluster: "Cluster | None" = None
) -> Executor:
    """The executor of a team. `splits` are what this process has read already."""
    if cluster is not None:
        from munet.evolution.executors.ray_executor import RayExecutor

        return RayExecutor(cluster, team, system, setting, splits)
    if team.executor == "processes":
        from munet.evolution.executors.processes import ProcessesExecutor

        return ProcessesExecutor(team, system, setting, splits)
    from munet.evolution.executors.local import LocalExecutor

    return LocalExecutor(system, setting, splits)
