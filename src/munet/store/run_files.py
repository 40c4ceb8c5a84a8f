"""Names of a run's files, written and parsed here alone, and which models its records and those of tasks name.

A record is written only after the models that it names are stored.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from munet.store.objects import is_id
from munet.store.retained import beside
from munet.store.schema import FinishedRecord, GenerationRecord, IterationRecord, RunRecord, TaskRecord

CONFIG = "run.json"
PLACE = "place"  # key of a record
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


def iteration_of(file: str) -> tuple[str, int] | None:
    """Whose record `<task>-<iteration>.end.json` is; None for other records."""
    task, _, number = f"{file.removesuffix('.json')}.json".removesuffix(_ENDED).rpartition("-")
    return (task, int(number)) if ends_iteration(f"{file.removesuffix('.json')}.json") and number.isdecimal() else None


def ends_iteration(file: str) -> bool:
    """Whether a record says what a task iteration retained."""
    return file.endswith(_ENDED)


def schema_of(file: str) -> Any:
    """The type of a run's record by the name of its file; None for others."""
    stem = f"{file.removesuffix('.json')}.json"
    if stem in (CONFIG, FINISHED):
        return RunRecord if stem == CONFIG else FinishedRecord
    if ends_iteration(stem):
        return IterationRecord
    return GenerationRecord if generation_of(stem) else None


def placed(run: str, file: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its place in it, so that it counts nowhere else."""
    return {**record, PLACE: _place(run, file)}


def misplaced(run: str, file: str, record: Mapping[str, Any]) -> str | None:
    """Of which other place a record is, to be put behind the name of its file; None where it is at its own.

    Records of older versions do not say their run.
    """
    place = record.get(PLACE, _place(run, file))
    if place != _place(run, file):
        return f"is the record of {place}"
    told = tuple(record.get(key) for key in ("task", "iteration", "generation"))
    known = generation_of(file) or iteration_of(file)
    if known is None or any(mine not in (None, its) for mine, its in zip(told, known, strict=False)):
        return None if known is None else f"is the record of {told[0]}, task iteration {told[1]}, generation {told[2]}"
    return None


def _place(run: str, file: str) -> str:
    return f"{run}/{file.removesuffix('.json')}"


def in_order(files: Iterable[str]) -> list[str]:
    """Names of records counting upwards: generation 10 after generation 9."""
    # Words and numbers take turns, so that numbers are only ever compared with numbers.
    return sorted(files, key=lambda name: [int(p) if p.isdigit() else p for p in re.split("([0-9]+)", name)])


def models_of_task(record: TaskRecord) -> list[str]:
    """Ids in a task's record that keep a model: the retained one, those that others retained at the same time, the
    active population, and what its generation in training sees of other tasks."""
    model, active = record.get("model"), record.get("active")
    used = [*active.get("population", ()), *(one["model"] for one in active.get("seen", ()))] if active else []
    return [*([model] if model else []), *beside(record), *used]


def listings_of_task(record: TaskRecord) -> list[str]:
    """Ids of the listings that a task's splits may have: their fingerprints, where those are hashes."""
    found = [split.get("fingerprint", "").removeprefix("sha256:") for split in record.get("splits", {}).values()]
    return [id for id in found if is_id(id)]


def models_of_generation(record: Mapping[str, Any]) -> list[str]:
    """Ids of the accepted children in a generation's run record; none in other records of a run."""
    children = record.get("children", ())
    if not isinstance(children, list | tuple):
        return []
    children = [child for child in children if isinstance(child, dict)]
    return [model for child in children if child.get("accepted") and (model := child.get("model"))]


def is_over(task_record: TaskRecord, run: str, iteration: int) -> bool:
    """Whether a task has ended a task iteration of a run: its children no longer wait for a verdict."""
    last = task_record.get("last")
    return last is not None and last["run"] == run and last["iteration"] >= iteration
