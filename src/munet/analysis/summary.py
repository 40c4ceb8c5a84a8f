"""The leaderboard (A1), the totals (A2), and what a run did to the tasks that were there before it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from munet.analysis.columns import NUMBER, TEXT, Schema, table
from munet.analysis.frames import History
from munet.analysis.growth import retained_at
from munet.analysis.snapshot import Model, Snapshot
from munet.errors import InputError
from munet.store.derived import Weight, mean_of_known, totals_of

if TYPE_CHECKING:
    import pandas as pd

_BOARD = (
    *("system", "task", "validation_accuracy", "test_accuracy", "score", "parameters", "accounted_parameters"),
    *("flops", "num_blocks", "image_size"),
)

CHANGES: Schema = {
    "task": TEXT,
    "model_before": TEXT,
    "model_after": TEXT,
    "score_before": NUMBER,
    "validation_accuracy_before": NUMBER,
    "test_accuracy_before": NUMBER,
    "score_after": NUMBER,
    "validation_accuracy_after": NUMBER,
    "test_accuracy_after": NUMBER,
}


def leaderboard(history: History) -> "pd.DataFrame":
    """One row for each task that has a model, in the order in which they were added (A1, A8)."""
    tasks = history.tasks
    return tasks.loc[tasks["model"].notna(), list(_BOARD)].reset_index(drop=True)


def totals(history: History, system: str | None = None) -> dict[str, Any]:
    """The results and the costs of a system (A2), as JSON values; what was not recorded is None.

    `mean_validation_accuracy`, `mean_test_accuracy`, `unique_parameters`, `parameters_per_task` and `flops_per_task`
    are those of `System.status()`. Seconds and FLOPs are sums over all children; `wall_seconds` sums up the runs, from
    their first child to their last.
    """
    one = history.one(system)
    tests = {task: one.tests[model.id] for task, model in one.retained.items() if model.id in one.tests}
    columns, retained = one.sampled.columns, list(one.retained.values())
    runs = history.runs
    seconds = {f"{part}_seconds": _sum(columns[f"{part}_seconds"]) for part in ("train", "validation", "other")}
    return {
        "tasks": len(one.records),
        "evolved_tasks": len(retained),
        "mean_score": mean_of_known([model.metrics.get("score") for model in retained]),
        **totals_of([_weight(model) for model in retained], tests.values()),
        "models": len(one.models),
        "layers": len({layer for model in retained for layer in model.layers.values()}),
        "children": len(one.sampled),
        "accepted": sum(columns["accepted"]),
        "samples": int(_sum(columns["samples"])),
        **seconds,
        "seconds": sum(seconds.values()),
        "seconds_per_child": sum(seconds.values()) / len(one.sampled) if len(one.sampled) else None,
        "flops_spent": {part: _sum(columns[f"{part}_flops"]) for part in ("train", "validation")},
        "runs": len(one.sampled.runs),
        "wall_seconds": float(runs.loc[(runs["system"] == one.label) & ~runs["imported"], "seconds"].sum()),
    }


def _weight(model: Model) -> Weight:
    return Weight(model.layers, model.sizes, model.metrics.get("validation_accuracy"), model.metrics.get("flops"))


def _sum(values: list[float | None]) -> float:
    return sum(value for value in values if value is not None)


def changes(history: History, run: str | None = None, system: str | None = None) -> "pd.DataFrame":
    """What a run, the last one unless named, changed of each task that had a model before it (A2).

    task, model_before, model_after, and score, validation_accuracy and test_accuracy of both. Nothing is forgotten: the
    model of a task that the run did not evolve is the same, and so are its accuracies.
    """
    one = history.one(system)
    names = [other.name for other in one.sampled.runs]
    if run is not None and run not in names:
        raise InputError(f"no run '{run}' in {one.store.path}; there are {', '.join(names) or 'none'}")
    chosen = next((other for other in one.sampled.runs if other.name == run), None) if run else None
    chosen = chosen or (one.sampled.runs[-1] if one.sampled.runs else None)
    rows = []
    if chosen is not None and chosen.steps:
        before = retained_at(history, chosen.steps.start - 1, system)
        after = retained_at(history, chosen.steps.stop - 1, system)
        for task, model in before.items():
            rows.append((task, model, after.get(task), *_measures(one, model), *_measures(one, after.get(task))))
    return table(CHANGES, rows)


def _measures(one: Snapshot, model: str | None) -> tuple[float | None, float | None, float | None]:
    """score as recorded, validation and test accuracy"""
    step = one.step_of.get(model or "")
    metrics: Mapping[str, Any] = one.models[model].metrics if model in one.models else {}
    if step is None:
        score, accuracy = metrics.get("score"), metrics.get("validation_accuracy")
    else:
        score, accuracy = (one.sampled.columns[name][step] for name in ("score", "accuracy"))
    return score, accuracy, one.tests.get(model or "")
