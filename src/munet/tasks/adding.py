"""A new task put into a store: its record, and the listings of its splits."""

from collections.abc import Callable

from munet.errors import InputError
from munet.store.schema import TaskRecord, task_record
from munet.store.store import Store
from munet.tasks.cache.filling import Filling
from munet.tasks.record import Progress, TaskOptions, add


def add_to(
    store: Store,
    name: str,
    source: str,
    options: TaskOptions,
    *,
    image_size: int,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> TaskRecord:
    """Add a task to a store; returns its record. Its images are kept decoded as models with inputs of `image_size`
    pixels ask for them, where they are worth it (`munet.tasks.cache.filling`).

    InputError as `munet.tasks.record.add`, and where there is a task of that name.
    """
    if store.has_task(name):
        raise InputError(f"task '{name}' is already in {store.path}: choose another name", kind="exists")
    listings: list[bytes] = []
    with Filling(image_size) as filling:
        data = add(name, source, options, progress=progress, tell=tell, keep=listings.append, taking=filling)
    record = task_record(data, added=store.next_added())
    with store.commit():
        for listing in listings:
            store.listings.put(listing)
        store.create_task(record)
    return record
