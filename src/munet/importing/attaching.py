"""Images for an imported task: published systems hold models and no data."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.tasks.record import with_data
from munet.tasks.reopen import NO_DATA

if TYPE_CHECKING:
    from munet.system import System

Progress = Callable[[int, int], None]


def attach(
    system: "System",
    name: str,
    source: str,
    *,
    train: str | None = None,
    validation: str | None = None,
    test: str | None = None,
    skip_bad: bool = False,
    allow_overlap: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Give a task that was imported without data its images; returns its record.

    The labels must mean what they meant to the published model, which only its accuracy can show. InputError for a
    task that has data, and for images that do not fit.
    """
    record = _open_record(system, name)
    options = {"train": train, "validation": validation, "test": test, "progress": progress}
    options |= {"skip_bad": skip_bad, "allow_overlap": allow_overlap}
    data = with_data(name, source, len(record["classes"]), private=record["private"], **options)
    with system.store.evolving(), system.store.commit():  # nobody else writes the record meanwhile
        record = _open_record(system, name) | data
        system.store.write_task(record)
    return record


def _open_record(system: "System", name: str) -> dict[str, Any]:
    record = system.task(name)
    if record["source"] != NO_DATA:
        raise InputError(f"task '{name}' reads its images from {record['source']} already: add others as a new task")
    return record
