"""One run of an experiment: its system is made, given its tasks, evolved, and summed up. Again, it goes on."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.catalog import Benchmark, Task, add, load_benchmark, root_address, weights_file
from munet.evolution.options import Where
from munet.experiments.budgets import load_budget, settings_for
from munet.experiments.grid import Run
from munet.experiments.outcome import summary
from munet.fs.atomic import make_folder, write_atomic
from munet.store.run_records import ended_by_itself

if TYPE_CHECKING:
    from munet.evolution.events import Event
    from munet.system import System


def perform(
    run: Run,
    data: Path | None,
    where: Where,
    observe: Callable[["Event"], None] = lambda event: None,
    reading: Callable[[str], None] = lambda task: None,
) -> dict[str, Any]:
    """Bring a run to its end and return its result. What is done already is not done again.

    `data` is the folder of local image sets (docs/catalog.md); `reading` hears of each task before its images are read.
    """
    if not run.finished:
        benchmark = load_benchmark(run.benchmark)
        system = prepare(run.system, benchmark, data)
        add_tasks(system, benchmark.tasks, data, reading)
        settings = settings_for(run.spec, load_budget(run.budget), benchmark)
        if not _evolved(system):
            from munet.evolution.start import evolve

            evolve(
                system,
                method=run.spec.base,
                settings=settings,
                seed=run.seed,
                where=where,
                observer=observe,
            )
        config = {"benchmark": run.benchmark, "budget": run.budget, "method": str(run.spec), "seed": run.seed}
        result = config | {"settings": settings} | summary(system, benchmark)
        write_atomic(run.result, json.dumps(result, indent=1, ensure_ascii=False).encode() + b"\n")
    return json.loads(run.result.read_bytes())


def prepare(path: Path, benchmark: Benchmark, data: Path | None) -> "System":
    """The system of a benchmark's root, made if it is not there yet."""
    from munet.system import System

    make_folder(path.parent)
    if (path / "munet.json").exists():
        return System.open(path)
    root = root_address(benchmark, data)
    weights = weights_file(benchmark, data)
    return System.create(path, root, depth=benchmark.depth, image_size=benchmark.image_size, weights=weights)


def add_tasks(
    system: "System",
    tasks: Iterable[Task],
    data: Path | None,
    reading: Callable[[str], None] = lambda task: None,
) -> None:
    """Add those tasks of a benchmark that the system lacks."""
    for task in tasks:
        if not system.store.has_task(task.name):
            reading(task.name)
            add(system, task, data)


def _evolved(system: "System") -> bool:
    """Whether the run is over and only its result is missing."""
    return any(ended_by_itself(system.store, run) for run in system.store.runs())
