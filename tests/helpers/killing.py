"""What the kill tests run in processes of their own: an evolution that reports each thing it has committed."""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import munet
from growing import evolve
from munet.evolution.events import ChildFinished, Event

ROOT = {"root": "random:vit_tiny_patch16_224", "depth": 1, "image_size": 32}
TASKS = ("shapes", "again")
SETTINGS: dict[str, Any] = {
    "generations": 2,
    "children": 3,
    "cycles": 2,
    "samples_per_cycle": 40,
    "batch_size": 20,
    "threads": 1,
}


def grow(path: Path) -> None:
    """One finished run over both tasks."""
    evolve(munet.System.open(path), task_iterations=1, **SETTINGS)


def grow_and_report(path: Path, connection: Connection) -> None:
    """The same; sends the place and the model of every child once it is finished, and "done" at the end."""

    def tell(event: Event) -> None:
        if isinstance(event, ChildFinished):
            file = f"{event.task}-{event.iteration:04d}-{event.generation:04d}.json"
            connection.send((event.record["stream"], file, event.child, event.record["model"]))

    evolve(munet.System.open(path), task_iterations=1, observer=tell, **SETTINGS)
    connection.send("done")
