"""Who descends from whom: ancestors of a model (A12, A13), the tree of all (A11), inherited weights (A14)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from munet.analysis.columns import ANY, FLAG, NUMBER, TEXT, WHOLE, Schema, table
from munet.analysis.frames import History
from munet.analysis.snapshot import Snapshot
from munet.errors import InputError, suggest
from munet.model.slots import parse, slot_order

if TYPE_CHECKING:
    import pandas as pd

TREE: Schema = {
    "system": TEXT,
    "task": TEXT,
    "step": WHOLE,
    "score": NUMBER,
    "parent_step": WHOLE,
    "parent_score": NUMBER,
    "retained": FLAG,
}
TRANSFERS: Schema = {
    "system": TEXT,
    "task": TEXT,
    "model": TEXT,
    "slot": TEXT,
    "kind": TEXT,
    "block": NUMBER,
    "depth": WHOLE,
    "trained": WHOLE,
    "through": ANY,
    "trainers": ANY,
}


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model in a line of descent. `task` None is the root; the root and what no record tells of have no `step`."""

    model: str | None
    step: int | None
    task: str | None
    accuracy: float | None  # on the validation split
    score: float | None


def find(history: History, word: str, system: str | None = None) -> str:
    """Model id behind a task's name (its retained model), `root`, or the beginning of an id. InputError for others."""
    one = history.one(system)
    models = {record["name"]: record.get("model") for record in one.records}
    if word in models:
        if models[word] is None:
            raise InputError(f"task '{word}' has no model yet: `munet evolve` gives it one", kind="no-model")
        return str(models[word])
    if word == "root":
        return one.root
    found = [model for model in one.models if model.startswith(word)] if len(word) >= 4 else []
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{word!r} is the start of {len(found)} model ids: give more digits")
    raise InputError(
        f"no task or model '{word}'{suggest(word, models)}; tasks: {', '.join(models)}", kind="unknown-model"
    )


def line(history: History, model: str, system: str | None = None) -> list[Ancestor]:
    """A model, by what `find` takes, and its ancestors, the root last."""
    one = history.one(system)
    return list(descent(one, find(history, model, system)))


def ancestors(history: History, model: str, system: str | None = None) -> list[Ancestor]:
    """The ancestors of a model, its parent first and the root last."""
    return line(history, model, system)[1:]


def ancestor_tasks(history: History, task: str, system: str | None = None) -> list[str]:
    """The tasks met on the way from a task's model up to the root, each once, the nearest first (A13)."""
    return list(dict.fromkeys(one.task for one in line(history, task, system) if one.task is not None))


def descent(one: Snapshot, model: str | None, step: int | None = None) -> Iterator[Ancestor]:
    """Up from a model to the root, by records where there are any: they also tell of models that are gone."""
    columns, stored, seen = one.sampled.columns, None, set[int]()
    step = one.step_of.get(model) if step is None and model is not None else step
    while model is not None or step is not None:
        stored = one.models.get(model or "", stored)
        if step in seen:  # no table that munet wrote goes in a circle
            return
        if step is not None:
            seen.add(step)
            measures = columns["accuracy"][step], columns["score"][step]
            yield Ancestor(columns["model"][step], step, columns["task"][step], *measures)
            model, step = columns["parent"][step], one.parent_steps[step]
            if model is None and step is None and stored is not None:  # an import does not tell whose child it was
                model = stored.parent
        elif model in one.models:
            manifest = one.models[model]
            metrics = manifest.metrics
            yield Ancestor(model, None, manifest.task, metrics.get("validation_accuracy"), metrics.get("score"))
            model = manifest.parent
        else:
            return
        if step is None and model is not None:
            step = one.step_of.get(model)
        elif step is not None:
            model = columns["model"][step]


def tree(history: History) -> "pd.DataFrame":
    """A line for each child from its parent's place to its own: step over score, in all systems (A11).

    Scores as they were when the models were sampled. `retained` lines lead to a model that its task has now. Children
    of the root, and those without a score, have no line.
    """
    rows = []
    for one in history.readings.values():
        columns, steps = one.sampled.columns, set[int]()
        for model in one.retained:
            steps |= {a.step for a in descent(one, one.retained[model].id) if a.step is not None}
        for step, parent in enumerate(one.parent_steps):
            if parent is not None and columns["score"][step] is not None:
                place = (step, columns["score"][step], parent, columns["score"][parent])
                rows.append((one.label, columns["task"][step], *place, step in steps))
    return table(TREE, rows)


def transfers(history: History) -> "pd.DataFrame":
    """For each slot of each retained model, the tasks through which its weights came (A14).

    `through` as in the published notebook: going up from the model, whenever an ancestor does not have the layer that
    is followed, its task is one of them, and its layer of the same slot is followed from there on. `trainers` are those
    that trained the weights, one after another. Neither holds the root. `depth` and `trained` count them.
    """
    rows = []
    for one in history.readings.values():
        for task, model in one.retained.items():
            for slot in sorted(model.layers, key=slot_order):
                through, trainers = _way(one, model.id, slot)
                place = (one.label, task, model.id, slot, *parse(slot)[:2])
                rows.append((*place, len(through), len(trainers), through, trainers))
    return table(TRANSFERS, rows)


def _way(one: Snapshot, model: str, slot: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    current, through, trainers = one.models[model], dict[str, None](), dict[str, None]()
    layer = current.layers[slot]
    trainers[one.trained_by(model)[slot]] = None
    while current.parent in one.models:
        current = one.models[current.parent]
        if layer in current.layers.values():
            continue
        if slot not in current.layers:
            break
        layer = current.layers[slot]
        trainers[one.trained_by(current.id)[slot]] = None
        if current.task is not None:
            through[current.task] = None
    return tuple(through), tuple(task for task in trainers if task != "root")
