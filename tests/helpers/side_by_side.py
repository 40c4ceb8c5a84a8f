"""Processes that evolve one task each of the same system."""

import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import munet
from growing import evolve
from killing import SETTINGS
from munet.evolution.events import ChildFinished, Event, GenerationStarted

LAST = SETTINGS["generations"] - 1


def meet_in_the_last_generation(path: Path, task: str, barrier: Barrier) -> None:
    """Evolve a task. Nobody goes on with the last generation, and so retains a model, before all are in theirs."""

    def tell(event: Event) -> None:
        if isinstance(event, GenerationStarted) and event.generation == LAST:
            barrier.wait(120)

    evolve(munet.System.open(path), [task], task_iterations=1, observer=tell, **SETTINGS)


def stop_in_the_last_generation(path: Path, task: str, connection: Connection) -> None:
    """Evolve a task until the first child of the last generation is there; then only be there."""

    def tell(event: Event) -> None:
        if isinstance(event, ChildFinished) and event.generation == LAST:
            connection.send("there")
            time.sleep(600)

    evolve(munet.System.open(path), [task], task_iterations=1, observer=tell, **SETTINGS)
