"""What the page's charts show, from the tables of the analysis."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.analysis import costs
from munet.analysis import learning as learned
from munet.analysis import progress as whole
from munet.analysis import settings as tuned
from munet.analysis.alternatives import HEAD, RETAINED, TUNED, Way, alternatives
from munet.analysis.flow import ancestor_counts
from munet.analysis.growth import growth
from munet.analysis.lineage import descent
from munet.analysis.sharing import shared_layers
from munet.report.page.network import ROOT, STRANGER
from munet.report.page.texts import ident, shown, value_text
from munet.report.page.values import column, plain, rounded

if TYPE_CHECKING:
    import pandas as pd

    from munet.analysis import History
    from munet.analysis.snapshot import Snapshot

_FIXED = ("image_size",)  # always shown, even where only one value was ever tried
_OF_STEPS = (  # what no head in closed form depends on; the crops and colours of its views count
    *("learning_rate", "schedule", "warmup_ratio", "momentum", "nesterov"),
    *("optimiser", "weight_decay", "layer_decay", "head_rate", "margin"),
)


def sharing(history: "History", names: list[str]) -> list[list[int]]:
    """Task by task: layers that both models have. 0 where a task has no model."""
    table = shared_layers(history).reindex(index=names, columns=names, fill_value=0)
    return table.to_numpy().tolist()


def flow(history: "History", names: list[str]) -> list[list[int]]:
    """Task by task: ancestors of the first's model that were trained for the second."""
    table = ancestor_counts(history).reindex(index=names, columns=names, fill_value=0)
    return table.to_numpy().tolist()


def settings(history: "History", one: "Snapshot") -> dict[str, list[dict[str, Any]]]:
    """How often each value of a hyperparameter was retained, and the values along each lineage."""
    grid, start = _space(one)
    idle = _OF_STEPS if _no_steps(one) else ()
    counted: dict[str, dict[Any, int]] = {}
    for name, value, count in zip(*_lists(tuned.distributions(history), "name", "value", "count"), strict=True):
        if name not in idle:
            counted.setdefault(name, {})[value] = count
    distributions, schedules = [], []
    for name, counts in counted.items():
        lines = _lines(one, name)
        met = {value for line in lines for _, value in line}
        values = _ordered([*grid.get(name, ()), *counts, *met])
        if len(values) < 2 and name not in _FIXED:
            continue
        place = {_key(value): number for number, value in enumerate(values)}
        texts = [value_text(value) for value in values]
        begin = place.get(_key(start[name])) if name in start else None
        numbers = [counts.get(value, 0) for value in values]
        distributions.append({"name": shown(name), "values": texts, "counts": numbers, "default": begin})
        placed = [[[step, place[_key(value)]] for step, value in line] for line in lines]
        schedules.append({"name": shown(name), "values": texts, "lines": placed})
    return {"distributions": distributions, "schedules": schedules}


def _no_steps(one: "Snapshot") -> bool:
    """Whether it is recorded of all children that they were trained on nothing: their heads are in closed form."""
    samples = one.sampled.columns["samples"]
    return bool(samples) and all(number == 0 for number in samples)


def _space(one: "Snapshot") -> tuple[Mapping[str, list[Any]], Mapping[str, Any]]:
    """Values that a method may choose from and those it begins with, as the last run's record has them."""
    methods = [run.request.get("method") for run in one.sampled.runs]
    method = next((m for m in reversed(methods) if isinstance(m, Mapping)), {})
    return method.get("space") or {}, method.get("defaults") or {}


def _lines(one: "Snapshot", name: str) -> list[list[tuple[int, Any]]]:
    """(step, value) along the lineage of each task's model, the oldest first."""
    values = one.sampled.columns.get(f"hp.{name}")
    lines = []
    for record in one.records:
        model = one.retained.get(record["name"]) if values else None
        steps = [a.step for a in descent(one, model.id)] if model else []
        found = [(step, values[step]) for step in reversed(steps) if values and step is not None]
        lines.append([(step, value) for step, value in found if value is not None])
    return lines


def _key(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def _ordered(values: list[Any]) -> list[Any]:
    found = {_key(value): value for value in values if isinstance(value, bool | int | float | str)}
    words = any(isinstance(value, str) for value in found.values())
    return sorted(found.values(), key=str if words else float)


def mutation_probabilities(history: "History") -> dict[str, list[dict[str, Any]]] | None:
    """Learned probabilities by depth with their line, and histograms; None where no model has learned any."""
    if not len(history.probabilities):
        return None
    depths = []
    for kind, of in (("clone", "block"), ("clone", "adapter"), ("insert", "adapter")):
        found = tuned.by_depth(history, kind, of)
        points = [
            {"block": p.block, "mean": rounded(p.mean), "count": len(p.probabilities)}
            | {"low": rounded(min(p.probabilities)), "high": rounded(max(p.probabilities))}
            for p in found.points
        ]
        fit = None if found.slope is None else {"slope": found.slope, "intercept": found.intercept}
        if points:
            depths.append({"kind": f"{kind} {of}", "points": points, "fit": fit})
    bars: dict[str, list[tuple[float, int]]] = {}
    table = tuned.probability_histograms(history)
    for mutation, probability, count in zip(*_lists(table, "mutation", "probability", "count"), strict=True):
        if "." not in mutation:  # single blocks are shown by depth
            bars.setdefault(mutation, []).append((rounded(probability), count))
    return {
        "by_depth": depths,
        "histograms": [
            {"mutation": shown(mutation), "values": [value for value, _ in counts], "counts": [n for _, n in counts]}
            for mutation, counts in sorted(bars.items(), key=lambda item: (not item[0].startswith("clone"), item[0]))
        ],
    }


def learning(history: "History", names: list[str]) -> list[dict[str, Any]]:
    """Accuracy over validations along each task's line, where each model of it begins, and the selected one."""
    found: dict[str, dict[str, Any]] = {}
    tests = dict(zip(*_lists(history.tasks, "task", "test_accuracy"), strict=True))
    last: dict[str, Any] = {}
    rows = zip(*_lists(learned.curves(history), "task", "accuracy", "step", "selected"), strict=True)
    for task, accuracy, step, selected in rows:
        place = {"task": names.index(task), "accuracies": [], "starts": [], "selected": None}
        curve = found.setdefault(task, place | {"test_accuracy": plain(tests[task])})
        number = len(curve["accuracies"])
        if number == 0 or plain(step) != last[task]:
            curve["starts"].append(number)
        if selected:
            curve["selected"] = number
        curve["accuracies"].append(rounded(accuracy))
        last[task] = plain(step)
    return sorted(found.values(), key=lambda curve: curve["task"])


def rejected(history: "History", names: list[str]) -> dict[str, Any]:
    """Verdicts on the children of each task: best, accepted, and rejected by reason, the commonest first."""
    rows = list(zip(*_lists(costs.rejected(history), "task", "reason", "children"), strict=True))
    sums: dict[str, int] = {}
    for _, reason, number in rows:
        sums[reason] = sums.get(reason, 0) + number
    reasons = sorted(sums, key=lambda reason: (-sums[reason], reason))
    counts = {name: [0] * (2 + len(reasons)) for name in names}
    for task, accepted, best in zip(*_lists(history.children, "task", "accepted", "best"), strict=True):
        if task in counts and (accepted or best):
            counts[task][0 if best else 1] += 1
    for task, reason, number in rows:
        if task in counts:
            counts[task][2 + reasons.index(reason)] += number
    return {"reasons": [shown(reason) for reason in reasons], "by_task": [counts[name] for name in names]}


def spent(history: "History", names: list[str]) -> dict[str, Any]:
    """Seconds (training, validation, other) and FLOPs (the first two) by task; parameters by who trained them."""
    number = {name: place for place, name in enumerate(names)} | {"root": ROOT}
    seconds, flops = [[0, 0, 0] for _ in names], [[0, 0] for _ in names]
    table = costs.spent(history)
    parts = _lists(table, "train_seconds", "validation_seconds", "other_seconds", "train_flops", "validation_flops")
    for task, *spent_on in zip(*_lists(table, "task"), *parts, strict=True):
        if task in names:
            seconds[number[task]], flops[number[task]] = column(spent_on[:3]), column(spent_on[3:])
    rows = zip(*_lists(costs.parameters(history), "task", "trained"), strict=True)
    parameters = [[number[task], round(size)] for task, size in rows if task in number]
    return {"seconds": seconds, "flops": flops, "parameters": parameters}


def progress(history: "History", names: list[str]) -> list[dict[str, Any]]:
    """The whole system after each task iteration (Figure 3)."""
    number, one = {name: place for place, name in enumerate(names)}, history.one()
    settled = {(step, task): model for step, task, model in growth(history).settled}
    settled |= {place: end["model"] for place, end in one.sampled.ends.items()}
    keys = (
        *("iteration", "tasks", "mean_validation_accuracy", "mean_test_accuracy", "parameters_per_task"),
        *("flops_per_task", "samples", "seconds", "flops_spent", "derived"),
    )
    table = whole.progress(history)
    rows = zip(*_lists(table, "run", "step", "task", *keys), strict=True)
    found = []
    for run, step, task, *values in rows:
        row = dict(zip(keys, map(plain, values), strict=True))
        model = settled.get((run, task, row["iteration"])) or settled.get((step, task))
        found.append({"task": number.get(task, STRANGER), **_retained(one, model), **row})
    return found


def _retained(one: "Snapshot", model: str | None) -> dict[str, Any]:
    """The model that a task iteration left its task with."""
    step = one.step_of.get(model or "")
    validation = None if step is None else one.sampled.columns["accuracy"][step]
    return {"model": ident(model), "validation_accuracy": validation, "test_accuracy": one.tests.get(model or "")}


def ways(one: "Snapshot", others: "Sequence[Snapshot]") -> list[list[dict[str, Any]]]:
    """For each task what was measured of it: its head alone, fine-tuned, what it has, what other systems have."""
    found = alternatives(one, others)
    same = {name for name in (HEAD, TUNED) if all(_is_retained(of_task, name) for of_task in found)}
    return [[_shown_way(way) for way in of_task if way["way"] not in same] for of_task in found]


def _is_retained(of_task: Sequence[Way], name: str) -> bool:
    """Whether a way is what the task has, or was not measured: then there is nothing to compare."""
    models = {way["way"]: way["model"] for way in of_task}
    return name not in models or (models[name] is not None and models[name] == models.get(RETAINED))


def _shown_way(way: Way) -> dict[str, Any]:
    return {key: value for key, value in way.items() if key != "model"} | {"way": shown(way["way"])}


def _lists(table: "pd.DataFrame", *names: str) -> list[list[Any]]:
    return [table[name].tolist() for name in names]
