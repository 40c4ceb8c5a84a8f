"""Names of a run's files, written and parsed here alone, and which models its records and those of tasks name.

A record is written only after the models that it names are stored.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from munet.store.objects import is_id
from munet.store.schema import TaskRecord

CONFIG = "run.json"
FINISHED = "finished.json"
CHECKPOINT = "trunk.safetensors"  # a trunk in training, while it is; no record
_ENDED = ".end.json"


class GenerationPlace(NamedTuple):
    """Which generation of which task iteration of a run."""

    task: str
    iteration: int
    generation: int


def generation_file(task: str, iteration: int, generation: int) -> str:
    """Name of a generation's record."""
    return f"{task}-{iteration:04d}-{generation:04d}.json"


def iteration_file(task: str, iteration: int) -> str:
    """Name of the record of a task iteration that is over."""
    return f"{task}-{iteration:04d}{_ENDED}"


def generation_of(file: str) -> GenerationPlace | None:
    """Whose record `<task>-<iteration>-<generation>.json` is; None for other records."""
    task, *numbers = file.removesuffix(".json").rsplit("-", 2)
    if task and len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        return GenerationPlace(task, *map(int, numbers))
    return None


def ends_iteration(file: str) -> bool:
    """Whether a record says what a task iteration retained."""
    return file.endswith(_ENDED)


def in_order(files: Iterable[str]) -> list[str]:
    """Names of records counting upwards: generation 10 after generation 9."""
    # Words and numbers take turns, so that numbers are only ever compared with numbers.
    return sorted(files, key=lambda name: [int(p) if p.isdigit() else p for p in re.split("([0-9]+)", name)])


def models_of_task(record: TaskRecord) -> list[str]:
    """Ids in a task's record that keep a model: the retained one and the active population."""
    model, active = record.get("model"), record.get("active")
    return [*([model] if model else []), *(active.get("population", ()) if active else ())]


def listings_of_task(record: TaskRecord) -> list[str]:
    """Ids of the listings that a task's splits may have: their fingerprints, where those are hashes."""
    found = [split.get("fingerprint", "").removeprefix("sha256:") for split in record.get("splits", {}).values()]
    return [id for id in found if is_id(id)]


def models_of_generation(record: Mapping[str, Any]) -> list[str]:
    """Ids of the accepted children in a generation's run record; none in other records of a run."""
    children = record.get("children", ())
    return [model for child in children if child.get("accepted") and (model := child.get("model"))]


def is_over(task_record: TaskRecord, run: str, iteration: int) -> bool:
    """Whether a task has ended a task iteration of a run: its children no longer wait for a verdict."""
    last = task_record.get("last")
    return last is not None and last["run"] == run and last["iteration"] >= iteration
