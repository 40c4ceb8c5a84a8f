"""Performs a sequence: one system grows through its segments. The same call goes on where it stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.evolution.options import Where
from munet.experiments.outcome import summary
from munet.experiments.running import add_tasks, prepare
from munet.experiments.sequences import Sequence, Turn, settings_of, turns
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
    begin: Callable[[Turn], None] = lambda turn: None,
    observe: Callable[["Event"], None] = lambda event: None,
    reading: Callable[[str], None] = lambda task: None,
) -> dict[str, Any]:
    """Bring a sequence to its end and return its result. `begin` hears of each turn before it is trained."""
    place = folder(out, sequence, seed)
    result = place / "result.json"
    if not result.exists():
        benchmark = sequence.benchmark()
        system = prepare(place / "system", benchmark, data)
        segments: dict[str, str] = {}
        for turn in turns(sequence, system):
            run = turn.run
            if run is None:
                from munet.evolution.loop import evolve

                names = turn.segment.tasks()
                add_tasks(system, [task for task in benchmark.tasks if task.name in names], data, reading)
                begin(turn)
                evolve(
                    system,
                    names,
                    turn.segment.spec.base,
                    settings=settings_of(turn, system),
                    seed=seed,
                    where=where,
                    observer=observe,
                )
                run = system.store.runs()[-1]
            segments[run] = turn.segment.name
        config = {"benchmark": sequence.name, "budget": BUDGET, "method": METHOD, "seed": seed}
        value = config | summary(system, benchmark, segments)
        write_atomic(result, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")
    return json.loads(result.read_bytes())
