"""Training of children on one device: job groups in, trained layers out. Writes nothing but a trunk between cycles."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import torch

from munet.evolution.head_fit import body_of, fitted_head, plain
from munet.evolution.jobs import Job, JobGroup, Result, TrunkGroup, Work
from munet.evolution.new_head import NewHead, new_head
from munet.evolution.origins import initial_layers
from munet.evolution.trunk_trainer import split_name, train_trunk_group
from munet.model.loader import LayerSource
from munet.model.network import Network
from munet.model.staged import stage_names
from munet.provenance import now
from munet.store.layer_file import serialize
from munet.tasks.cache.splits import Splits
from munet.training import FeatureCache, ImageSet, OnCycle, Outcome, TrainItem, evaluate, train_together
from munet.training.optimiser import Layers


@dataclass(frozen=True)
class ComputeSettings:
    """How a run trains its children, all of them. Only `threads`, and what the device rounds, touch the result."""

    device: str
    threads: int
    cache_memory: int  # bytes of activations to keep
    reuse: bool  # False: the slow path, which shares and keeps nothing
    allow_changed: bool  # data that changed since its task was added is accepted


class ChildTrainer:
    """Trains job groups on one device; images and activations stay in memory for the groups that follow."""

    def __init__(self, layers: LayerSource, compute: ComputeSettings, splits: Splits | None = None) -> None:
        self.layers = layers
        self.compute = compute
        self.splits = splits or Splits(allow_changed=compute.allow_changed)
        self._cache = FeatureCache(compute.cache_memory) if compute.reuse else None
        self._noted = 0  # of the notes about splits

    def train(
        self, group: Work, on_cycle: OnCycle | None = None, note: Callable[[str], None] = lambda text: None
    ) -> list[Result]:
        """Train the children of a job group."""
        torch.set_num_threads(self.compute.threads)
        if isinstance(group, TrunkGroup):
            options = {"device": self.compute.device, "cache": self._cache, "on_cycle": on_cycle, "note": note}
            results = train_trunk_group(group, self.layers, self.splits, **options)
            self._pass_on(note)
            return results
        began, started = perf_counter(), now()
        jobs = group.jobs
        items = [self._train_item(group, job) for job in jobs]
        outcomes = (
            [self._untrained(group, jobs[0], items[0])]
            if jobs[0].untrained
            else self._trained(group, items, on_cycle, note)
        )
        heads = [self._new_head(group, job, outcome) for job, outcome in zip(jobs, outcomes, strict=True)]
        self._pass_on(note)
        packed = [_pack(outcome, head) for outcome, head in zip(outcomes, heads, strict=True)]
        spent = [outcome.train_seconds + outcome.validation_seconds for outcome in outcomes]
        other = (perf_counter() - began - sum(spent)) / len(jobs)
        return [
            Result(
                job.number,
                replace(outcome, layers={}, momentum={}),
                *files,
                started,
                seconds + other,
                head.accuracy if head else None,
            )
            for job, outcome, head, files, seconds in zip(jobs, outcomes, heads, packed, spent, strict=True)
        ]

    def _new_head(self, group: JobGroup, job: Job, outcome: Outcome) -> NewHead | None:
        if outcome.rejected:
            return None
        train = ImageSet.of(self.splits.get(group.task, "train", job.image_size), self.compute.device)
        validation = self.splits.get(group.task, "validation", job.image_size, group.validation_cap)
        return new_head(job, outcome.layers, self.layers, train, validation)

    def _trained(
        self, group: JobGroup, items: list[TrainItem], on_cycle: OnCycle | None, note: Callable[[str], None]
    ) -> list[Outcome]:
        jobs, size = group.jobs, group.jobs[0].image_size
        return train_together(
            items,
            self.splits.get(group.task, "train", size),
            self.splits.get(group.task, "validation", size, group.validation_cap),
            key=group.order,
            device=self.compute.device,
            on_cycle=None if on_cycle is None else lambda i, cycle, accuracy: on_cycle(jobs[i].number, cycle, accuracy),
            cache=self._cache,
            note=note,
            names=(split_name(group.task, "train"), split_name(group.task, "validation")),
            kind=f"{self.layers.root}",
        )

    def _untrained(self, group: JobGroup, job: Job, item: TrainItem) -> Outcome:
        """A child whose only new layer is its head in closed form."""
        clock = perf_counter()
        split = self.splits.get(group.task, "validation", job.image_size, group.validation_cap)
        pre, recipe = plain(job.recipe.preprocessing), job.recipe
        correct, examples = evaluate(
            item.network,
            split,
            pre,
            device=self.compute.device,
            precision=recipe.precision,  # type: ignore[arg-type]
        )
        head = {name: tensor.cpu() for name, tensor in item.network.trained_layers()["head"].items()}
        return Outcome(
            accuracies=[correct / examples],
            best_cycle=0,
            layers={"head": head},
            momentum={},
            samples=0,
            rejected=None,
            train_seconds=0.0,
            validation_seconds=perf_counter() - clock,
        )

    def _pass_on(self, note: Callable[[str], None]) -> None:
        """What there is to say about the splits, each thing once."""
        for sentence in self.splits.notes[self._noted :]:
            note(sentence)
        self._noted = len(self.splits.notes)

    def _train_item(self, group: JobGroup, job: Job) -> TrainItem:
        tensors = initial_layers(self.layers, job.child.origins, job.key)
        if job.head is not None:
            data = ImageSet.of(self.splits.get(group.task, "train", job.image_size), self.compute.device)
            name, kind = split_name(group.task, "train"), self.layers.root
            options = {"name": name, "kind": kind, "cache": self._cache}
            body = body_of(job, tensors)
            tensors["head"] = fitted_head(job, job.head, body, data, self.layers.architecture, **options)
        network = Network(self.layers.architecture, tensors, job.image_size, job.child.trainable)
        network = network.on(self.compute.device, job.recipe.precision, job.recipe.step)
        momentum = {slot: self.layers.layer(layer) for slot, layer in job.child.momentum.items()}
        names = stage_names(network, job.child.shared) if self.compute.reuse else None
        return TrainItem(network, job.recipe, momentum, names, job.keep_momentum)


def _pack(outcome: Outcome, head: NewHead | None) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Layers and momentum as files, with the new head where that answers no worse."""
    layers, momentum = outcome.layers, outcome.momentum
    if head is not None and head.is_kept(outcome.accuracies[outcome.best_cycle]):
        layers = {**layers, "head": head.layer}
        momentum = {slot: buffers for slot, buffers in momentum.items() if slot != "head"}  # those of another head
    return _files(layers), _files(momentum)


def _files(layers: Layers) -> dict[str, bytes]:
    return {slot: serialize(tensors) for slot, tensors in layers.items()}
