"""A model's answers on a split that its task was recorded with."""

from typing import TYPE_CHECKING

import numpy as np

from munet.inference.measures import Answers
from munet.inference.predict import Predictor
from munet.store.derived import resolve
from munet.tasks.cache.splits import Splits

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def recorded_answers(models: "ModelLoader", task: str, split: str = "test", *, device: str = "auto") -> Answers:
    """What the retained model of a task says of one of its splits; images are named by their number in it.

    InputError where the task has no model, or its images are gone or changed.
    """
    model, record = resolve(models.store, task), models.store.read_task(task)
    held = Splits().get(record, split, models.manifest(model)["hyperparameters"]["image_size"])
    if held.check is not None:
        held.check(np.arange(len(held.images)))
    predictor = Predictor(models, [model], device)
    found = predictor.predict(iter(held.images))[0].probabilities
    names = [f"{split} {number}" for number in range(len(held.labels))]
    return Answers(found.double().numpy(), np.asarray(held.labels), predictor.classes[0], names)
