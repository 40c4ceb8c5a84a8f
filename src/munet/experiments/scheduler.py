"""Performs the runs of a grid, several at a time, each in a process of its own."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from munet.evolution.events import Notice, event_json
from munet.evolution.executors.failures import WorkerDied, how_it_ended
from munet.evolution.executors.worker_slots import Todo, reap, serve, start_process
from munet.evolution.options import Where
from munet.experiments.grid import Run
from munet.experiments.worker import request

_PATIENCE = 30.0  # seconds that a worker gets to end by itself


@dataclass(frozen=True)
class Started:
    run: Run


@dataclass(frozen=True)
class Reported:
    """One line of a worker."""

    run: Run
    line: str


@dataclass(frozen=True)
class Ended:
    """`error` is None for a run that is finished, else one line."""

    run: Run
    error: str | None


Message = Started | Reported | Ended


def perform_all(
    runs: Sequence[Run],
    data: Path | None,
    where: Where,
    listen: Callable[[Message], None],
    *,
    devices: Sequence[str],
) -> list[Ended]:
    """Bring all runs to their end, one at a time on each of `devices` (named as often as runs may share it).

    `listen` is called in this thread. A run whose worker is killed gets another; one that fails stops no other,
    and the failed ones are returned. An interrupt ends the workers and passes on; the same call goes on where they
    stopped.
    """
    todo = Todo[Run, Message | Exception](runs)
    slots = [_Slot(data, replace(where, device=device)) for device in devices[: len(runs)]]
    threads = [Thread(target=serve, args=(todo, slot.perform, _again, _given_up), daemon=True) for slot in slots]
    left, failed = len(runs), []
    try:
        for thread in threads:
            thread.start()
        while left:
            message = todo.events.get()
            if isinstance(message, Exception):
                raise message
            listen(message)
            if isinstance(message, Ended):
                left -= 1
                failed += [message] if message.error else []
    finally:
        todo.over = True
        for slot in slots:
            slot.stop()
    return failed


def _again(run: Run, death: str) -> Message:
    return Reported(run, json.dumps(event_json(Notice(f"{death}: another one goes on with its run"))))


def _given_up(run: Run, deaths: list[str]) -> Message:
    return Ended(run, f"{len(deaths)} workers died over it, at last {deaths[-1]}; the same command goes on")


class _Slot:
    """Performs one run after the other, each in a worker of its own."""

    def __init__(self, data: Path | None, where: Where) -> None:
        self._data, self._where = data, where
        self._stopped = False
        self._worker: subprocess.Popen[str] | None = None
        self._lock = Lock()  # held to start a worker or to stop it: that is done by different threads

    def perform(self, run: Run) -> Iterator[Message]:
        """What happens to a run, which goes on where it stopped. Raises WorkerDied where its worker was killed."""
        yield Started(run)
        run.folder.mkdir(parents=True, exist_ok=True)
        # Standard error goes to a file: a pipe that nobody reads would fill up and stop the worker.
        with (run.folder / "worker.log").open("w+", encoding="utf-8") as log:
            try:
                worker = self._start(run, log)
            except OSError as trouble:
                yield Ended(run, f"its process could not be started: {trouble.strerror}")
                return
            with worker:
                assert worker.stdout is not None
                for line in worker.stdout:
                    yield Reported(run, line)
            log.seek(0)
            lines = log.read().splitlines()
        if worker.returncode < 0:
            raise WorkerDied(f"its worker {reap(worker)}")
        last = next((line.strip() for line in reversed(lines) if line.strip()), None)
        error = None if worker.returncode == 0 else last or f"its process {how_it_ended(worker.returncode)}"
        yield Ended(run, error)

    def _start(self, run: Run, log: IO[str]) -> "subprocess.Popen[str]":
        words = request(run, self._data, self._where)
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": log, "text": True, "encoding": "utf-8"}
        with self._lock:
            if self._stopped:
                raise WorkerDied("the grid is over")
            self._worker = start_process("munet.experiments.worker", words, **streams)
            return self._worker

    def stop(self) -> None:
        """End the worker: it leaves its run so that the next one goes on."""
        with self._lock:
            self._stopped = True
            worker = self._worker
        if worker is not None and worker.poll() is None:
            worker.terminate()
            reap(worker, _PATIENCE)
