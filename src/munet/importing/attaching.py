"""Images for an imported task: published systems hold models and no data."""

from dataclasses import replace
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.store.schema import TaskRecord
from munet.tasks.cache.filling import Filling
from munet.tasks.record import AS_IT_IS, Progress, TaskOptions, with_data
from munet.tasks.reopen import NO_DATA, is_elsewhere

if TYPE_CHECKING:
    from munet.system import System


def attach(
    system: "System", name: str, source: str, options: TaskOptions = AS_IT_IS, *, progress: Progress | None = None
) -> TaskRecord:
    """Give a task that was imported without data its images; returns its record.

    It stays private if it was, whatever `options` say. The labels must mean what they meant to the published model,
    which only its accuracy can show. InputError for a task that has data, and for images that do not fit.
    """
    before = _open_record(system, name)
    options = replace(options, private=before["private"])
    listings: list[bytes] = []
    with Filling(system.models.image_size) as filling:
        outputs = len(before["classes"])
        data = with_data(name, source, outputs, options, progress=progress, keep=listings.append, taking=filling)
    with system.store.evolving(name), system.store.commit():  # nobody else writes the record meanwhile
        for listing in listings:
            system.store.listings.put(listing)
        record: TaskRecord = {**_open_record(system, name), **data}
        system.store.write_task(record)
    return record


def _open_record(system: "System", name: str) -> TaskRecord:
    record = system.task(name)
    if is_elsewhere(record):
        raise InputError(f"the images of task '{name}' are known: `munet task move` says where they are here")
    if record["source"] != NO_DATA:
        raise InputError(f"task '{name}' reads its images from {record['source']} already: add others as a new task")
    return record
