"""How several executors are made to grow systems, how those are compared, and who runs meanwhile."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import munet
from growing import evolve
from munet.evolution.events import ChildFinished, CycleFinished, Event, Notice

TASKS = ("shapes", "again")
# The same flips for all children of a generation, so that siblings are put into job groups.
SHARED = {"preprocessing_scope": "generation", "defaults.flip": True}
BUDGET: dict[str, Any] = {
    "generations": 2,
    "children": 4,
    "cycles": 2,
    "samples_per_cycle": 60,
    "batch_size": 16,
    "threads": 1,
    "task_iterations": 1,
    "settings": SHARED,
}


def create(path: Path, data: Path) -> munet.System:
    """A system of two tasks around a random root of two blocks."""
    system = munet.System.create(path, root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for task in TASKS:
        system.add_task(task, f"npz:{data}")
    return system


def grow(system: munet.System, watch: Callable[[Event], None] = lambda event: None, **options: Any) -> list[Event]:
    """One small run; returns its events. `watch` is called with each of them."""
    events: list[Event] = []

    def observe(event: Event) -> None:
        events.append(event)
        watch(event)

    evolve(system, observer=observe, **{**BUDGET, **options})
    return events


def contents(system: munet.System) -> dict[str, bytes]:
    """Every file of a system that its seed decides: objects, and refs; not the clocks of the run records."""
    files = [file for part in ("layers", "models", "tasks") for file in (system.path / part).rglob("*.*")]
    return {str(file.relative_to(system.path)): file.read_bytes() for file in files}


def reported(events: list[Event]) -> list[tuple[Any, ...]]:
    """Cycles and children that were reported, in an order that does not depend on who was first."""
    return sorted(
        (event.task, event.generation, event.child, getattr(event, "cycle", 99))
        for event in events
        if isinstance(event, CycleFinished | ChildFinished)
    )


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


class Once:
    """Does something at the first event of a kind."""

    def __init__(self, kind: type[Event], act: Callable[[], None]) -> None:
        self.kind, self.act, self.done = kind, act, False

    def __call__(self, event: Event) -> None:
        if isinstance(event, self.kind) and not self.done:
            self.done = True
            self.act()


def descendants(ancestor: int) -> dict[int, str]:
    """Processes below one, with their command lines."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it ended meanwhile
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            lines[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found: dict[int, str] = {}
    below = {ancestor}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found |= {pid: lines[pid] for pid in below if pid in lines}
    return found


def workers_of(ancestor: int, words: str = "munet.evolution.executors.worker") -> list[int]:
    return [pid for pid, line in descendants(ancestor).items() if words in line]


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
