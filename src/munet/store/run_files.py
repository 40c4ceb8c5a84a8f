"""Which models the mutable records name. A record is written only after the models that it names are stored."""

from typing import Any

FINISHED = "finished.json"
CONFIG = "run.json"


def models_of_task(record: dict[str, Any]) -> list[str]:
    """Ids in a task's record that keep a model: the retained one and the active population."""
    retained = [record["model"]] if record.get("model") else []
    return retained + list((record.get("active") or {}).get("population", ()))


def models_of_generation(record: dict[str, Any]) -> list[str]:
    """Ids of the accepted children in a generation's run record."""
    return [child["model"] for child in record.get("children", ()) if child.get("accepted") and child.get("model")]


def generation_of(file: str) -> tuple[str, int] | None:
    """(task, iteration) of a generation's run record `<task>-<iteration>-<generation>.json`; None for other records."""
    task, *numbers = file.removesuffix(".json").rsplit("-", 2)
    if task and len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        return task, int(numbers[0])
    return None


def is_over(task_record: dict[str, Any], run: str, iteration: int) -> bool:
    """Whether a task has ended this iteration of a run: the children sampled in it no longer wait for a verdict."""
    last = task_record.get("last")
    return bool(last) and last["run"] == run and last["iteration"] >= iteration


GENERATION_FILE = "{task}-{iteration:04d}-{generation:04d}.json"


ITERATION_FILE = "{task}-{iteration:04d}.end.json"
