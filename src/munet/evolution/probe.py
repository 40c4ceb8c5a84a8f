"""Evidence of a task before anything is trained for it: whose features a closed-form head reads best (ours)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from munet.evolution.head_features import Body, FeatureReader, columns
from munet.evolution.head_fit import some_rows
from munet.evolution.image_kind import kind_of
from munet.evolution.trunk_trainer import split_name
from munet.evolution.work import VIEWS_FOR_MIRRORS, images_for_evidence
from munet.rng import Key, numpy_rng, torch_rng
from munet.search import Method
from munet.search.adaptive import Evidence, Mirrored, Probe, asks_of_mirrors
from munet.search.space import HEAD_FEATURES
from munet.store.schema import TaskRecord
from munet.training.closed_form import Evidence as HeldOut
from munet.training.closed_form import hold_out
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ComputeSettings
    from munet.model.loader import ModelLoader
    from munet.tasks.cache.splits import Splits


@dataclass(frozen=True)
class _Sample:
    """Training images of a task that a probe reads."""

    reader: FeatureReader
    pre: Preprocessing
    rows: np.ndarray
    labels: torch.Tensor
    classes: int
    key: Key

    def held_out(self, features: torch.Tensor) -> HeldOut:
        return hold_out(features, self.labels, self.classes, numpy_rng(*self.key, "folds"))


class Prober:
    """Probes tasks of one run; what it found of a task it remembers."""

    def __init__(
        self, models: "ModelLoader", splits: "Splits", compute: "ComputeSettings", precision: str, step: str
    ) -> None:
        self._models, self._splits, self._compute = models, splits, compute
        self._precision, self._step = precision, step
        self._cache = FeatureCache(compute.cache_memory) if compute.reuse else None
        self._known: dict[tuple[str, tuple[str, ...]], Evidence] = {}

    def evidence(
        self, record: TaskRecord, key: Key, others: Sequence[str], image_size: int, *, most: int, method: Method
    ) -> Evidence:
        """What a task's training images say of the root and of at most so many of `others`, retained models by id.

        `key` names the stream that draws the images; `method` says what is asked.
        """
        others = self._alike(others, image_size, most)
        found = self._known.get((record["name"], tuple(others)))
        if found is None:
            torch.set_num_threads(self._compute.threads)
            found = self._probe(record, key, others, image_size, method)
            self._known[record["name"], tuple(others)] = found
        return found

    def _probe(self, record: TaskRecord, key: Key, others: Sequence[str], image_size: int, method: Method) -> Evidence:
        split = self._splits.get(record, "train", image_size)
        sample = self._sample(ImageSet.of(split, self._compute.device), record, key, image_size)
        candidates = [self._models.root, *others]
        bodies = [self._body(model) for model in candidates]
        found = sample.reader.read(self._models.architecture, bodies, sample.rows)
        patches = method.head_features == "probe" and self._models.architecture.global_pool == "token"
        choices = HEAD_FEATURES if patches else HEAD_FEATURES[:1]
        probes = [self._best(model, values, sample, choices) for model, values in zip(candidates, found, strict=True)]
        images, kind = split.images.shape[0], kind_of(split)
        evidence = Evidence(tuple(probes), kind, images, sample.classes, len(sample.rows) * len(candidates))
        if not asks_of_mirrors(method, kind):
            return evidence
        mirror = self._mirror(evidence, bodies[0], found[0], sample)
        return replace(evidence, mirror=mirror, read=evidence.read + (VIEWS_FOR_MIRRORS - 1) * len(sample.rows))

    def _sample(self, data: ImageSet, record: TaskRecord, key: Key, image_size: int) -> "_Sample":
        classes, kind = len(record["classes"]), self._models.kind
        rows = some_rows(len(data), images_for_evidence(classes), numpy_rng(*key, "probe"))
        pre = Preprocessing(image_size=image_size, mean=kind.mean, std=kind.std)
        name = split_name(record, "train")
        reader = FeatureReader(
            data, pre, name=name, cache=self._cache, precision=self._precision, kind=self._models.root, step=self._step
        )
        return _Sample(reader, pre, rows, data.labels[torch.from_numpy(rows)].cpu(), classes, key)

    def _best(self, model: str, features: torch.Tensor, sample: "_Sample", choices: Sequence[str]) -> Probe:
        width, task = self._models.architecture.width, self._models.manifest(model)["task"]
        probes = []
        for choice in choices:
            evidence = sample.held_out(columns(features, width, choice))
            facts = (evidence.nll, evidence.error, evidence.temperature, evidence.shrinkage)
            probes.append(Probe(model, task, *facts, choice))
        return min(probes, key=lambda probe: probe.nll)

    def _mirror(self, evidence: Evidence, body: Body, features: torch.Tensor, sample: "_Sample") -> Mirrored:
        """Equal crops beside the images, as they are and mirrored: what differs is what a mirror does."""
        architecture = self._models.architecture
        crops = replace(sample.pre, **{**evidence.changes, "flip": False})
        nll = list[float]()
        for mirrored in (False, True):
            draws = torch_rng(*sample.key, "crops")
            view = sample.reader.read_augmented(architecture, body, sample.rows, crops, draws, mirrored=mirrored)
            views = columns(torch.stack((features, view), 1), architecture.width, evidence.root.features)
            nll.append(sample.held_out(views).nll)
        return Mirrored(*nll, images=len(sample.rows))

    def _body(self, model: str) -> Body:
        ids = self._ids(model)
        return Body({slot: self._models.layer(layer) for slot, layer in ids.items()}, ids)

    def _alike(self, others: Sequence[str], image_size: int, most: int) -> list[str]:
        """At most so many of the others, the newest: those of this input size, and with features of their own.

        A model that is the root with another head has the root's features, and all paths through a trunk have the same.
        """
        known, fit = [self._ids(self._models.root)], list[str]()
        for model in reversed(others):
            if len(fit) >= most:
                break
            size, ids = self._models.manifest(model)["hyperparameters"]["image_size"], self._ids(model)
            if size == image_size and ids not in known:
                known.append(ids)
                fit.append(model)
        return fit[::-1]

    def _ids(self, model: str) -> dict[str, str]:
        """The layers of a model below its head, by slot."""
        return {slot: layer for slot, layer in self._models.manifest(model)["layers"].items() if slot != "head"}
