"""Training in this process, one job group after another."""

from collections.abc import Iterator, Sequence

from munet.evolution.child_trainer import ChildTrainer, ComputeSettings
from munet.evolution.executors.base import Note, OnCycle
from munet.evolution.jobs import Result, Work
from munet.model.loader import LayerSource
from munet.tasks.cache.splits import Splits


class LocalExecutor:
    """The executor that needs nothing."""

    workers = 1

    def __init__(self, layers: LayerSource, compute: ComputeSettings, splits: Splits | None = None) -> None:
        self._trainer = ChildTrainer(layers, compute, splits)

    def run(self, groups: Sequence[Work], on_cycle: OnCycle, note: Note) -> Iterator[Result]:
        for group in groups:
            yield from self._trainer.train(group, on_cycle, note)

    def close(self) -> None:
        """There is nothing to stop."""
