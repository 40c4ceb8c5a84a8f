"""Performs the runs of a grid, several at a time, each in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread

from munet.evolution.options import Where
from munet.experiments.grid import Run
from munet.experiments.worker import request

_PATIENCE = 30.0  # seconds that a worker gets to end by itself


@dataclass(frozen=True)
class Started:
    run: Run


@dataclass(frozen=True)
class Told:
    """One line of a worker."""

    run: Run
    line: str


@dataclass(frozen=True)
class Ended:
    """`error` is None for a run that is finished, else one line."""

    run: Run
    error: str | None


Message = Started | Told | Ended


def perform_all(
    runs: Sequence[Run],
    data: Path | None,
    where: Where,
    listen: Callable[[Message], None],
    *,
    devices: Sequence[str],
) -> list[Ended]:
    """Bring all runs to their end, one at a time on each of `devices` (named as often as runs may share it).

    `listen` is called in this thread. A run that fails stops no other; the failed ones are returned. An interrupt
    ends the workers and passes on; the same call goes on where they stopped.
    """
    messages: SimpleQueue[Message] = SimpleQueue()
    waiting: SimpleQueue[Run] = SimpleQueue()
    for run in runs:
        waiting.put(run)
    slots = [_Slot(waiting, messages, data, replace(where, device=device)) for device in devices[: len(runs)]]
    left, failed = len(runs), []
    try:
        for slot in slots:
            slot.start()
        while left:
            message = messages.get()
            listen(message)
            if isinstance(message, Ended):
                left -= 1
                failed += [message] if message.error else []
    finally:
        for slot in slots:
            slot.stop()
    return failed


class _Slot(Thread):
    """Takes one waiting run after the other and watches its worker."""

    def __init__(
        self, waiting: "SimpleQueue[Run]", messages: "SimpleQueue[Message]", data: Path | None, where: Where
    ) -> None:
        super().__init__(daemon=True)
        self._waiting, self._messages = waiting, messages
        self._data, self._where = data, where
        self._stopped = Flag()
        self._worker: subprocess.Popen[str] | None = None

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                run = self._waiting.get_nowait()
            except Empty:
                return
            self._messages.put(Started(run))
            try:
                error = self._perform(run)
            except OSError as trouble:
                error = f"its process could not be started: {trouble.strerror}"
            self._messages.put(Ended(run, error))

    def stop(self) -> None:
        """End the worker: it leaves its run so that the next one goes on."""
        self._stopped.set()
        worker = self._worker
        if worker is not None and worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _perform(self, run: Run) -> str | None:
        words = [sys.executable, "-m", "munet.experiments.worker", request(run, self._data, self._where)]
        run.folder.mkdir(parents=True, exist_ok=True)
        # Standard error goes to a file: a pipe that nobody reads would fill up and stop the worker.
        with (run.folder / "worker.log").open("w+", encoding="utf-8") as log:
            self._worker = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )
            if self._stopped.is_set():
                self._worker.terminate()
            with self._worker as worker:
                assert worker.stdout is not None
                for line in worker.stdout:
                    self._messages.put(Told(run, line))
            code = self._worker.returncode
            log.seek(0)
            lines = log.read().splitlines()
        if code == 0:
            return None
        if code < 0:
            return f"its process was ended by signal {-code}; the same command goes on"
        return next((line.strip() for line in reversed(lines) if line.strip()), f"its process ended with code {code}")
