"""Evidence of a task before anything is trained for it: whose features a closed-form head reads best (ours)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from munet.evolution.head_features import Body, FeatureReader, columns
from munet.evolution.head_fit import some_rows
from munet.evolution.image_kind import kind_of
from munet.evolution.trunk_trainer import split_name
from munet.evolution.work import images_for_evidence
from munet.rng import Key, numpy_rng
from munet.search.adaptive import Evidence, Probe
from munet.search.space import HEAD_FEATURES
from munet.store.schema import TaskRecord
from munet.training.closed_form import hold_out
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.preprocessing import Preprocessing

if TYPE_CHECKING:
    from munet.evolution.child_trainer import ComputeSettings
    from munet.model.loader import ModelLoader
    from munet.tasks.cache.splits import Splits


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
        self, record: TaskRecord, key: Key, others: Sequence[str], image_size: int, *, most: int, patches: bool
    ) -> Evidence:
        """What a task's training images say of the root and of at most so many of `others`, retained models by id.

        `key` names the stream that draws the images; `patches` whether a head may read the mean patch token.
        """
        others = self._alike(others, image_size, most)
        found = self._known.get((record["name"], tuple(others)))
        if found is None:
            torch.set_num_threads(self._compute.threads)
            found = self._probe(record, key, others, image_size, patches)
            self._known[record["name"], tuple(others)] = found
        return found

    def _probe(self, record: TaskRecord, key: Key, others: Sequence[str], image_size: int, patches: bool) -> Evidence:
        split = self._splits.get(record, "train", image_size)
        data, classes = ImageSet.of(split, self._compute.device), len(record["classes"])
        kind = self._models.kind
        pre = Preprocessing(image_size=image_size, mean=kind.mean, std=kind.std)
        name = split_name(record, "train")
        reader = FeatureReader(
            data, pre, name=name, cache=self._cache, precision=self._precision, kind=self._models.root, step=self._step
        )
        rows = some_rows(len(data), images_for_evidence(classes), numpy_rng(*key, "probe"))
        candidates = [self._models.root, *others]
        bodies = [self._body(model) for model in candidates]
        labels = data.labels[torch.from_numpy(rows)].cpu()
        found = reader.read(self._models.architecture, bodies, rows)
        choices = HEAD_FEATURES if patches and self._models.architecture.global_pool == "token" else HEAD_FEATURES[:1]
        probes = [
            self._best(model, values, labels, classes, key, choices)
            for model, values in zip(candidates, found, strict=True)
        ]
        return Evidence(tuple(probes), kind_of(split), len(data), classes, len(rows) * len(candidates))

    def _best(
        self, model: str, features: torch.Tensor, labels: torch.Tensor, classes: int, key: Key, choices: Sequence[str]
    ) -> Probe:
        width, task = self._models.architecture.width, self._models.manifest(model)["task"]
        probes = []
        for choice in choices:
            evidence = hold_out(columns(features, width, choice), labels, classes, numpy_rng(*key, "folds"))
            facts = (evidence.nll, evidence.error, evidence.temperature, evidence.shrinkage)
            probes.append(Probe(model, task, *facts, choice))
        return min(probes, key=lambda probe: probe.nll)

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
