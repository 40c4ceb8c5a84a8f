"""Several models of one task, on its validation images: which of them answers more of these right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from munet.inference.evaluate import content_of, steps_of
from munet.inference.prepared import preprocessing_of
from munet.store.schema import TaskRecord
from munet.tasks.cache.splits import Splits
from munet.training import EvalItem, evaluate_together
from munet.training.devices import choose_device

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def counts_of(
    models: "ModelLoader", record: TaskRecord, candidates: Sequence[str], device: str = "auto"
) -> tuple[dict[str, int], int]:
    """(model -> right answers, images). InputError where the images are not to be had."""
    place, splits, split = choose_device(device), Splits(), "validation"
    correct = dict[str, int]()
    for model in candidates:
        manifest = models.manifest(model)
        images = splits.get(record, split, manifest["hyperparameters"]["image_size"])
        item = EvalItem(steps_of(models, model, place, "fp32"), images, content_of(record, split))
        options = {"device": place, "batch_size": 512, "precision": "fp32", "fixed": True}
        ((correct[model], _),) = evaluate_together([item], preprocessing_of(models, manifest), **options)
    return correct, record["splits"][split]["examples"]
