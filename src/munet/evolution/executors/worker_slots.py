"""Worker processes: started, watched, killed, and what one had when it died given to the next.

Executors use it for groups of children, grids of experiments for whole runs.
"""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from munet.evolution.executors.failures import MOST_DEATHS, WorkerDied, how_it_ended

Item = TypeVar("Item")
Event = TypeVar("Event")


@dataclass
class _Task(Generic[Item]):
    item: Item
    deaths: list[str] = field(default_factory=list)


class Todo(Generic[Item, Event]):
    """What is still to be done, for any number of slots, and what has happened. `over`: nothing more is wanted."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.tasks = deque(_Task(item) for item in items)
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.over = False


def serve(
    todo: Todo[Item, Event],
    perform: Callable[[Item], Iterable[Event]],
    again: Callable[[Item, str], Event],
    given_up: Callable[[Item, list[str]], Event],
) -> None:
    """Have a slot do one item after the other until none is left. Runs in a thread of its own.

    `perform` gives what its worker says, and raises WorkerDied where that goes away: the item comes first again, with
    the event of `again`, until `MOST_DEATHS` workers died over it, which the event of `given_up` says. An event that is
    an exception ends the slot, and any other error of `perform` is such an event: a bug must not leave a run waiting.
    """
    while not todo.over:
        try:
            task = todo.tasks.popleft()
        except IndexError:
            return
        try:
            for event in perform(task.item):
                todo.events.put(event)
        except WorkerDied as death:
            if todo.over:
                return
            task.deaths.append(str(death))
            last = len(task.deaths) == MOST_DEATHS
            event = given_up(task.item, task.deaths) if last else again(task.item, str(death))
            if not last:
                todo.tasks.appendleft(task)
            todo.events.put(event)
            if isinstance(event, Exception):
                return
        except Exception as error:
            todo.events.put(error)  # type: ignore[arg-type]
            return


def start_process(module: str, *words: str, environment: dict[str, str] | None = None, **how: Any) -> subprocess.Popen:
    """`python -m MODULE WORDS`; `how` is for Popen.

    It is a fresh interpreter, so nothing of the caller's main module is run again, and looks for modules where this one
    does. It has a process group of its own: Ctrl-C is for the run, which then ends its workers.
    """
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *words],
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        stdin=subprocess.DEVNULL,
        process_group=0,
        **how,
    )


def reap(process: subprocess.Popen, patience: float = 5) -> str:
    """Clear away a process that is gone or about to go, after `patience` seconds by force; how it went."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience)
    code = process.poll()
    process.kill()
    process.wait()
    return f"(process {process.pid}) {how_it_ended(code)}"


def end_with(parent: int) -> None:
    """End this process when `parent` has gone, looked at every two seconds. Runs in a thread of its own."""
    from time import sleep

    while os.getppid() == parent:
        sleep(2)
    os._exit(0)
