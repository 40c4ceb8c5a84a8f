"""What a model is measured as when it is retained: its accuracy on the test split, and how sure it may be."""

from typing import TYPE_CHECKING

import torch

from munet.evolution.active_task import ActiveTask
from munet.evolution.runs import Run
from munet.inference.prepared import preprocessing_of
from munet.store.schema import ModelTest, model_test
from munet.tasks.cache.splits import Splits
from munet.training import evaluate, logits_of
from munet.training.temperature import fit_temperature

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def tested(models: "ModelLoader", run: Run, splits: Splits, active: ActiveTask, best: str) -> ModelTest:
    """Test accuracy of the model about to be retained, and the temperature of its answers, fitted on validation.

    A model is tested once, unless the images changed. Nothing is ever selected on it.
    """
    known = active.record["test"]
    if known and known["model"] == best and active.older is None:
        return known
    manifest = active.manifest(best)
    torch.set_num_threads(run.threads)  # as in training, wherever that was
    size = manifest["hyperparameters"]["image_size"]
    split = splits.get(active.record, "test", size)
    seen = splits.get(active.record, "validation", size, active.method.validation_cap)
    # what a person will get of it: in a fused run the numbers of training are not those of prediction
    precision = "fp32" if run.method.step == "fused" else run.request.precision
    network, pre = models.network(best).on(run.device, precision), preprocessing_of(models, manifest)
    options = {"device": run.device, "precision": precision, "fixed": True}
    correct, examples = evaluate(network, split, pre, **options)
    temperature = fit_temperature(logits_of(network, seen, pre, **options), torch.from_numpy(seen.labels))
    return model_test(best, correct / examples, examples, temperature)
