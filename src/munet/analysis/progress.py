"""Quality, size and compute of a whole system after each task iteration (Figure 3)."""

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from munet.analysis.children import Place
from munet.analysis.columns import FLAG, ITERATIONS, NUMBER, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.growth import Moment, growth
from munet.analysis.paths import Layer
from munet.analysis.snapshot import Snapshot
from munet.store.derived import mean_of_known

if TYPE_CHECKING:
    import pandas as pd

_MEANS = tuple(ITERATIONS)[10:16]  # tasks and the means over them
PROGRESS: Schema = {
    "system": TEXT,
    "point": WHOLE,
    "step": NUMBER,
    "run": TEXT,
    "task": TEXT,
    "iteration": WHOLE,
    "samples": NUMBER,
    "seconds": NUMBER,
    "flops_spent": NUMBER,
    **dict.fromkeys(_MEANS, NUMBER),
    "derived": FLAG,
}


def progress(history: History) -> "pd.DataFrame":
    """One row for each task iteration that is over, with what the system had come to and what that had taken in all.

    As recorded then. Where there is no such record (imported or older systems) it is `derived` from the children: test
    accuracies and sizes are then NaN where they are not known of every task.
    """
    return table(PROGRESS, (row for one in history.readings.values() for row in _points(history, one)))


def _points(history: History, one: Snapshot) -> Iterator[list[Any]]:
    sampled = one.sampled
    spent = [list(accumulate(values)) for values in _spent(one)]
    network: _Network | None = None
    for point, place in enumerate(_places(one)):
        steps, end = sampled.steps.get(place), sampled.ends.get(place)
        last = steps[-1] if steps else None
        totals = [None] * 3 if last is None else [values[last] for values in spent]
        if end is not None:
            means = [(end.get("system") or {}).get(name) for name in _MEANS]
        else:
            network = network or _Network(history, one)
            means = network.at(last or 0)
        yield [one.label, point, last, *place, *totals, *means, end is None]


def _places(one: Snapshot) -> list[Place]:
    """Task iterations that are over, in order of time."""
    order = {run.name: number for number, run in enumerate(one.sampled.runs)}
    over = {run.name for run in one.sampled.runs if run.finished is not None and not run.abandoned}
    places = dict.fromkeys([*one.sampled.steps, *one.sampled.ends])
    known = [place for place in places if place in one.sampled.ends or place[0] in over]
    last = len(one.sampled)
    return sorted(known, key=lambda place: (order.get(place[0], last), (one.sampled.steps.get(place) or [last])[-1]))


def _spent(one: Snapshot) -> Iterator[list[float]]:
    """Of each child: samples, seconds, FLOPs."""
    columns = one.sampled.columns
    seconds = [columns[f"{part}_seconds"] for part in ("train", "validation", "other")]
    flops = [columns[f"{part}_flops"] for part in ("train", "validation")]
    for parts in ([columns["samples"]], seconds, flops):
        yield [sum(value or 0 for value in values) for values in zip(*parts, strict=True)]


class _Network:
    """The best models of all tasks while time goes on."""

    def __init__(self, history: History, one: Snapshot) -> None:
        self.one = one
        self.growth = growth(history, one.label)
        self.done = 0  # moments
        self.now: dict[str, Moment] = {}

    def at(self, step: int) -> list[Any]:
        """The values of `_MEANS`; steps may only ascend."""
        moments = self.growth.moments
        while self.done < len(moments) and moments[self.done].step <= step:
            moment = moments[self.done]
            self.now[moment.task] = moment
            self.done += 1
        there = [moment for moment in self.now.values() if moment.path != {}]
        layers = self._layers(there)
        sizes = [layer.parameters for layer in layers.values()] if layers is not None else [None]
        unique = None if None in sizes else sum(size or 0 for size in sizes)
        tests = [self.one.tests.get(moment.model or "") for moment in there]
        flops = [self._flops(moment) for moment in there]
        per_task = None if unique is None or not there else unique / len(there)
        accuracies = [moment.accuracy for moment in there]
        return [len(there), _mean(accuracies), _mean(tests), unique, per_task, _mean(flops)]

    def _layers(self, moments: list[Moment]) -> dict[str, Layer] | None:
        if any(moment.path is None for moment in moments):
            return None
        return {id: self.growth.layers[id] for moment in moments for id in (moment.path or {}).values()}

    def _flops(self, moment: Moment) -> float | None:
        if moment.model in self.one.models:
            return self.one.models[moment.model].metrics.get("flops")
        return None if moment.sampled is None else self.one.sampled.columns["flops"][moment.sampled]


def _mean(values: list[float | None]) -> float | None:
    """None unless every value is known."""
    return None if None in values else mean_of_known(values)
