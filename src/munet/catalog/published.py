"""What the papers report for whole benchmarks, as data, so that tables can put it beside our results."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from munet.catalog.tasks import read_file


@dataclass(frozen=True)
class Published:
    """One row of a paper's table. Accuracies from 0 to 1, on test, as the mean over the tasks of the benchmark."""

    method: str
    """As `munet experiment` names it."""
    benchmark: str
    max: float
    """Best repetition; `mean` and `std` are over all of them."""
    mean: float
    std: float
    repetitions: int
    parameters_per_task: float
    source: str
    flops_per_task: float | None = None
    """Of one image; a multiply-add counts as two."""
    core_hours: float | None = None
    """TPUv3 core hours of a repetition."""
    tasks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Means over repetitions of each task, in the benchmark's order, by part: validation, test."""
    deviations: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Standard deviations of `tasks`."""


def published(benchmark: str | None = None) -> tuple[Published, ...]:
    """Rows of one benchmark, or all, in the order of the papers' tables."""
    values = read_file("published")
    rows = [
        row
        | {key: {part: tuple(numbers) for part, numbers in row.get(key, {}).items()} for key in ("tasks", "deviations")}
        | {"source": values["sources"][row["source"]]}
        for row in values["result"]
    ]
    return tuple(Published(**row) for row in rows if benchmark in (None, row["benchmark"]))
