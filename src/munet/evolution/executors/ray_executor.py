"""Training on a Ray cluster: each litter is a task that can run again anywhere. Ray keeps nothing that matters."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from munet.evolution.executors.choose import Note, Told
from munet.evolution.executors.failures import MOST_DEATHS, again, given_up
from munet.evolution.executors.messages import Done, Hearing, Message
from munet.evolution.executors.ray_cluster import Cluster
from munet.evolution.executors.ray_tasks import Order, Unseen, look, train
from munet.evolution.executors.shipped_layers import Parcel, layers_needed
from munet.evolution.executors.worker_plan import Team, usable_cores
from munet.evolution.jobs import Litter, Result

if TYPE_CHECKING:
    from munet.evolution.child_trainer import Setting
    from munet.system import System
    from munet.tasks.cache.splits import Splits

_PATIENCE = 10.0  # seconds without news after which the cluster is looked at


@dataclass
class _Task:
    litter: Litter
    deaths: list[str] = field(default_factory=list)


class RayExecutor:
    """Litters as Ray tasks. This side retries them, so that it knows what was told before and what was not."""

    def __init__(self, cluster: Cluster, team: Team, system: "System", setting: "Setting", splits: "Splits") -> None:
        self._cluster, self._ray = cluster, cluster.ray
        self._system, self._splits = system, splits
        self._setting = replace(setting, device=team.devices[0])
        self._gpus = team.gpus_per_child or 0.0
        self._most = team.workers  # 0: no bound but the cluster
        self._session = uuid4().hex
        self._hearing = Hearing()
        self._parcels = _Parcels(self._ray, system)
        self._flying: dict[Any, _Task] = {}
        self._shared = cluster.shared
        self._notes = list(cluster.notes)
        if not self._shared:
            self._notes.append(_handing(system, "not all nodes of the Ray cluster see"))
        held = cluster.check(setting.threads, self._gpus)
        self.workers = min(held, self._most or held)
        self._task = self._ray.remote(
            num_cpus=setting.threads, num_gpus=self._gpus or None, max_retries=0, num_returns="streaming"
        )(train)

    def run(self, litters: Sequence[Litter], on_cycle: Told, note: Note) -> Iterator[Result]:
        self._hearing.begin(on_cycle, note)
        while self._notes:
            note(self._notes.pop(0))
        self._parcels.keep(litters)
        waiting = deque(_Task(litter) for litter in litters)
        try:
            while waiting or self._flying:
                while waiting and (not self._most or len(self._flying) < self._most):
                    self._submit(waiting.popleft())
                ready, _ = self._ray.wait(list(self._flying), num_returns=1, timeout=_PATIENCE)
                if not ready:
                    self._look_after()
                    continue
                task, message = self._flying[ready[0]], self._receive(ready[0])
                if isinstance(message, Done | _Lost | Unseen):
                    del self._flying[ready[0]]
                if isinstance(message, _Lost):
                    self._ray.cancel(ready[0], force=True)  # where only what it said was lost
                    self._mourn(task, message, note)
                    waiting.appendleft(task)
                elif isinstance(message, Unseen):
                    self._stop_sharing(message, note)
                    waiting.appendleft(task)
                elif (result := self._hearing.hear(message)) is not None:
                    yield result
        finally:
            self._cancel()

    def _submit(self, task: _Task) -> None:
        order = Order(
            session=self._session,
            setting=self._setting,
            seen=self._splits.seen,
            litter=task.litter,
            system=str(self._system.path),
            root=self._system.root,
            parcel=None if self._shared else self._parcels.parcel(task.litter),
        )
        self._flying[self._task.remote(order)] = task

    def _receive(self, generator: Any) -> "Message | Unseen | _Lost":
        """The next thing that a task has to say, or that it is lost."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(next(generator))
        except StopIteration:
            return _Lost("a Ray task ended without a word")
        except errors.RayTaskError as error:
            raise error.as_instanceof_cause() from None  # a bug in the task itself
        except errors.RayError as error:
            return _Lost(_how(error))

    def _mourn(self, task: _Task, lost: "_Lost", note: Note) -> None:
        task.deaths.append(lost.how)
        if len(task.deaths) == MOST_DEATHS:
            raise given_up(task.litter, task.deaths)
        note(again(task.litter, lost.how))

    def _stop_sharing(self, unseen: Unseen, note: Note) -> None:
        if self._shared:  # other tasks may say the same in a moment
            self._shared = False
            note(_handing(self._system, f"the Ray node {unseen.host} does not see"))

    def _look_after(self) -> None:
        if not self._cluster.capacity(self._setting.threads, self._gpus):
            self._hearing.tell("no node of the Ray cluster can take a child now: waiting for one to join")

    def _cancel(self) -> None:
        """Give up what is in training: nobody asks for it any more."""
        for generator in self._flying if self._ray.is_initialized() else ():
            self._ray.cancel(generator, force=True)
        self._flying.clear()

    def close(self) -> None:
        self._cancel()


def join_cluster(team: Team, system: "System") -> Cluster:
    """The cluster of a team, joined and looked over. Raises InputError for what could not train a child."""
    cluster = Cluster(team.address, max(usable_cores(), team.workers * team.threads))
    try:
        cluster.check(team.threads, team.gpus_per_child or 0.0)
        cluster.look_over(look, str(system.path), system.root)
    except BaseException:
        cluster.__exit__()
        raise
    return cluster


@dataclass(frozen=True)
class _Lost:
    """A task died with its worker or node."""

    how: str


def _how(error: Exception) -> str:
    known = {
        "WorkerCrashedError": "a Ray worker died",
        "NodeDiedError": "a Ray node died",
        "OutOfMemoryError": "a Ray worker was killed because its node ran out of memory",
        "ObjectLostError": "a Ray node was lost with what it had trained",
    }
    name = type(error).__name__
    return known.get(name, f"a Ray task was lost ({name})")


def _handing(system: "System", who: str) -> str:
    return f"{who} {system.path}: layers go through Ray's object store"


class _Parcels:
    """Layers in Ray's object store, each put there once; those that a generation does not need are let go."""

    def __init__(self, ray: Any, system: "System") -> None:
        self._ray = ray
        self._system = system
        self._root = system.manifest(system.root)
        self._references: dict[str, Any] = {}

    def keep(self, litters: Sequence[Litter]) -> None:
        needed = {layer for litter in litters for layer in layers_needed(litter, self._root)}
        self._references = {layer: ref for layer, ref in self._references.items() if layer in needed}

    def parcel(self, litter: Litter) -> Parcel:
        needed = layers_needed(litter, self._root)
        for layer in needed - self._references.keys():
            self._references[layer] = self._ray.put(self._system.store.get_layer_bytes(layer))
        return Parcel(self._system.root, self._root, {layer: self._references[layer] for layer in needed})
