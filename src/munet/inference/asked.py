"""What is asked of a system's models, checked. Needs no torch, so that a mistake is reported at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from munet.errors import InputError, suggest
from munet.store.derived import resolve
from munet.tasks.form import Form, decode_side
from munet.training.precision import check_precision

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader
    from munet.store.schema import Manifest, TaskRecord

SPLITS = ("train", "validation", "test")


def with_head(models: "ModelLoader", model: str) -> "tuple[Manifest, str]":
    """(manifest, task) of a model that answers for a task. InputError for the root."""
    manifest = models.manifest(model)
    task = manifest["task"]
    if task is None:
        raise InputError("the root has no head: name a task or one of its models")
    return manifest, task


def classes_of(record: "TaskRecord", model: str) -> list[str]:
    """What the outputs of a task's model mean: the first classes of the task, where it has others since."""
    older = record.get("older")
    return record["classes"][: older["classes"]] if older and older["model"] == model else record["classes"]


def temperature_of(record: "TaskRecord", model: str) -> float:
    """What the logits of a task's model are divided by; 1 where it was never fitted."""
    test = record["test"]
    return test.get("temperature", 1.0) if test and test["model"] == model else 1.0


def form_of(models: "ModelLoader", model: str) -> Form:
    """What images a model answers for are made first: those that its task is evaluated on. InputError for the root."""
    manifest, task = with_head(models, model)
    return Form.of(models.store.read_task(task), "test", decode_side(manifest["hyperparameters"]["image_size"]))


def models_of(models: "ModelLoader", tasks: Sequence[str] | None, split: str, precision: str) -> dict[str, str]:
    """Ids of the retained models to evaluate by task: those of `tasks`, else of every task that has one.

    InputError: an unknown split, precision or task, a task that is named and has no model.
    """
    if split not in SPLITS:
        raise InputError(f"no split '{split}'{suggest(split, SPLITS)}: choose train, validation or test")
    check_precision(precision)
    store = models.store
    names = list(tasks) if tasks else [name for name in store.tasks() if store.read_task(name)["model"]]
    return {name: resolve(store, name) for name in names}
