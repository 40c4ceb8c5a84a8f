"""The records of a run, each read and written as what it is. `Store.read_run` and `write_run` know only files."""

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from munet.store.run_files import (
    CHECKPOINT,
    CONFIG,
    FINISHED,
    GenerationPlace,
    ends_iteration,
    generation_file,
    generation_of,
    iteration_file,
)
from munet.store.schema import FinishedRecord, GenerationRecord, IterationRecord, RunRecord
from munet.store.turns import is_evolving

if TYPE_CHECKING:
    from munet.store.store import Store


def read_config(store: "Store", run: str) -> RunRecord:
    """What a run was asked. Raises InputError for an unknown run, DamagedError for a damaged record."""
    return cast("RunRecord", store.read_run(run, CONFIG))


def read_finished(store: "Store", run: str) -> FinishedRecord:
    """How a run ended. Raises InputError unless it has, DamagedError for a damaged record."""
    return cast("FinishedRecord", store.read_run(run, FINISHED))


def unfinished_of(store: "Store", tasks: Collection[str]) -> list[str]:
    """Runs of any of these tasks that have not ended, oldest first. Raises DamagedError."""
    return [run for run in store.unfinished_runs() if not {*_tasks(store, run, tasks)}.isdisjoint(tasks)]


def is_going_on(store: "Store", run: str) -> bool:
    """Whether a process of this machine is at a run, as far as this user may see. Raises DamagedError."""
    return not store.is_finished(run) and is_evolving(store.path, _tasks(store, run, store.task_names()))


def _tasks(store: "Store", run: str, unsaid: Collection[str]) -> Collection[str]:
    """The tasks of a run, or `unsaid` where another writer left them out: then it may be of any."""
    request = read_config(store, run).get("request")
    return request["tasks"] if request else unsaid


def ended_by_itself(store: "Store", run: str) -> bool:
    """Whether a run is over, and was not left behind for another one."""
    return store.is_finished(run) and not read_finished(store, run)["abandoned"]


def finish(store: "Store", run: str, record: FinishedRecord) -> None:
    """Say that a run is over."""
    store.write_run(run, FINISHED, record)


def checkpoint_path(store: "Store", run: str) -> Path:
    """Where a trunk in training is kept between its cycles. Raises InputError for an unknown run."""
    return store.run_path(run, CONFIG).with_name(CHECKPOINT)


PROGRESS = "progress"  # in the header of a trunk in training


class TrunkProgress(NamedTuple):
    """How far a trunk in training is."""

    tasks: list[str]
    shares: list[float]  # of the samples
    cycles: int
    accuracies: list[list[float]]  # of each task, after each cycle that is over


def trunk_progress(store: "Store", run: str) -> tuple[TrunkProgress, float] | None:
    """How far the trunk is that a run has in training, and when that was written, in seconds of the epoch; None where
    nothing is kept that says so."""
    try:
        with checkpoint_path(store, run).open("rb") as file:
            about, length = os.fstat(file.fileno()), int.from_bytes(file.read(8), "little")
            header = file.read(min(length, about.st_size))
            return TrunkProgress(**json.loads(json.loads(header)["__metadata__"][PROGRESS])), about.st_mtime
    except (OSError, ValueError, KeyError, TypeError):  # not there, of an earlier version, or damaged
        return None


def generations(store: "Store", run: str) -> Iterator[tuple[str, GenerationPlace]]:
    """(file, place) of the generations of a run, in the order of their files."""
    for file in store.run_files(run):
        place = generation_of(file)
        if place is not None:
            yield file, place


def read_generation(store: "Store", run: str, file: str) -> GenerationRecord:
    """A generation. Raises InputError when there is none, DamagedError for a damaged one."""
    return cast("GenerationRecord", store.read_run(run, file))


def write_generation(store: "Store", run: str, record: GenerationRecord) -> None:
    """Write or replace a generation, in one atomic step."""
    store.write_run(run, generation_file(record["task"], record["iteration"], record["generation"]), record)


def iterations(store: "Store", run: str) -> list[str]:
    """Files of the task iterations of a run that are over, by task."""
    return [file for file in store.run_files(run) if ends_iteration(file)]


def read_iteration(store: "Store", run: str, file: str) -> IterationRecord:
    """What a task iteration retained. Raises InputError when there is none, DamagedError for a damaged one."""
    return cast("IterationRecord", store.read_run(run, file))


def write_iteration(store: "Store", run: str, record: IterationRecord) -> None:
    """Say what a task iteration retained."""
    store.write_run(run, iteration_file(record["task"], record["iteration"]), record)
