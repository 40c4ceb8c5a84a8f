"""Accuracies that are claims: of models that came from elsewhere, and that nobody has measured here.

The record of a task lists these models (`claimed`) where it is; what is told to others has no such list, for what was
measured here is a claim to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from munet.store.retained import history_of
from munet.store.schema import Manifest, TaskRecord


def claims_of(record: Mapping[str, Any]) -> set[str]:
    """Models of a task whose accuracies are claims."""
    return set(record.get("claimed") or ())


def is_claimed(record: TaskRecord) -> bool:
    """Whether the accuracies of the retained model are."""
    return record["model"] in claims_of(record)


def with_claims(record: TaskRecord, before: TaskRecord | None) -> TaskRecord:
    """A record with what came from elsewhere since it was as `before`."""
    known = set[str]() if before is None else set(history_of(before)) - claims_of(before)
    return _saying(record, set(history_of(record)) - known)


def measured(record: TaskRecord, models: Iterable[str]) -> TaskRecord:
    """A record after these models were measured here."""
    return _saying(record, claims_of(record) - set(models))


def claimed_in(chain: Sequence[tuple[str, Manifest]], records: Mapping[str, TaskRecord]) -> list[bool]:
    """Of each model of a lineage (newest first) whether its accuracy is a claim. One that was not retained comes from
    where the next one of its task does."""
    found, newer = list[bool](), None
    for model, manifest in chain:
        task = manifest["task"]
        record = records.get(task or "")
        if record is None or model in history_of(record):
            found.append(record is not None and model in claims_of(record))
        else:
            found.append(bool(found) and task == newer and found[-1])
        newer = task
    return found


def _saying(record: TaskRecord, claims: set[str]) -> TaskRecord:
    said = cast("TaskRecord", {key: value for key, value in record.items() if key != "claimed"})
    if claims:
        said["claimed"] = sorted(claims)
    return said
