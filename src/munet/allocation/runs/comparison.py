"""Finished runs side by side: a row for each configuration, over its seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from munet.allocation.runs.folder import RunFolder, text
from munet.errors import InputError
from munet.experiments.results.curves import Curve, Point
from munet.experiments.results.statistics import Summary, summarise
from munet.tables.table import RANGE, Cell, Column, Label, Range, Table

Summaries = Sequence[Mapping[str, Any]]
_APART = ("seed", "experiment", "method", "threads", "preset", "keep", "evaluate_train")


def read(folders: Sequence[Path]) -> tuple[list[dict[str, Any]], list[Path]]:
    """(summaries of the finished runs, folders of unfinished ones). InputError for a folder without a run."""
    finished, unfinished = [], []
    for path in folders:
        folder = RunFolder(path)
        folder.config()
        summary = folder.summary()
        if summary is None:
            unfinished.append(path)
        else:
            finished.append(summary)
    return finished, unfinished


def tables(summaries: Summaries, checkpoint: str = "best") -> list[Table]:
    """A table for each experiment, of the scores of its runs' "best" or "last" checkpoints.

    InputError where two runs have the same configuration and seed.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for summary in summaries:
        groups.setdefault(summary["request"].get("experiment", "runs from Python"), []).append(summary)
    return [_table(name, held, checkpoint) for name, held in groups.items()]


def _table(experiment: str, summaries: Summaries, checkpoint: str) -> Table:
    rows = by_configuration(summaries)
    measure = summaries[0]["measure"]
    columns = (
        Column("method", "method"),
        Column("seeds", "seeds", "count"),
        Column("test_mean", f"test {measure} %, mean", "percent", "scores"),
        Column("test_range", "range", "percent", "scores", parts=RANGE),
        Column("validation_mean", "validation %, mean", "percent", "scores"),
        Column("fraction_used", "used %", "percent", "allocation"),
        Column("similarity_within", "similarity within %", "percent", "allocation"),
        Column("similarity_across", "across %", "percent", "allocation"),
        Column("accounted_parameters", "parameters / task", "count", "cost"),
        Column("flops", "MFLOPs / task", "mflops", "cost"),
        Column("rounds", "rounds", "count", "cost"),
    )
    rounds = {summary["rounds"] for summary in summaries}
    remarks = [
        f"Scores of the {'best checkpoint by validation' if checkpoint == 'best' else 'last checkpoint'}, mean over "
        "tasks. Similarity: cosine of what two tasks use, mean over pairs within and across clusters.",
        *(["Runs differ in their number of rounds."] if len(rounds) > 1 else []),
    ]
    return Table(
        experiment,
        f"{experiment}: methods over seeds",
        columns,
        tuple(_row(label, held, checkpoint) for label, held in rows.items()),
        (),
        tuple(remarks),
    )


def _row(label: str, summaries: Summaries, checkpoint: str) -> tuple[Cell, ...]:
    held = [summary[checkpoint] for summary in summaries]
    test = _over([each["means"].get("test") for each in held])
    several = test is not None and test.count > 1

    def averaged(values: Sequence[float | None]) -> float | None:
        found = _over(values)
        return found.mean if found else None

    return (
        Label(label),
        len(summaries),
        test.mean if test else None,
        Range(test.low, test.high) if test and several else None,
        averaged([each["means"].get("validation") for each in held]),
        averaged([each["fraction_used"] for each in held]),
        averaged([each["similarity"]["within"] for each in held]),
        averaged([each["similarity"]["across"] for each in held]),
        averaged([each["accounted_parameters_per_task"] for each in held]),
        averaged([each["flops_per_task"] for each in held]),
        averaged([summary["rounds"] for summary in summaries]),
    )


def sizes(summaries: Summaries, checkpoint: str = "best") -> list[Curve]:
    """Test accuracy over accounted parameters per task, a point for each configuration, with the range over seeds."""
    found = []
    for label, held in by_configuration(summaries).items():
        chosen = [summary[checkpoint] for summary in held]
        test = _over([each["means"].get("test") for each in chosen])
        size = _over([each["accounted_parameters_per_task"] for each in chosen])
        if test and size:
            name = label.replace(
                " ", "+"
            )  # as the experiments name what varies of a method: it has the method's colour
            found.append(Curve(label, name, (Point(size.mean, test.mean, test.low, test.high),)))
    return found


def _over(values: Sequence[float | None]) -> Summary | None:
    found = [value for value in values if value is not None]
    return summarise(found) if found else None


def by_configuration(summaries: Summaries) -> dict[str, list[Mapping[str, Any]]]:
    """Runs that differ in nothing but their seed, by a label: the method, and what sets it apart from its like."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for summary in summaries:
        request = summary["request"]
        key = tuple((name, text(value)) for name, value in sorted(request.items()) if name != "seed")
        same = groups.setdefault(key, [])
        if any(other["request"].get("seed") == request.get("seed") for other in same):
            raise InputError(
                f"two runs are the same {request.get('method', 'run')} with seed {request.get('seed')}: name each once"
            )
        same.append(summary)
    requests = [held[0]["request"] for held in groups.values()]
    apart = _apart(requests)
    labels: dict[str, list[Mapping[str, Any]]] = {}
    for held in groups.values():
        request = held[0]["request"]
        method = request.get("method", "run")
        label = " ".join([method, *(f"{name}={text(request[name])}" for name in apart[method] if name in request)])
        while label in labels:  # they differ in something that no label names, such as threads
            label += "′"
        labels[label] = held
    return labels


def _apart(requests: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Method -> what its runs differ in."""
    values: dict[str, dict[str, set[str]]] = {}
    for request in requests:
        of_method = values.setdefault(request.get("method", "run"), {})
        for name in request.keys() - set(_APART):
            of_method.setdefault(name, set()).add(text(request[name]))
    order = list(dict.fromkeys(name for request in requests for name in request))
    return {method: [name for name in order if len(found.get(name, ())) > 1] for method, found in values.items()}
