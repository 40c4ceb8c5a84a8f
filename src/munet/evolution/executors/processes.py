"""Training in worker processes on this machine. One that dies loses its job group, and that is trained again."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import TYPE_CHECKING

from munet.evolution.executors.base import Note, OnCycle
from munet.evolution.executors.failures import Failure, WorkerDied, again, given_up
from munet.evolution.executors.messages import Done, Message, Relay, WorkerSetup
from munet.evolution.executors.worker_plan import WorkerPlan
from munet.evolution.executors.worker_slots import Todo, reap, serve, start_process
from munet.evolution.jobs import Result, Work

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ComputeSettings
    from munet.store import Store
    from munet.tasks.cache.splits import Splits


class ProcessesExecutor:
    """Worker processes that load torch while this one goes on, and wait between generations."""

    def __init__(self, plan: WorkerPlan, store: "Store", compute: "ComputeSettings", splits: "Splits") -> None:
        self.workers = plan.workers
        self._slots = [
            _WorkerSlot(
                number, WorkerSetup(str(store.path), replace(compute, device=_device(plan, number)), splits.seen)
            )
            for number in range(plan.workers)
        ]
        self._threads: list[Thread] = []
        self._todo = Todo[Work, _Event](())
        self._relay = Relay()
        for slot in self._slots:
            slot.start()

    def run(self, groups: Sequence[Work], on_cycle: OnCycle, note: Note) -> Iterator[Result]:
        self._todo = todo = Todo[Work, _Event](groups)
        slots = self._slots[: len(groups)]
        self._threads = [Thread(target=serve, args=(todo, slot.train, _again, given_up), daemon=True) for slot in slots]
        for thread in self._threads:
            thread.start()
        self._relay.begin(on_cycle, note)
        waiting = len(groups)
        try:
            while waiting:
                event = todo.events.get()
                if isinstance(event, Done):
                    waiting -= 1
                elif isinstance(event, _Died):
                    note(event.text)
                elif isinstance(event, Exception):
                    raise event
                elif (result := self._relay.hear(event)) is not None:
                    yield result
        finally:
            if waiting:  # whoever asked wants no more: what is in training is not worth its end
                todo.over = True
                for slot in slots:
                    slot.interrupt()
            self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads = []

    def close(self) -> None:
        self._todo.over = True
        for slot in self._slots:
            slot.closed = True
            slot.interrupt()
        self._join()
        for slot in self._slots:
            slot.close()


def _device(plan: WorkerPlan, number: int) -> str:
    return plan.devices[number % len(plan.devices)]


@dataclass(frozen=True)
class _Died:
    text: str


_Event = Message | _Died | Exception


def _again(group: Work, death: str) -> _Event:
    return _Died(again(group, death))


class _WorkerSlot:
    """The place of one worker: a process, and the next one when that is gone."""

    def __init__(self, number: int, setup: WorkerSetup) -> None:
        self.number = number
        self.closed = False
        self._setup = setup
        self._ready = False
        self._busy = False
        self._interrupted = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._lock = Lock()  # held to start a process or to kill it: that is done by different threads

    def start(self) -> Connection:
        """The socket to a worker that runs, or has just been started."""
        with self._lock:
            if self.closed:
                raise WorkerDied("the run is over")
            if self._process is not None and (self._interrupted or self._process.poll() is not None):
                self._reap()  # it went while it had nothing to do
            if self._connection is None:
                mine, theirs = socket.socketpair()
                with theirs:
                    self._process = _start(theirs.fileno(), self._setup.compute.threads)
                self._connection, self._ready = Connection(mine.detach()), False
            return self._connection

    def train(self, group: Work) -> Iterator[Message]:
        """What the worker says about a job group; ends with `Done` or `Failure`. Raises WorkerDied."""
        self._busy = True
        try:
            connection = self.start()
            if not self._ready:
                connection.send(self._setup)
                self._ready = True
            connection.send(group)
            while True:
                message: Message = connection.recv()
                yield message
                if isinstance(message, Done | Failure):
                    return
        except (EOFError, OSError) as error:
            with self._lock:
                raise WorkerDied(f"worker {self.number + 1} {self._reap() or error}") from error
        finally:
            self._busy = False

    def interrupt(self) -> None:
        """Kill the worker if it trains; the thread that reads from it gets WorkerDied."""
        with self._lock:
            if self._busy and self._process is not None:
                self._process.kill()
                self._interrupted = True  # it may take a moment to go

    def close(self) -> None:
        """End the worker. Nobody waits for it any more."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
            self._reap()

    def _reap(self) -> str:
        """Close what a dead worker leaves behind; returns how it ended."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        self._interrupted = False
        if connection is not None:
            connection.close()
        if process is None:
            return ""
        return reap(process)


def _start(fd: int, threads: int) -> subprocess.Popen[bytes]:
    """A worker process on the other end of a socket."""
    return start_process(
        "munet.evolution.executors.worker",
        str(fd),
        environment={"OMP_NUM_THREADS": str(threads)},
        pass_fds=[fd],
        stdout=subprocess.DEVNULL,  # standard output is for the run's own lines
    )
