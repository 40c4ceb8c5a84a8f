"""The network while it grew: when each task's best model changed, and of which layers it was then (A3-A6).

The axis of time is the step, the number of a child in the order in which all were sampled. A *moment* is a step at
which the picture changes; the network at any step is the last moment of each task up to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from munet.analysis.children import Place, Run
from munet.analysis.frames import History
from munet.analysis.paths import Layer, Paths, Slots
from munet.analysis.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Moment:
    """From `step` on, `model` is the best of `task`. It was sampled at `sampled`, mostly the same step."""

    step: int
    task: str
    model: str | None  # None also where the model's id is not known
    sampled: int | None
    accuracy: float | None  # on the validation split
    path: Slots | None  # slot -> id of a layer; None: not known, show the path before; empty: no model any more


@dataclass(frozen=True)
class Growth:
    """All moments in order of time, and the layers in their paths by id.

    `settled` are (step, task, model) of what task iterations retained when they ended.
    """

    moments: tuple[Moment, ...]
    layers: Mapping[str, Layer]
    settled: tuple[tuple[int, str, str | None], ...]
    notes: tuple[str, ...]


_KNOWN: "WeakKeyDictionary[Snapshot, Growth]" = WeakKeyDictionary()


def growth(history: History, system: str | None = None) -> Growth:
    """How the network of one system grew; worked out once for a history."""
    one = history.one(system)
    if one not in _KNOWN:
        _KNOWN[one] = _grown(one)
    return _KNOWN[one]


def moments(history: History, system: str | None = None) -> tuple[Moment, ...]:
    """The steps at which the picture changes, in order of time. The last ones make the network as it is."""
    return growth(history, system).moments


def best_at(history: History, step: int, system: str | None = None) -> dict[str, Moment]:
    """Task -> its best model at a step, be it retained in the end or not, in the order of the tasks."""
    found = {moment.task: moment for moment in moments(history, system) if moment.step <= step}
    order = [record["name"] for record in history.one(system).records]
    return {task: found[task] for task in order if task in found and found[task].path != {}}


def paths_at(history: History, step: int, system: str | None = None) -> dict[str, dict[str, Layer]]:
    """Task -> slot -> layer of its best model at a step; where that is not known, of the one before."""
    known, found = growth(history, system), dict[str, Slots]()
    for moment in known.moments:
        if moment.step <= step and moment.path is not None:
            found[moment.task] = moment.path
    return {task: {slot: known.layers[id] for slot, id in path.items()} for task, path in found.items() if path}


def retained_at(history: History, step: int, system: str | None = None) -> dict[str, str]:
    """Task -> the model that its last task iteration up to a step retained; at the last step those of `status()`."""
    one = history.one(system)
    found = {task: model for when, task, model in growth(history, system).settled if when <= step}
    if step >= len(one.sampled) - 1:
        found = {record["name"]: record.get("model") for record in one.records}
    return {task: model for task, model in found.items() if model is not None}


def _grown(one: Snapshot) -> Growth:
    walk, paths, found, unknown = _Walk(one), Paths(one), list[Moment](), 0
    for step, task, (sampled, model) in sorted(walk.changes, key=lambda change: change[0]):
        path: Slots | None = {}
        if model is not None and model in one.models:
            path = paths.of_model(model)
        elif sampled is not None:
            path = paths.of_step(sampled)
        elif model is not None:
            path = None
        unknown += path is None
        found.append(Moment(step, task, model, sampled, _accuracy(one, model, sampled), path))
    missing = "a model that was" if unknown == 1 else f"{unknown} models that were"
    notes = [f"the layers of {missing} the best for a while are not known any more"] if unknown else []
    used = {id for moment in found for id in (moment.path or {}).values()}
    layers = {id: layer for id, layer in paths.layers.items() if id in used}
    return Growth(tuple(found), layers, tuple(walk.settled), tuple(notes))


def _accuracy(one: Snapshot, model: str | None, sampled: int | None) -> float | None:
    if sampled is not None:
        return one.sampled.columns["accuracy"][sampled]
    return one.models[model].metrics.get("validation_accuracy") if model in one.models else None


Known = tuple[int | None, str | None]  # the step at which a model was sampled, and its id
NOTHING: Known = (None, None)


class _Walk:
    """All runs of a system, one after another."""

    def __init__(self, one: Snapshot) -> None:
        self.one = one
        self.last = max(0, len(one.sampled) - 1)
        self.now: dict[str, Known] = {}  # task -> its best model
        self.retained: dict[str, Known] = {}
        self.changes: list[tuple[int, str, Known]] = []  # of the best model, in order of time
        self.settled: list[tuple[int, str, str | None]] = []  # of the retained one
        for run in one.sampled.runs:
            if run.imported:
                self._import(run)
            for place in one.sampled.places(run):
                self._iteration(run, place)
        for record in one.records:
            if record.get("active") is None and record.get("model") != self.now.get(record["name"], NOTHING)[1]:
                self._change(self.last, record["name"], self._known(record.get("model")))

    def _known(self, model: str | None) -> Known:
        return (None if model is None else self.one.step_of.get(model)), model

    def _change(self, step: int, task: str, model: Known) -> None:
        self.now[task] = model
        self.changes.append((step, task, model))

    def _settle(self, step: int, task: str) -> None:
        self.retained[task] = self.now.get(task, NOTHING)
        self.settled.append((step, task, self.retained[task][1]))

    def _children(self, steps: Iterable[int]) -> None:
        columns, best = self.one.sampled.columns, self.one.marks[0]
        for step in steps:
            if best[step]:
                self._change(step, columns["task"][step], (step, columns["model"][step]))

    def _import(self, run: Run) -> None:
        columns, retained = self.one.sampled.columns, self.one.marks[1]
        self._children(run.steps)
        for step in run.steps:
            task, end = columns["task"][step], run.steps.stop - 1
            if retained[step]:
                if self.now.get(task) != (step, columns["model"][step]):
                    self._change(end, task, (step, columns["model"][step]))
                self._settle(end, task)

    def _iteration(self, run: Run, place: Place) -> None:
        steps, end, task = self.one.sampled.steps[place], self.one.sampled.ends.get(place), place[1]
        self._children(steps)
        if end is not None and end["model"] != self.now.get(task, NOTHING)[1]:
            self._change(steps[-1], task, self._known(end["model"]))
        elif end is None and run.abandoned and self.now.get(task) != self.retained.get(task):
            self._change(min(steps[-1] + 1, self.last), task, self.retained.get(task, NOTHING))
        if end is not None or run.finished is not None:
            self._settle(steps[-1], task)
