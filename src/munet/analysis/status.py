"""The status of a system: score, size and compute of each task's model. Needs no torch."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from munet.analysis.authors import author_of
from munet.analysis.unfinished import unfinished
from munet.errors import DamagedError
from munet.model.cost import accounted_parameters
from munet.model.slots import blocks_in
from munet.store import FORMAT
from munet.store.claimed import is_claimed
from munet.store.derived import owners, totals
from munet.store.manifests import origin_of
from munet.store.schema import Manifest, TaskRecord
from munet.store.signatures import signed_by
from munet.store.task_list import vanished

if TYPE_CHECKING:
    from munet.store import Store


def _row(record: TaskRecord, manifest: Manifest | None, owned: dict[str, set[str]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": record["name"],
        "private": record["private"],
        "classes": len(record["classes"]),
        "iterations": record["iterations"],
        "active": record["active"] is not None,
        "model": record["model"],
        "by": author_of(record),
        "claimed": is_claimed(record),
        "older_data": "older" in record,
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


def _missing(store: "Store") -> list[str]:
    try:
        return vanished(store)
    except DamagedError:  # fsck tells of that
        return []


def _unfinished(store: "Store", runs: Sequence[str]) -> Iterator[dict[str, Any]]:
    for run in runs:
        with suppress(DamagedError):  # fsck tells of that
            yield unfinished(store, run).to_json()


def status(store: "Store") -> dict[str, Any]:
    """The system's tasks and totals as JSON values; what was never evolved is None."""
    records = store.task_records()
    manifests = {record["name"]: store.get_model(model) for record in records if (model := record["model"])}
    owned = owners({task: manifest["layers"] for task, manifest in manifests.items()})
    rows: list[dict[str, Any]] = [
        _row(record, manifests.get(record["name"]), owned)
        | {"signed_by": " and ".join(signed_by(store, record, record["model"])) or None}
        for record in records
    ]
    tests = {row["name"]: row["test_accuracy"] for row in rows if row["test_accuracy"] is not None}
    open_runs = store.unfinished_runs()
    return {
        "path": str(store.path),
        "format": FORMAT,
        "root": {"id": store.root, "source": origin_of(store.get_model(store.root))["source"]},
        "tasks": rows,
        **totals(manifests, tests),
        "missing_tasks": _missing(store),
        "unfinished_run": next(reversed(open_runs), None),
        "unfinished": list(_unfinished(store, open_runs)),
    }
