"""Training in this process, one litter after another."""

from collections.abc import Iterator, Sequence

from munet.evolution.child_trainer import Nursery, Setting
from munet.evolution.executors.choose import Note, Told
from munet.evolution.jobs import Litter, Result
from munet.model.loader import Library
from munet.tasks.cache.splits import Splits


class LocalExecutor:
    """The executor that needs nothing."""

    workers = 1

    def __init__(self, library: Library, setting: Setting, splits: Splits | None = None) -> None:
        self._nursery = Nursery(library, setting, splits)

    def run(self, litters: Sequence[Litter], on_cycle: Told, note: Note) -> Iterator[Result]:
        for litter in litters:
            yield from self._nursery.raise_litter(litter, on_cycle, note)

    def close(self) -> None:
        """There is nothing to stop."""
