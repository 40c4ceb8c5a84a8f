"""Training in worker processes on this machine. One that dies loses its litter, and that is trained again."""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING

from munet.evolution.executors.choose import Note, Told
from munet.evolution.executors.failures import MOST_DEATHS, Failure, WorkerDied, again, given_up, how_it_ended
from munet.evolution.executors.messages import Done, Hearing, Message, Opening
from munet.evolution.executors.worker_plan import Team
from munet.evolution.jobs import Litter, Result

if TYPE_CHECKING:
    from munet.evolution.child_trainer import Setting
    from munet.system import System
    from munet.tasks.cache.splits import Splits


class ProcessesExecutor:
    """Worker processes that load torch while this one goes on, and wait between generations."""

    def __init__(self, team: Team, system: "System", setting: "Setting", splits: "Splits") -> None:
        self.workers = team.workers
        self._seats = [
            _Seat(number, Opening(str(system.path), replace(setting, device=_device(team, number)), splits.seen))
            for number in range(team.workers)
        ]
        self._threads: list[Thread] = []
        self._hearing = Hearing()
        for seat in self._seats:
            seat.start()

    def run(self, litters: Sequence[Litter], on_cycle: Told, note: Note) -> Iterator[Result]:
        round_ = _Round(deque(_Task(litter) for litter in litters))
        seats = self._seats[: len(litters)]
        self._threads = [Thread(target=_serve, args=(seat, round_), daemon=True) for seat in seats]
        for thread in self._threads:
            thread.start()
        self._hearing.begin(on_cycle, note)
        waiting = len(litters)
        try:
            while waiting:
                event = round_.events.get()
                if isinstance(event, Done):
                    waiting -= 1
                elif isinstance(event, _Died):
                    note(event.text)
                elif isinstance(event, Exception):
                    raise event
                elif (result := self._hearing.hear(event)) is not None:
                    yield result
        finally:
            if waiting:  # whoever asked wants no more: what is in training is not worth its end
                round_.over = True
                for seat in seats:
                    seat.interrupt()
            self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads = []

    def close(self) -> None:
        for seat in self._seats:
            seat.closed = True
            seat.interrupt()
        self._join()
        for seat in self._seats:
            seat.close()


def _device(team: Team, number: int) -> str:
    return team.devices[number % len(team.devices)]


@dataclass
class _Task:
    litter: Litter
    deaths: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Died:
    text: str


@dataclass
class _Round:
    """One call of `run`: what is still to be trained, and what has happened."""

    todo: deque[_Task]
    events: "SimpleQueue[Message | _Died | Exception]" = field(default_factory=SimpleQueue)
    over: bool = False


def _serve(seat: "_Seat", round_: _Round) -> None:
    """Have a worker train litters until none is left. Runs in a thread, so that no worker waits for the store."""
    while not round_.over:
        try:
            task = round_.todo.popleft()
        except IndexError:
            return
        try:
            for message in seat.train(task.litter):
                round_.events.put(message)
        except WorkerDied as death:
            if round_.over or seat.closed:
                return
            task.deaths.append(str(death))
            if len(task.deaths) == MOST_DEATHS:
                round_.events.put(given_up(task.litter, task.deaths))
                return
            round_.events.put(_Died(again(task.litter, str(death))))
            round_.todo.appendleft(task)
        except Exception as error:  # a bug here must end the run rather than leave it waiting
            round_.events.put(error)
            return


class _Seat:
    """The place of one worker: a process, and the next one when that is gone."""

    def __init__(self, number: int, opening: Opening) -> None:
        self.number = number
        self.closed = False
        self._opening = opening
        self._opened = False
        self._busy = False
        self._shot = False
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: Connection | None = None
        self._lock = Lock()  # held to start a process or to kill it: that is done by different threads

    def start(self) -> Connection:
        """The socket to a worker that runs, or has just been started."""
        with self._lock:
            if self.closed:
                raise WorkerDied("the run is over")
            if self._process is not None and (self._shot or self._process.poll() is not None):
                self._bury()  # it went while it had nothing to do
            if self._wire is None:
                mine, theirs = socket.socketpair()
                with theirs:
                    self._process = _start(theirs.fileno(), self._opening.setting.threads)
                self._wire, self._opened = Connection(mine.detach()), False
            return self._wire

    def train(self, litter: Litter) -> Iterator[Message]:
        """What the worker says about a litter; ends with `Done` or `Failure`. Raises WorkerDied."""
        self._busy = True
        try:
            wire = self.start()
            if not self._opened:
                wire.send(self._opening)
                self._opened = True
            wire.send(litter)
            while True:
                message: Message = wire.recv()
                yield message
                if isinstance(message, Done | Failure):
                    return
        except (EOFError, OSError) as error:
            with self._lock:
                raise WorkerDied(f"worker {self.number + 1} {self._bury() or error}") from error
        finally:
            self._busy = False

    def interrupt(self) -> None:
        """Kill the worker if it trains; who waits for it is told that it died."""
        with self._lock:
            if self._busy and self._process is not None:
                self._process.kill()
                self._shot = True  # it may take a moment to go

    def close(self) -> None:
        """End the worker. Nobody waits for it any more."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
            self._bury()

    def _bury(self) -> str:
        """Clear away a worker that is gone, and tell how it went."""
        process, wire = self._process, self._wire
        self._process = self._wire = None
        self._shot = False
        if wire is not None:
            wire.close()
        if process is None:
            return ""
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        code = process.poll()
        process.kill()
        process.wait()
        return f"(process {process.pid}) {how_it_ended(code)}"


def _start(fd: int, threads: int) -> subprocess.Popen[bytes]:
    """A worker process on the other end of a socket.

    It is a fresh interpreter, so nothing of the caller's main module is run again, and looks for modules where this one
    does. It has a process group of its own: Ctrl-C is for the run, which then ends its workers.
    """
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "munet.evolution.executors.worker", str(fd)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads)},
        pass_fds=[fd],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # standard output is for the run's own lines
        process_group=0,
    )
