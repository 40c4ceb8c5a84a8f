"""Training on a Ray cluster: each job group is a task that can run again anywhere. Ray keeps nothing that matters."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from munet.evolution.executors.base import Note, OnCycle
from munet.evolution.executors.failures import MOST_DEATHS, again, given_up
from munet.evolution.executors.messages import Done, Message, Relay
from munet.evolution.executors.ray_cluster import Cluster
from munet.evolution.executors.ray_tasks import TrainRequest, Unseen, look, train
from munet.evolution.executors.shipped_layers import LayerBundle, layers_needed
from munet.evolution.executors.worker_plan import WorkerPlan, usable_cores
from munet.evolution.jobs import Result, Work

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ComputeSettings
    from munet.store import Store
    from munet.tasks.cache.splits import Splits

_PATIENCE = 10.0  # seconds without news after which the cluster is looked at


@dataclass
class _Task:
    group: Work
    deaths: list[str] = field(default_factory=list)


class RayExecutor:
    """Job groups as Ray tasks. They are retried here and not by Ray, so that nothing is reported twice."""

    def __init__(
        self, cluster: Cluster, plan: WorkerPlan, store: "Store", compute: "ComputeSettings", splits: "Splits"
    ) -> None:
        self._cluster, self._ray = cluster, cluster.ray
        self._store, self._splits = store, splits
        self._compute = replace(compute, device=plan.devices[0])
        self._gpus = plan.gpus_per_child or 0.0
        self._most = plan.workers  # 0: no bound but the cluster
        self._session = uuid4().hex
        self._relay = Relay()
        self._bundles = _LayerBundles(self._ray, store)
        self._flying: dict[Any, _Task] = {}
        self._shared = cluster.shared
        self._notes = list(cluster.notes)
        if not self._shared:
            self._notes.append(_handing(store, "not all nodes of the Ray cluster see"))
        held = cluster.check(compute.threads, self._gpus)
        self.workers = min(held, self._most or held)
        self._task = self._ray.remote(
            num_cpus=compute.threads, num_gpus=self._gpus or None, max_retries=0, num_returns="streaming"
        )(train)

    def run(self, groups: Sequence[Work], on_cycle: OnCycle, note: Note) -> Iterator[Result]:
        self._relay.begin(on_cycle, note)
        while self._notes:
            note(self._notes.pop(0))
        self._bundles.keep(groups)
        waiting = deque(_Task(group) for group in groups)
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
                    self._note_death(task, message, note)
                    waiting.appendleft(task)
                elif isinstance(message, Unseen):
                    self._stop_sharing(message, note)
                    waiting.appendleft(task)
                elif (result := self._relay.hear(message)) is not None:
                    yield result
        finally:
            self._cancel()

    def _submit(self, task: _Task) -> None:
        request = TrainRequest(
            session=self._session,
            compute=self._compute,
            seen=self._splits.seen,
            group=task.group,
            system=str(self._store.path),
            root=self._store.root,
            bundle=None if self._shared else self._bundles.bundle(task.group),
        )
        self._flying[self._task.remote(request)] = task

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

    def _note_death(self, task: _Task, lost: "_Lost", note: Note) -> None:
        task.deaths.append(lost.how)
        if len(task.deaths) == MOST_DEATHS:
            raise given_up(task.group, task.deaths)
        note(again(task.group, lost.how))

    def _stop_sharing(self, unseen: Unseen, note: Note) -> None:
        if self._shared:  # other tasks may say the same in a moment
            self._shared = False
            note(_handing(self._store, f"the Ray node {unseen.host} does not see"))

    def _look_after(self) -> None:
        if not self._cluster.capacity(self._compute.threads, self._gpus):
            self._relay.tell("no node of the Ray cluster can take a child now: waiting for one to join")

    def _cancel(self) -> None:
        """Give up what is in training: nobody asks for it any more."""
        for generator in self._flying if self._ray.is_initialized() else ():
            self._ray.cancel(generator, force=True)
        self._flying.clear()

    def close(self) -> None:
        self._cancel()


def join_cluster(plan: WorkerPlan, store: "Store") -> Cluster:
    """The cluster of a plan, joined and looked over. Raises InputError for what could not train a child."""
    cluster = Cluster(plan.address, max(usable_cores(), plan.workers * plan.threads))
    try:
        cluster.check(plan.threads, plan.gpus_per_child or 0.0)
        cluster.look_over(look, str(store.path), store.root)
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


def _handing(store: "Store", who: str) -> str:
    return f"{who} {store.path}: layers go through Ray's object store"


class _LayerBundles:
    """Layers in Ray's object store, each put there once; those that a generation does not need are freed."""

    def __init__(self, ray: Any, store: "Store") -> None:
        self._ray = ray
        self._store = store
        self._root = store.get_model(store.root)
        self._references: dict[str, Any] = {}

    def keep(self, groups: Sequence[Work]) -> None:
        needed = {layer for group in groups for layer in layers_needed(group, self._root)}
        self._references = {layer: ref for layer, ref in self._references.items() if layer in needed}

    def bundle(self, group: Work) -> LayerBundle:
        needed = layers_needed(group, self._root)
        for layer in needed - self._references.keys():
            self._references[layer] = self._ray.put(self._store.get_layer_bytes(layer))
        return LayerBundle(self._store.root, self._root, {layer: self._references[layer] for layer in needed})
