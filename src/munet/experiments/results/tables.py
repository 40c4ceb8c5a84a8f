"""The papers' tables as data: columns with units, typed cells, footnotes. `render.py` turns them into text.

`methods_table` has a row for each method, `tasks_table` one for each task, `differences_table` compares with one
method. Accuracies are fractions, parameters and FLOPs plain numbers, until they are rendered.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from munet.experiments.results.footnotes import Footnotes, remarks_of, tasks_differ
from munet.experiments.results.read import Result, Runs, tasks_of
from munet.experiments.results.statistics import LEVEL, Summary, mean, paired, summarise
from munet.rng import numpy_rng
from munet.tables.table import RANGE, SPREAD, Cell, Column, Label, Range, Spread, Table, Values

if TYPE_CHECKING:
    from munet.catalog.published import Published


def omniglots(runs: Runs) -> list[str]:
    """Tasks without which a second mean is shown unless somebody asks for something else."""
    return [task for task in tasks_of(runs) if "omniglot" in task.lower()]


def mean_accuracy(result: Result, part: str, without: Sequence[str] = ()) -> float | None:
    """Unweighted mean over the tasks of a run but those named; None if none is left."""
    found = [accuracy for task, accuracy in result.accuracies(part).items() if task not in without]
    return mean(found) if found else None


def over_seeds(results: Sequence[Result], part: str, without: Sequence[str] = ()) -> Summary | None:
    """Mean accuracy over tasks, summarised over runs."""
    means = [mean_accuracy(result, part, without) for result in results]
    found = [value for value in means if value is not None]
    return summarise(found) if found else None


# The tables


def methods_table(runs: Runs, without: Sequence[str] = ()) -> Table:
    """Quality, size and compute of each method."""
    notes = Footnotes(runs)
    every = notes.marks(tasks_of(runs))
    columns = [
        Column("method", "method"),
        Column("seeds", "seeds", "count"),
        Column("test_max", "test max %", "percent", "accuracy", every),
        Column("test_mean", "mean", "percent", "accuracy", every),
        Column("test_range", "range", "percent", "accuracy", every, RANGE),
        Column("test_std", "std", "percent", "accuracy", every),
        Column("validation_mean", "val. mean %", "percent", "accuracy", every),
        Column("parameters_per_task", "parameters / task", "count", "cost"),
        Column("flops_per_task", "MFLOPs / task", "mflops", "cost"),
        Column("device_hours", "device hours", "hours", "cost"),
        Column("samples_per_task", "samples / task", "count", "cost"),
        Column("flops_spent", "TFLOPs spent", "tflops", "cost"),
    ]
    if without:
        rest = notes.marks(task for task in tasks_of(runs) if task not in without)
        title = f"mean without {', '.join(without)}"
        columns.insert(6, Column("test_mean_without", title, "percent", "accuracy", rest))
    rows = tuple(_method_row(method, results, without) for method, results in runs.items())
    return Table(
        "methods", "Quality, size and compute of each method", tuple(columns), rows, notes.texts, remarks_of(runs)
    )


def _method_row(method: str, results: Sequence[Result], without: Sequence[str]) -> tuple[Cell, ...]:
    test, validation = over_seeds(results, "test"), over_seeds(results, "validation")
    assert test is not None
    assert validation is not None  # a result has tasks
    rest, several = over_seeds(results, "test", without), len(results) > 1
    return (
        Label(method),
        len(results),
        test.high,
        test.mean,
        Range(test.low, test.high) if several else None,
        test.std if several else None,
        *([rest.mean if rest else None] if without else []),
        validation.mean,
        mean(result.parameters_per_task for result in results),
        mean(result.flops_per_task for result in results),
        mean(result.device_hours for result in results),
        mean(result.samples_per_task for result in results),
        mean(result.total_flops for result in results),
    )


def tasks_table(runs: Runs, part: Literal["test", "validation"], without: Sequence[str] = ()) -> Table:
    """Accuracy on each task, mean and range over seeds, a column for each method."""
    notes = Footnotes(runs)
    tasks = tasks_of(runs)
    rows: list[tuple[Cell, ...]] = [
        (Label(task, notes.marks([task])), *(_task_cell(results, part, task) for results in runs.values()))
        for task in tasks
    ]
    sums: list[tuple[str, Sequence[str]]] = [("mean", ())]
    if without:
        sums.append((f"mean without {', '.join(without)}", without))
    for title, left_out in sums:
        marks = notes.marks(task for task in tasks if task not in left_out)
        cells = [_spread(over_seeds(results, part, left_out)) for results in runs.values()]
        rows.append((Label(title, marks), *cells))
    columns = (Column("task", "task"), *(Column(method, method, "percent", parts=SPREAD) for method in runs))
    title = f"{part.capitalize()} accuracy of each task, %"
    remarks = ("Mean over seeds, in brackets the lowest and the highest.", *tasks_differ(runs))
    return Table(part, title, columns, tuple(rows), notes.texts, remarks, len(sums))


def _task_cell(results: Sequence[Result], part: str, task: str) -> Spread | None:
    found = [accuracies[task] for result in results if task in (accuracies := result.accuracies(part))]
    return _spread(summarise(found)) if found else None


def _spread(summary: Summary | None) -> Spread | None:
    return None if summary is None else Spread(summary.mean, summary.low, summary.high)


def differences_table(runs: Runs, against: str, without: Sequence[str] = ()) -> Table:
    """Test accuracy of each method minus that of `against`, over the seeds and tasks that both have."""
    notes = Footnotes(runs)
    every = notes.marks(tasks_of(runs))
    columns = [
        Column("method", "method"),
        Column("seeds", "seeds", "count", "all"),
        Column("tasks", "tasks", "count", "all"),
        Column("difference", "difference", "points", "all", every),
        Column("interval", f"{LEVEL:.0%} interval", "points", "all", every, RANGE),
        Column("by_seed", "of each seed", "points", "all", every),
        Column("ahead", "tasks ahead", "count", "all"),
        Column("behind", "behind", "count", "all"),
    ]
    if without:
        rest = notes.marks(task for task in tasks_of(runs) if task not in without)
        title = f"without {', '.join(without)}"
        columns.append(Column("difference_without", title, "points", "without", rest))
        columns.append(Column("interval_without", f"{LEVEL:.0%} interval", "points", "without", rest, RANGE))
    rows = [_difference_row(method, runs, against, without) for method in runs if method != against]
    pairs = max((int(row[1]) * int(row[2]) for row in rows if isinstance(row[1], int) and isinstance(row[2], int)),
                default=0)  # fmt: skip
    remarks = (
        f"Percentage points of test accuracy over {against}, paired by seed and task (up to {pairs} pairs).",
        "Intervals: percentile bootstrap over seeds and over tasks. Of one seed it is over tasks alone, and of few "
        "seeds it is too narrow, so look at the difference of each seed too.",
    )
    return Table("differences", f"Against {against}", tuple(columns), tuple(rows), notes.texts, remarks)


def _difference_row(method: str, runs: Runs, against: str, without: Sequence[str]) -> tuple[Cell, ...]:
    ours, theirs = ({r.seed: r.accuracies("test") for r in runs[name]} for name in (method, against))
    # a stream for each pair of methods, so that an interval does not depend on which others are in the table
    key = ("bootstrap", method, against)
    found = paired(ours, theirs, numpy_rng(*key))
    width = 9 if without else 7
    if found is None:
        return (Label(method), 0, *([None] * (width - 1)))
    cells: list[Cell] = [
        Label(method),
        len(found.seeds),
        len(found.tasks),
        found.mean,
        found.interval and Range(*found.interval),
        Values(found.by_seed),
        found.ahead,
        found.behind,
    ]
    if without:
        rest = paired(ours, theirs, numpy_rng(*key, *without), without=without)
        cells += [rest and rest.mean, rest and rest.interval and Range(*rest.interval)]
    return tuple(cells)


def published_table(runs: Runs, rows: "Sequence[Published]") -> Table:
    """What the papers report, beside our means where the same method was run; the source of each row as a footnote."""
    sources = list(dict.fromkeys(row.source for row in rows))
    columns = (
        Column("method", "method"),
        Column("published_max", "published max %", "percent", "accuracy"),
        Column("published_mean", "mean", "percent", "accuracy"),
        Column("published_std", "std", "percent", "accuracy"),
        Column("repetitions", "runs", "count", "accuracy"),
        Column("test_mean", "our mean %", "percent", "accuracy", Footnotes(runs).marks(tasks_of(runs))),
        Column("published_parameters", "published parameters / task", "count", "size"),
        Column("parameters_per_task", "our parameters / task", "count", "size"),
        Column("published_flops", "published MFLOPs / task", "mflops", "size"),
        Column("flops_per_task", "our MFLOPs / task", "mflops", "size"),
        Column("core_hours", "TPUv3 core hours", "hours", "time"),
        Column("device_hours", "our device hours", "hours", "time"),
    )
    notes = Footnotes(runs).texts
    cells = tuple(
        _published_row(row, runs.get(row.method, ()), len(notes) + sources.index(row.source) + 1) for row in rows
    )
    theirs, ours = rows[0].benchmark, next(result for results in runs.values() for result in results)
    remarks = [f"Ours: {ours.benchmark} at budget {ours.budget}."]
    if ours.benchmark != theirs:
        remarks.append(f"{ours.benchmark} and {theirs} differ in their images, so that numbers are not to be compared.")
    title = f"What the papers report on {theirs}"
    return Table("published", title, columns, cells, (*notes, *sources), tuple(remarks))


def _published_row(row: "Published", ours: Sequence[Result], mark: int) -> tuple[Cell, ...]:
    def average(field: str) -> float | None:
        return mean(getattr(result, field) for result in ours) if ours else None

    test = over_seeds(ours, "test")
    return (
        Label(row.method, (mark,)),
        row.max,
        row.mean,
        row.std,
        row.repetitions,
        test and test.mean,
        row.parameters_per_task,
        average("parameters_per_task"),
        row.flops_per_task,
        average("flops_per_task"),
        row.core_hours,
        average("device_hours"),
    )
