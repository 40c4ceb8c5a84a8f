"""The network while it grew: when each task's best model changed, and of which layers it was then (A3-A6).

The axis of time is the step, the number of a child in the order in which all were sampled. A *moment* is a step at
which the picture changes; the network at any step is the last moment of each task up to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from .frames import History
from .paths import Layer, Paths, Slots
from .reading import Reading


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
    """All moments in order of time, and the layers in their paths by id."""

    moments: tuple[Moment, ...]
    layers: Mapping[str, Layer]
    notes: tuple[str, ...]


_KNOWN: "WeakKeyDictionary[Reading, Growth]" = WeakKeyDictionary()


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
    found: dict[str, str | None] = {}
    if step >= len(one.sampled) - 1:
        found = {record["name"]: record.get("model") for record in one.records}
    elif one.sampled.ends:
        for place, end in sorted(one.sampled.ends.items(), key=lambda item: _over(one, item[0])):
            if _over(one, place) <= step:
                found[place[1]] = end["model"]
    else:
        found = {task: moment.model for task, moment in best_at(history, step, system).items()}
    return {task: model for task, model in found.items() if model is not None}


def _over(one: Reading, place: tuple[str, str, int]) -> int:
    """The last step of a task iteration."""
    return (one.sampled.steps.get(place) or [len(one.sampled)])[-1]


def _grown(one: Reading) -> Growth:
    paths, found, unknown = Paths(one), list[Moment](), 0
    for step, task, sampled, model in sorted(_changes(one), key=lambda change: change[0]):
        path: Slots | None = {}
        if model is not None and model in one.models:
            path = paths.of_model(model)
        elif sampled is not None:
            path = paths.of_step(sampled)
        elif model is not None:
            path = None
        unknown += path is None
        found.append(Moment(step, task, model, sampled, _accuracy(one, model, sampled), path))
    notes = [f"of {unknown} models that were the best for a while the layers are not known any more"] if unknown else []
    used = {id for moment in found for id in (moment.path or {}).values()}
    return Growth(tuple(found), {id: layer for id, layer in paths.layers.items() if id in used}, tuple(notes))


def _accuracy(one: Reading, model: str | None, sampled: int | None) -> float | None:
    if sampled is not None:
        return one.sampled.columns["accuracy"][sampled]
    return one.models[model].metrics.get("validation_accuracy") if model in one.models else None


Change = tuple[int, str, int | None, str | None]  # step, task, step of the model, model


def _changes(one: Reading) -> Iterator[Change]:
    """In the order of time, but that imported runs come first."""
    best, models = one.marks[0], one.sampled.columns["model"]
    runs = {run.name: run for run in one.sampled.runs}
    now: dict[str, tuple[int | None, str | None]] = {}  # task -> its best model
    settled: dict[str, tuple[int | None, str | None]] = {}  # task -> its retained model
    last = max(0, len(one.sampled) - 1)
    for run in one.sampled.runs:
        for step in run.steps if run.imported else ():
            if best[step]:
                task = one.sampled.columns["task"][step]
                now[task] = settled[task] = step, models[step]
                yield step, task, *now[task]
    for place, steps in one.sampled.steps.items():
        run, task, _ = place
        if runs[run].imported:
            continue
        for step in steps:
            if best[step]:
                now[task] = step, models[step]
                yield step, task, *now[task]
        end = one.sampled.ends.get(place)
        if end is not None and end["model"] != now.get(task, (None, None))[1]:
            model = end["model"]
            now[task] = None if model is None else one.step_of.get(model), model
            yield steps[-1], task, *now[task]
        elif end is None and runs[run].abandoned and now.get(task) != settled.get(task):
            now[task] = settled.get(task, (None, None))
            yield min(steps[-1] + 1, last), task, *now[task]
        if end is not None or runs[run].finished is not None:
            settled[task] = now.get(task, (None, None))
    for record in one.records:
        task, model = record["name"], record.get("model")
        if record.get("active") is None and model != now.get(task, (None, None))[1]:
            yield last, task, None if model is None else one.step_of.get(model), model
