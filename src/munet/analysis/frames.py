"""The tables of one or several systems. Everything the analysis shows is made from these."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from munet.analysis import columns as c
from munet.analysis import rows
from munet.analysis.child_fields import CHILDREN
from munet.analysis.snapshot import Progress, Snapshot
from munet.errors import InputError, suggest
from munet.store import Store
from munet.store.store import HasStore

if TYPE_CHECKING:
    import pandas as pd


class History:
    """A snapshot of systems as tables (pandas data frames), each made when it is first asked for; never change them.

    ```python
    history = munet.System.open("fleet").history()
    history.children.query("retained")[["step", "task", "accuracy"]]
    ```

    The column `system` holds the label under which a system was given. docs/analysis.md has all columns.
    """

    def __init__(self, readings: Mapping[str, Snapshot]) -> None:
        self.readings = dict(readings)

    @classmethod
    def of(cls, systems: "Mapping[str, HasStore | Store]", progress: Progress | None = None) -> "History":
        """Read systems, each under its label; `progress` is called with (done, in all) of the records of each."""
        if not systems:
            raise InputError("there is no system to look at: name one or more")
        return cls({label: Snapshot(label, _store(one), progress) for label, one in systems.items()})

    @property
    def systems(self) -> list[str]:
        """Labels of the systems."""
        return list(self.readings)

    @property
    def notes(self) -> list[str]:
        """What is damaged or missing, in a line each; in front the system's label where there are several."""
        several = len(self.readings) > 1
        return [f"{label}: {note}" if several else note for label, one in self.readings.items() for note in one.notes]

    def one(self, system: str | None = None) -> Snapshot:
        """The system of this label; without one, the only one. InputError where it is not clear which."""
        if system is None and len(self.readings) == 1:
            return next(iter(self.readings.values()))
        known = ", ".join(self.readings)
        if system is None:
            raise InputError(f"this shows one system at a time: choose one of {known}")
        if system not in self.readings:
            raise InputError(f"no system '{system}'{suggest(system, self.readings)}; there are {known}")
        return self.readings[system]

    @cached_property
    def tasks(self) -> "pd.DataFrame":
        """One row for each task; the numbers are those of `System.status()`."""
        return c.frame(c.TASKS, map(rows.tasks, self.readings.values()))

    @cached_property
    def children(self) -> "pd.DataFrame":
        """One row for every child ever sampled, in order of time."""
        return c.frame(CHILDREN, map(rows.children, self.readings.values()), more=c.SETTING)

    @cached_property
    def cycles(self) -> "pd.DataFrame":
        """One row for each validation of each child."""
        return c.frame(c.CYCLES, map(rows.cycles, self.readings.values()))

    @cached_property
    def mutations(self) -> "pd.DataFrame":
        """One row for each mutation of each child."""
        return c.frame(c.MUTATIONS, map(rows.mutations, self.readings.values()))

    @cached_property
    def models(self) -> "pd.DataFrame":
        """One row for each stored manifest: retained models, their ancestors, the root."""
        return c.frame(c.MODELS, map(rows.models, self.readings.values()))

    @cached_property
    def layers(self) -> "pd.DataFrame":
        """One row for each slot of each retained model."""
        return c.frame(c.LAYERS, map(rows.layers, self.readings.values()))

    @cached_property
    def probabilities(self) -> "pd.DataFrame":
        """One row for each mutation probability that a retained model learned."""
        return c.frame(c.PROBABILITIES, map(rows.probabilities, self.readings.values()))

    @cached_property
    def iterations(self) -> "pd.DataFrame":
        """One row for each task iteration that is over; systems older than these records, or imported, have none."""
        return c.frame(c.ITERATIONS, map(rows.iterations, self.readings.values()))

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """One row for each run."""
        return c.frame(c.RUNS, map(rows.runs, self.readings.values()))


def history(*systems: HasStore | Store | str | Path, progress: Progress | None = None) -> History:
    """The history of systems, open ones or paths; each is labelled with as much of its path as tells it apart.

    `progress` is called with (done, in all) of the records of each while they are read.
    """
    opened = [_store(one) for one in systems]
    return History.of(dict(zip(labels([one.path for one in opened]), opened, strict=True)), progress)


def _store(one: HasStore | Store | str | Path) -> Store:
    if isinstance(one, str | Path):
        return Store.open(one)
    return one if isinstance(one, Store) else one.store


def labels(paths: list[Path]) -> list[str]:
    """The last parts of paths, as few as tell all of them apart."""
    for count in range(1, max((len(path.parts) for path in paths), default=1)):
        found = ["/".join(path.parts[-count:]) for path in paths]
        if len(set(found)) == len(paths):
            return found
    return [str(path) for path in paths]
