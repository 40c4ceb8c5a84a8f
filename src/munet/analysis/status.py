"""Where a system stands: what each task's model scores, weighs and costs. Needs no torch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.model.cost import accounted_parameters
from munet.store import FORMAT

if TYPE_CHECKING:
    from munet.store import Store

Manifest = dict[str, Any]


def retained(store: "Store") -> dict[str, Manifest]:
    """Task name -> manifest of its retained model, for the tasks that have one."""
    return {record["name"]: store.get_model(record["model"]) for record in store.task_records() if record["model"]}


def owners(manifests: Mapping[str, Manifest], without: str | None = None) -> dict[str, set[str]]:
    """Layer id -> names of the tasks whose retained model uses it. Always derived, never stored.

    `without` is the active task: while it evolves it owns nothing (muNet, sec. 3).
    """
    result: dict[str, set[str]] = {}
    for task, manifest in manifests.items():
        if task != without:
            for layer in manifest["layers"].values():
                result.setdefault(layer, set()).add(task)
    return result


def owners_of(store: "Store", models: Mapping[str, str]) -> dict[str, set[str]]:
    """Layer id -> names of the tasks whose model uses it, as `owners`, from task name -> model id.

    A model's layers are read once in a process, so the second call costs next to nothing.
    """
    result: dict[str, set[str]] = {}
    for task, model in models.items():
        for layer in store.facts.parts(model).layers:
            result.setdefault(layer, set()).add(task)
    return result


def totals(manifests: Mapping[str, Manifest], tests: Mapping[str, float]) -> dict[str, Any]:
    """What a system comes to: means over its tasks' models, and the size of all of them together.

    `manifests` of the retained models and `tests`, their test accuracies, by task. A mean over nothing is None.
    """
    metrics = [manifest["metrics"] for manifest in manifests.values()]
    unique = unique_parameters(manifests)
    return {
        "mean_validation_accuracy": _mean([m["validation_accuracy"] for m in metrics]),
        "mean_test_accuracy": _mean(list(tests.values())),
        "unique_parameters": unique,
        "parameters_per_task": unique / len(manifests) if manifests else None,
        "flops_per_task": _mean([m["flops"] for m in metrics]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def unique_parameters(manifests: Mapping[str, Manifest]) -> int:
    """Parameters that the retained models use, each layer counted once."""
    sizes = {m["layers"][slot]: size for m in manifests.values() for slot, size in m["sizes"].items()}
    return sum(sizes.values())


def blocks_in(slots: Mapping[str, Any]) -> int:
    """Number of transformer blocks among a model's slots."""
    return sum(slot.startswith("block.") for slot in slots)


def _row(record: dict[str, Any], manifest: Manifest | None, owned: dict[str, set[str]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": record["name"],
        "private": record["private"],
        "classes": len(record["classes"]),
        "iterations": record["iterations"],
        "active": record["active"] is not None,
        "model": record["model"],
    }
    row |= {f"{split}_examples": value["examples"] for split, value in record["splits"].items()}
    test = record["test"]
    row["test_accuracy"] = test["accuracy"] if test and test["model"] == record["model"] else None
    if manifest is None:
        empty = (
            "validation_accuracy",
            "score",
            "parameters",
            "accounted_parameters",
            "flops",
            "image_size",
            "num_blocks",
        )
        return row | dict.fromkeys(empty)
    metrics = manifest["metrics"]
    return row | {
        "validation_accuracy": metrics["validation_accuracy"],
        "score": metrics["score"],
        "parameters": sum(manifest["sizes"].values()),
        "accounted_parameters": accounted_parameters(manifest["sizes"], manifest["layers"], owned, record["name"]),
        "flops": metrics["flops"],
        "image_size": manifest["hyperparameters"]["image_size"],
        "num_blocks": blocks_in(manifest["layers"]),
    }


def status(store: "Store") -> dict[str, Any]:
    """The system's tasks and totals as JSON values; what was never evolved is None."""
    records = store.task_records()
    manifests = {record["name"]: store.get_model(record["model"]) for record in records if record["model"]}
    owned = owners(manifests)
    rows = [_row(record, manifests.get(record["name"]), owned) for record in records]
    tests = {row["name"]: row["test_accuracy"] for row in rows if row["test_accuracy"] is not None}
    return {
        "path": str(store.path),
        "format": FORMAT,
        "root": {"id": store.root, "source": store.get_model(store.root)["root"]["source"]},
        "tasks": rows,
        **totals(manifests, tests),
        "unfinished_run": next((run for run in reversed(store.runs()) if not is_finished(store, run)), None),
    }


def is_finished(store: "Store", run: str) -> bool:
    """Whether a run ended, by itself or because a new one was started in its place."""
    return store.is_finished(run)
