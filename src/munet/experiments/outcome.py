"""The result of a run: its system read into one JSON object that tables and plots are made of. Needs no torch."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from munet.analysis.model_history import children, iterations
from munet.store import FORMAT
from munet.store.run_records import read_config, read_finished

if TYPE_CHECKING:
    from munet.catalog import Benchmark
    from munet.system import System

_ROW = (
    "name",
    "classes",
    "validation_accuracy",
    "test_accuracy",
    "validation_examples",
    "test_examples",
    "train_examples",
    "parameters",
    "accounted_parameters",
    "flops",
    "image_size",
    "num_blocks",
    "model",
)
_TOTALS = (
    "mean_test_accuracy",
    "mean_validation_accuracy",
    "parameters_per_task",
    "unique_parameters",
    "flops_per_task",
)
Place = tuple[str, str, int]  # run, task, iteration


def summary(system: "System", benchmark: "Benchmark", segments: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Accuracies, sizes and costs of a system whose runs are over, and how it got there.

    Accuracies lie from 0 to 1; `flops_spent` is what plain loops would take; `device_hours` add up over all children.
    `segments` names the segment of a sequence that each run belongs to.
    """
    status = system.status()
    notes = {task.name: task.note for task in benchmark.tasks}
    rows = {row["name"]: row for row in status["tasks"]}
    tasks = [
        {key: rows[name][key] for key in _ROW} | {"splits": system.task(name)["splits"], "note": notes.get(name)}
        for name in rows
    ]
    spent = _spent(system)
    total = _sum(spent.values())
    runs = [read_config(system.store, run) for run in system.store.runs()]
    ended = [read_finished(system.store, run) for run in system.store.runs()]
    return {
        "format": FORMAT,
        "requests": [run["request"] for run in runs],
        "tasks": tasks,
        **{key: status[key] for key in _TOTALS},
        "samples": total["samples"],
        "flops_spent": {"train": total["train_flops"], "validation": total["validation_flops"]},
        "children": total["children"],
        "seconds": {key: total[key] for key in ("train", "validation", "other")},
        "device_hours": (total["train"] + total["validation"] + total["other"]) / 3600,
        "device": runs[0]["device"],
        "precision": runs[0]["request"]["precision"],
        "threads": runs[0]["threads"],
        "history": [
            {**entry, "segment": segments[entry["run"]]} if segments else entry for entry in _history(system, spent)
        ],
        "versions": runs[0]["versions"],
        "machine": runs[0]["machine"],
        "started": runs[0]["started"],
        "finished": ended[-1]["finished"],
    }


def _spent(system: "System") -> dict[Place, dict[str, float]]:
    """Costs of the children of each task iteration."""
    spent: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(int))
    for child in children(system.store):
        costs = spent[child["run"], child["task"], child["iteration"]]
        costs["children"] += 1
        costs["samples"] += child["samples"]
        for part in ("train", "validation"):
            costs[f"{part}_flops"] += child["flops_spent"][part]
        for part in ("train", "validation", "other"):
            costs[part] += child["seconds"][part]
    return spent


def _sum(costs: Any) -> dict[str, float]:
    total: dict[str, float] = defaultdict(int)
    for one in costs:
        for key, value in one.items():
            total[key] += value
    return total


def _history(system: "System", spent: Mapping[Place, Mapping[str, float]]) -> Iterator[dict[str, Any]]:
    """One entry for each task iteration, with what was spent until then."""
    samples = flops = 0.0
    for ended in iterations(system.store):
        costs = spent[ended["run"], ended["task"], ended["iteration"]]
        samples += costs["samples"]
        flops += costs["train_flops"] + costs["validation_flops"]
        yield {
            "run": ended["run"],
            "iteration": ended["iteration"],
            "task": ended["task"],
            "validation_accuracy": ended["validation_accuracy"],
            "test_accuracy": ended["test"]["accuracy"] if ended["test"] else None,
            "samples": int(samples),
            "flops_spent": flops,
            **{key: ended["system"][key] for key in ("tasks", *_TOTALS)},
        }
