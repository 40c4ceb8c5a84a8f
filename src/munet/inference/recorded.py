"""A model's answers on a split that its task was recorded with."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from munet.inference.measures import Answers
from munet.inference.predict import Predictor
from munet.store.derived import resolve
from munet.tasks.cache.splits import Splits

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def recorded_answers(
    models: "ModelLoader",
    task: str,
    split: str = "test",
    *,
    device: str = "auto",
    splits: Splits | None = None,
    each: Callable[[], None] = lambda: None,
) -> Answers:
    """What the retained model of a task says of one of its splits; images are named by their number in it.

    Classes that the task has and its model does not know yet have probability 0. `splits` are used where they are
    given, so that who wants the images too has them decoded once; `each` is called for each image. InputError where
    the task has no model, or its images are gone or changed.
    """
    model, record = resolve(models.store, task), models.store.read_task(task)
    held = (splits or Splits()).get(record, split, models.manifest(model)["hyperparameters"]["image_size"])
    if held.check is not None:
        held.check(np.arange(len(held.images)))
    predictor = Predictor(models, [model], device)
    found = predictor.predict(_told(held.images, each))[0].probabilities.double().numpy()
    unknown = len(record["classes"]) - found.shape[1]
    names = [f"{split} {number}" for number in range(len(held.labels))]
    return Answers(np.pad(found, ((0, 0), (0, unknown))), np.asarray(held.labels), record["classes"], names)


def _told(images: Iterable[np.ndarray], each: Callable[[], None]) -> Iterator[np.ndarray]:
    for image in images:
        each()
        yield image
