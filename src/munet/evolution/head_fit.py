"""The head of a child in closed form, fitted to the features of the layers that the child begins with."""

from collections.abc import Mapping

import numpy as np
import torch

from munet.evolution.head_features import Body, FeatureReader, columns
from munet.evolution.jobs import HeadFit, Job
from munet.model.vit import ViTArchitecture
from munet.rng import numpy_rng, torch_rng
from munet.training.closed_form import fit, hold_out
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing

Tensors = dict[str, torch.Tensor]


def body_of(job: Job, tensors: Mapping[str, Tensors]) -> Body:
    """What a child begins with, but for its head."""
    origins = job.child.origins
    ids = {
        slot: str(origin.of) if origin.kind == "stored" else f"{job.key} {slot}"
        for slot, origin in origins.items()
        if slot != "head"
    }
    return Body({slot: tensors[slot] for slot in ids}, ids)


def plain(pre: Preprocessing) -> Preprocessing:
    """The same without augmentation."""
    return Preprocessing(image_size=pre.image_size, mean=pre.mean, std=pre.std, variant=pre.variant)


def fitted_head(
    job: Job,
    wanted: HeadFit,
    body: Body,
    data: ImageSet,
    architecture: ViTArchitecture,
    *,
    name: str,
    kind: str,
    cache: FeatureCache | None,
    stream: str = "head",
) -> Tensors:
    """The layer of the head: float32 `weight` and `bias` on the CPU. `name` says by content what the images are,
    `stream` which of the child's random streams draws."""
    recipe, rows = job.recipe, some_rows(len(data), wanted.examples, numpy_rng(*job.key, stream))
    pre = plain(recipe.preprocessing)
    reader = FeatureReader(data, pre, name=name, cache=cache, precision=recipe.precision, kind=kind, step=recipe.step)
    views = [reader.read(architecture, [body], rows)[0]]
    for number in range(1, wanted.views):
        generator = torch_rng(*job.key, stream, "view", number)
        views.append(reader.read_augmented(architecture, body, rows, recipe.preprocessing, generator))
    features = columns(torch.stack(views, dim=1), architecture.width, wanted.features)
    labels = data.labels[torch.from_numpy(rows)].cpu()
    evidence = hold_out(features, labels, wanted.classes, numpy_rng(*job.key, stream, "folds"))
    return fit(features, labels, wanted.classes, evidence, wanted.factor)


def some_rows(examples: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of at most so many examples, ascending; all of them where that is allowed."""
    if examples <= most:
        return np.arange(examples)
    return np.sort(rng.permutation(examples)[:most])
