"""Run records as columns: every child ever sampled, in order of time. Each file is read once."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from munet.analysis.child_fields import RECORDED, Source, read_child
from munet.analysis.columns import Columns
from munet.analysis.present_names import PresentNames
from munet.errors import DamagedError
from munet.store.run_files import FINISHED, ends_iteration, generation_of
from munet.store.run_records import read_config, read_finished, read_generation, read_iteration
from munet.store.schema import ChildRecord, FinishedRecord, GenerationRecord, IterationRecord, RunRecord

if TYPE_CHECKING:
    from munet.store import Store

Place = tuple[str, str, int]
"""A task iteration: run, task, iteration within the run."""


@dataclass(frozen=True)
class Run:
    """One call of `evolve`, or an import; `steps` are those of its children."""

    name: str
    config: RunRecord
    finished: FinishedRecord | None
    steps: range

    @property
    def request(self) -> Mapping[str, Any]:
        return self.config.get("request") or {}

    @property
    def imported(self) -> bool:
        return "import" in self.request

    @property
    def method(self) -> str | None:
        """Name of the method; of an import, that of the code."""
        return self.request.get("import") or (self.request.get("method") or {}).get("name")

    @property
    def keeps_first(self) -> bool:
        """Whether of equally good models the first is the best, not the newest."""
        if self.imported:
            return self.method == "munet"
        return (self.request.get("method") or {}).get("keep_best") == "first"

    @property
    def abandoned(self) -> bool:
        return bool(self.finished and self.finished.get("abandoned"))


@dataclass
class Sampled:
    """All runs of a system. `columns` has one value for each child; `ends` are the task iterations that are over."""

    columns: Columns = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    ends: dict[Place, IterationRecord] = field(default_factory=dict)
    steps: dict[Place, list[int]] = field(default_factory=dict)  # of each task iteration

    def __len__(self) -> int:
        return len(self.columns["task"])

    def places(self, run: Run) -> list[Place]:
        """The task iterations of a run in order of time; those of an import cannot be separated, and are left out."""
        return [] if run.imported else [place for place in self.steps if place[0] == run.name]


def read_runs(store: "Store", note: Callable[[str], None], tick: Callable[[], None]) -> Sampled:
    """Read all runs of a system, the oldest first. Damaged records are left out, each with a note.

    `tick` is called for each record of a generation or a task iteration.
    """
    found, names = Sampled({name: [] for name, _ in RECORDED}), PresentNames(store)
    for name in store.runs():
        try:
            _read_run(store, name, names, found, note, tick)
        except DamagedError as error:
            note(str(error))
    for step, place in enumerate(zip(*(found.columns[key] for key in ("run", "task", "iteration")), strict=True)):
        found.steps.setdefault(place, []).append(step)
    return found


def _read_run(
    store: "Store",
    name: str,
    names: PresentNames,
    found: Sampled,
    note: Callable[[str], None],
    tick: Callable[[], None],
) -> None:
    config = read_config(store, name)
    files = store.run_files(name)
    finished = read_finished(store, name) if FINISHED in files else None
    first = len(found)
    run = Run(name, config, finished, range(first, first))
    records = list[GenerationRecord]()
    for file in _ordered(files, run.request.get("tasks") or ()):
        tick()
        try:
            records.append(read_generation(store, name, file))
        except DamagedError as error:
            note(str(error))
    called = names.of(records)
    for record in records:
        now = called.get((record["task"], record["iteration"]), record["task"])
        for child in record.get("children", ()):
            _add(found.columns, run, {**record, "task": now}, child)
    found.runs.append(Run(name, config, finished, range(first, len(found))))
    if run.imported:
        _sort_imported(found.columns, first)
    for file in files:
        if ends_iteration(file):
            tick()
            try:
                record = read_iteration(store, name, file)
            except DamagedError as error:
                note(str(error))
                continue
            task = called.get((record["task"], record["iteration"]), record["task"])
            found.ends[sys.intern(name), sys.intern(task), record["iteration"]] = {**record, "task": task}


def _ordered(files: list[str], tasks: Any) -> Iterator[str]:
    """Files of generations in the order in which they were trained: one task iteration of each task in turn."""
    place_of = {task: number for number, task in enumerate(tasks)}
    places = []
    for number, file in enumerate(files):
        place = generation_of(file)
        if place is not None:
            order = place_of.get(place.task, len(place_of))
            places.append((place.iteration, order, place.generation, number, file))
    return (file for *_, file in sorted(places))


def _add(columns: Columns, run: Run, record: GenerationRecord, child: ChildRecord) -> None:
    """One more row: a value for every column, also for those of hyperparameters that only other children have."""
    count = len(columns["task"])
    row = read_child(Source(run.name, run.method, record, child))
    for name in row:
        if name not in columns:  # a hyperparameter that no child before had
            columns[name] = [None] * count
    for name, values in columns.items():
        values.append(row.get(name))


def _sort_imported(columns: Columns, first: int) -> None:
    """Order an imported run by time: by the numbers of its models, or where agents counted for themselves, by clock."""
    paths = columns["path"][first:]
    if all(path is not None and path.isdecimal() for path in paths):
        keys = [(int(path), "") for path in paths]
    elif all(columns["started"][first:]):
        keys = [(0, started) for started in columns["started"][first:]]
    else:
        return
    order = sorted(range(len(keys)), key=keys.__getitem__)
    for values in columns.values():
        part = values[first:]
        values[first:] = [part[index] for index in order]
