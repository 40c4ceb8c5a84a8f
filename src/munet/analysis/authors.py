"""Who evolved a model, and who signed it: in the record of its task, for each model that the task has retained."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from munet.store.retained import history_of
from munet.store.schema import Manifest, TaskRecord
from munet.store.signatures import signed_by

if TYPE_CHECKING:
    from munet.store import Store


def author_of(record: TaskRecord) -> str | None:
    """Who evolved the model that a task retains, in words; None where that is not known."""
    model = record.get("model")
    return None if model is None else " and ".join(history_of(record)[model]["by"]) or None


def signers_of(store: "Store", model: str, manifest: Manifest) -> list[str]:
    """Who signed a model, each signature checked; empty where nobody did."""
    task = manifest["task"]
    return signed_by(store, store.read_task(task), model) if task is not None and store.has_task(task) else []


def authors(store: "Store", chain: Sequence[tuple[str, Manifest]]) -> list[list[str]]:
    """Who evolved each model of a lineage (newest first); empty where that is not known.

    A model that was not retained comes from the run that retained the next one of its task.
    """

    @cache
    def by(task: str) -> dict[str, list[str]]:
        known = history_of(store.read_task(task)) if store.has_task(task) else {}
        return {model: entry["by"] for model, entry in known.items()}

    found = list[list[str]]()
    newer: str | None = None
    for model, manifest in chain:
        task = manifest["task"]
        if task is None:
            found.append([])
        else:
            found.append(by(task).get(model, found[-1] if found and task == newer else []))
        newer = task
    return found
