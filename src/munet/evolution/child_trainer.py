"""Where children are trained: takes litters, gives back trained layers. Reads layers and images, writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch

from munet.evolution.jobs import Job, Litter, Result
from munet.evolution.origins import build_layers
from munet.model.loader import Library
from munet.model.network import Network
from munet.model.staged import stage_names
from munet.provenance import now
from munet.store.layer_file import serialize
from munet.tasks.cache.splits import Splits
from munet.training import FeatureCache, Outcome, Trainee, train_litter

Told = Callable[[int, int, float], None]  # (child, cycle, validation accuracy)


@dataclass(frozen=True)
class Setting:
    """How a run trains its children, all of them. Only `threads`, and what the device rounds, touch the result."""

    device: str
    threads: int
    cache_memory: int  # bytes of activations to keep
    reuse: bool  # False: the slow path, which shares and keeps nothing
    allow_changed: bool  # data that changed since its task was added is accepted


class Nursery:
    """Trains litters on one device, and keeps between them what the next ones may need."""

    def __init__(self, library: Library, setting: Setting, splits: Splits | None = None) -> None:
        self.library = library
        self.setting = setting
        self.splits = splits or Splits(allow_changed=setting.allow_changed)
        self._cache = FeatureCache(setting.cache_memory) if setting.reuse else None
        self._told = 0  # of the notes about splits

    def raise_litter(
        self, litter: Litter, on_cycle: Told | None = None, note: Callable[[str], None] = lambda text: None
    ) -> list[Result]:
        """Train the children of a litter."""
        torch.set_num_threads(self.setting.threads)
        began, started = perf_counter(), now()
        jobs, size = litter.jobs, litter.jobs[0].image_size
        outcomes = train_litter(
            [self._trainee(job) for job in jobs],
            self.splits.get(litter.task, "train", size),
            self.splits.get(litter.task, "validation", size, litter.validation_cap),
            key=litter.order,
            device=self.setting.device,
            on_cycle=None if on_cycle is None else lambda i, cycle, accuracy: on_cycle(jobs[i].number, cycle, accuracy),
            cache=self._cache,
            note=note,
            names=self._names(litter.task),
            kind=f"{self.library.root}",
        )
        self._pass_on(note)
        packed = [_pack(outcome) for outcome in outcomes]
        spent = [outcome.train_seconds + outcome.validation_seconds for outcome in outcomes]
        other = (perf_counter() - began - sum(spent)) / len(jobs)
        return [
            Result(job.number, replace(outcome, layers={}, momentum={}), *files, started, seconds + other)
            for job, outcome, files, seconds in zip(jobs, outcomes, packed, spent, strict=True)
        ]

    def _pass_on(self, note: Callable[[str], None]) -> None:
        """What there is to say about the splits, each thing once."""
        for sentence in self.splits.notes[self._told :]:
            note(sentence)
        self._told = len(self.splits.notes)

    def _trainee(self, job: Job) -> Trainee:
        layers = build_layers(self.library, job.child.origins, job.key)
        network = Network(self.library.architecture, layers, job.image_size, job.child.trainable)
        network = network.on(self.setting.device, job.recipe.precision)
        momentum = {slot: self.library.layer(layer) for slot, layer in job.child.momentum.items()}
        names = stage_names(network, job.child.shared) if self.setting.reuse else None
        return Trainee(network, job.recipe, momentum, names, job.keep_momentum)

    def _names(self, task: Mapping[str, Any]) -> tuple[str, str]:
        """The task's splits by content."""
        splits = task["splits"]
        return tuple(f"{task['fingerprint']} {name} {splits[name]['ranges']}" for name in ("train", "validation"))  # type: ignore[return-value]


def _pack(outcome: Outcome) -> tuple[dict[str, bytes], dict[str, bytes]]:
    pairs = outcome.layers, outcome.momentum
    layers, momentum = ({slot: serialize(tensors) for slot, tensors in group.items()} for group in pairs)
    return layers, momentum
