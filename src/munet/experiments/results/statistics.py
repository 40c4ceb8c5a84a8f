"""Statistics of a few runs: spread over seeds, paired differences with an interval, where two curves cross."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.95
RESAMPLES = 10_000
_CHUNK = 1_000  # resamples at once, so that many tasks need no more memory


@dataclass(frozen=True)
class Summary:
    """Of one number over runs. `std` is the population standard deviation (divided by n), as the papers give it."""

    count: int
    mean: float
    low: float
    high: float
    std: float


@dataclass(frozen=True)
class Paired:
    """Differences of two methods on what both have done; positive: the first is ahead.

    mean      over all pairs (seed, task)
    interval  percentile bootstrap of that mean; None with a single pair, which says nothing of its own spread
    by_seed   mean over tasks, for each seed
    ahead     tasks on which the first is ahead in the mean over seeds; `behind` likewise
    """

    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    mean: float
    interval: tuple[float, float] | None
    by_seed: tuple[float, ...]
    ahead: int
    behind: int

    @property
    def pairs(self) -> int:
        return len(self.seeds) * len(self.tasks)


def summarise(values: Iterable[float]) -> Summary:
    """Mean, extremes and population standard deviation. ValueError without values."""
    found = list(values)
    if not found:
        raise ValueError("no values to summarise")
    # exact sums: the mean of equal values is that value, and their deviation zero
    return Summary(len(found), mean(found), min(found), max(found), statistics.pstdev(found))


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean, rounded once. ValueError without values."""
    return float(statistics.mean(values))


Scores = Mapping[int, Mapping[str, float]]  # seed -> task -> accuracy


def paired(
    ours: Scores,
    theirs: Scores,
    generator: "np.random.Generator",
    *,
    without: Sequence[str] = (),
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Paired | None:
    """Compare two methods over the seeds and tasks that both have; None if there are none.

    The interval is a percentile bootstrap over both factors: each resample draws seeds with replacement and, apart
    from that, tasks with replacement, and averages the differences of all drawn (seed, task). Tasks are drawn once for
    all seeds of a resample, because they are the same tasks in every seed: drawing them anew for each seed would count
    8 tasks x 3 seeds as 24 independent differences and make the interval too narrow (Owen, "The pigeonhole
    bootstrap", 2007). So the interval says how far the mean may lie with other seeds *and* other tasks of this kind.
    What it cannot say: 3 seeds are 3 values, and an interval of so few is too narrow by itself.
    """
    seeds = sorted(set(ours) & set(theirs))
    tasks = [
        task
        for task in (ours[seeds[0]] if seeds else ())
        if task not in without and all(task in scores[seed] for scores in (ours, theirs) for seed in seeds)
    ]
    if not tasks:
        return None
    table = [[ours[seed][task] - theirs[seed][task] for task in tasks] for seed in seeds]
    by_task = [mean(column) for column in zip(*table, strict=True)]
    several = len(seeds) * len(tasks) > 1
    return Paired(
        tuple(seeds),
        tuple(tasks),
        mean(value for row in table for value in row),
        bootstrap(table, generator, level=level, resamples=resamples) if several else None,
        tuple(mean(row) for row in table),
        sum(value > 0 for value in by_task),
        sum(value < 0 for value in by_task),
    )


def bootstrap(
    table: Sequence[Sequence[float]],
    generator: "np.random.Generator",
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Percentile interval of the mean of `table` (seeds, tasks), rows and columns resampled independently."""
    import numpy as np

    values_ST = np.asarray(table, dtype=np.float64)
    seeds, tasks = values_ST.shape
    means: list[np.ndarray] = []
    for first in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - first)
        # how often each seed and each task was drawn
        seeds_BS = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=count)
        tasks_BT = generator.multinomial(tasks, np.full(tasks, 1 / tasks), size=count)
        means.append(((seeds_BS @ values_ST) * tasks_BT).sum(axis=1) / (seeds * tasks))
    outside = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [outside, 1 - outside])
    return float(low), float(high)


Line = Sequence[tuple[float, float]]  # (x, y) with x > 0, in order of x


def crossings(first: Line, second: Line) -> list[float]:
    """Each x at which two lines cross, their points joined straight over log x. Only where both lines are."""
    low, high = (max(line[0][0] for line in (first, second)), min(line[-1][0] for line in (first, second)))
    grid = sorted({x for line in (first, second) for x, _ in line if low <= x <= high} | {low, high})
    if low > high:
        return []
    gaps = [(math.log(x), height(first, x) - height(second, x)) for x in grid]
    found: list[float] = []
    before: tuple[float, float] | None = None  # the last place where the lines were apart
    touched: float | None = None  # where they met since then
    for place, gap in gaps:
        if gap == 0:
            touched = place if touched is None else touched
            continue
        if before and before[1] * gap < 0:
            share = before[1] / (before[1] - gap)
            found.append(math.exp(before[0] + share * (place - before[0]) if touched is None else touched))
        before, touched = (place, gap), None
    return found


def height(line: Line, x: float) -> float:
    """y of `line` at x, which lies between its ends."""
    for (left, low), (right, high) in pairwise(line):
        if left <= x <= right and left < right:
            share = (math.log(x) - math.log(left)) / (math.log(right) - math.log(left))
            return low + share * (high - low)
    return next(y for place, y in line if place == x)
