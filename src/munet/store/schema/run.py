"""The record of a run, and the one that says that it is over."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from munet.store.records import FORMAT

_Import = TypedDict("_Import", {"import": NotRequired[str]})  # `import` is no name in Python


class RunRequest(_Import):
    """What a run was asked to do. `import` names the code whose history an imported run tells."""

    method: dict[str, Any] | None  # as `munet.search.Method` dumps itself; None in an import
    tasks: list[str]
    seed: int
    image_size: int | None  # pixels a side of every child; None leaves it to the search
    precision: str
    threads: int | None  # of each child, as asked for


class RunRecord(TypedDict):
    """`run.json`: what was asked, and what computed it."""

    format: int
    request: RunRequest
    threads: int  # of each child
    device: str | None
    started: str  # UTC
    versions: dict[str, str]
    machine: dict[str, Any] | None
    person: NotRequired[dict[str, str]]  # user and host; not in records of older versions
    where: NotRequired[dict[str, Any]]  # how it was computed: what `munet resume` takes, with `allow_changed`
    config: NotRequired[Any]  # of an import: the configuration of the published system


class FinishedRecord(TypedDict):
    """`finished.json`: the run is over, by itself or because another was started in its place."""

    finished: str  # UTC
    abandoned: bool


def run_request(
    *,
    method: Mapping[str, Any] | None,
    tasks: Sequence[str],
    seed: int,
    image_size: int | None,
    precision: str,
    threads: int | None,
    imported_from: str | None = None,
) -> RunRequest:
    """Begin what a run was asked to do."""
    made: RunRequest = {
        "method": None if method is None else dict(method),
        "tasks": list(tasks),
        "seed": seed,
        "image_size": image_size,
        "precision": precision,
        "threads": threads,
    }
    if imported_from is not None:
        made["import"] = imported_from
    return made


def run_record(
    request: RunRequest,
    *,
    threads: int,
    device: str | None,
    started: str,
    versions: Mapping[str, str],
    machine: Mapping[str, Any] | None,
    person: Mapping[str, str] | None = None,
    where: Mapping[str, Any] | None = None,
) -> RunRecord:
    """Begin the record of a run."""
    made: RunRecord = {
        "format": FORMAT,
        "request": request,
        "threads": threads,
        "device": device,
        "started": started,
        "versions": dict(versions),
        "machine": None if machine is None else dict(machine),
    }
    if person is not None:
        made["person"] = dict(person)
    if where is not None:
        made["where"] = dict(where)
    return made


def finished_record(finished: str, *, abandoned: bool) -> FinishedRecord:
    """Say that a run is over."""
    return {"finished": finished, "abandoned": abandoned}
