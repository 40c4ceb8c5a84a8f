"""Performs a sequence: one system grows through its segments. The same call goes on where it stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.evolution.options import Where
from munet.experiments.outcome import summary
from munet.experiments.running import add_tasks, prepare
from munet.experiments.sequences import SegmentRun, Sequence, segment_runs, settings_of
from munet.fs.atomic import write_atomic

if TYPE_CHECKING:
    from munet.evolution.events import Event

BUDGET, METHOD = "sequence", "continual"  # places in the folders of results, beside those of grids


def folder(out: Path, sequence: Sequence, seed: int) -> Path:
    """Where a sequence's system and result lie."""
    return out / sequence.name / BUDGET / METHOD / str(seed)


def grow(
    sequence: Sequence,
    out: Path,
    seed: int,
    data: Path | None,
    where: Where,
    *,
    begin: Callable[[SegmentRun], None] = lambda one: None,
    observe: Callable[["Event"], None] = lambda event: None,
    reading: Callable[[str], None] = lambda task: None,
) -> dict[str, Any]:
    """Bring a sequence to its end and return its result. `begin` is called before each run."""
    place = folder(out, sequence, seed)
    result = place / "result.json"
    if not result.exists():
        benchmark = sequence.benchmark()
        system = prepare(place / "system", benchmark, data)
        segments: dict[str, str] = {}
        for one in segment_runs(sequence, system):
            run = one.run
            if run is None:
                from munet.evolution.start import evolve

                names = one.segment.tasks()
                add_tasks(system, [task for task in benchmark.tasks if task.name in names], data, reading)
                begin(one)
                evolve(
                    system,
                    names,
                    one.segment.spec.base,
                    settings=settings_of(one, system),
                    seed=seed,
                    where=where,
                    observer=observe,
                )
                run = system.store.runs()[-1]
            segments[run] = one.segment.name
        config = {"benchmark": sequence.name, "budget": BUDGET, "method": METHOD, "seed": seed}
        value = config | summary(system, benchmark, segments)
        write_atomic(result, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")
    return json.loads(result.read_bytes())
