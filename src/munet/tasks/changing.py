"""Changes of a recorded task: its images lie elsewhere now, it gets another name, it goes."""

from shlex import quote

from munet.errors import InputError
from munet.store.retained import history_of
from munet.store.run_records import unfinished_of
from munet.store.schema import TaskRecord
from munet.store.store import Store
from munet.store.task_list import vanished
from munet.tasks.names import check_name
from munet.tasks.reopen import NO_DATA, is_elsewhere, split_in
from munet.tasks.sources import open_source, scheme_of
from munet.tasks.sources.base import split_address
from munet.tasks.trust import trust


def move(store: Store, name: str, source: str) -> TaskRecord:
    """Point a task to its images where they are now; returns its record. Nothing is copied.

    `source` is an address, or a path alone: then scheme and options stay. Every image is read and hashed: InputError
    unless they are, in the same order, those that the task was added with. An address of another scheme may be that.
    """
    before = store.read_task(name)
    opened = open_source(_address(before, source))
    for split in before["splits"]:
        try:
            found = split_in(opened, before, split)
            found.refuse_changed(found.fingerprint())
        except InputError as error:
            raise InputError(
                f"{opened.address}: these are not the images of task '{name}' ({split} is not what was recorded): "
                f"{_as_before(before, opened.scheme)}find those it was added with, or add these as a new task",
                kind="changed-data",
            ) from error
    with store.evolving(name), store.commit():  # nobody else writes the record meanwhile
        record: TaskRecord = {**store.read_task(name), "source": opened.address}
        trust([opened.address])
        store.write_task(record)
    return record


def _address(record: TaskRecord, source: str) -> str:
    """The new address of a task."""
    scheme, _, location = record["source"].partition(":")
    if is_elsewhere(record):
        if ":" not in source:
            raise InputError(f"{source}: say how it is read, for instance folder:{source} or npz:{source}")
    elif record["source"] == NO_DATA:
        raise InputError(f"task '{record['name']}' has no images to move: `munet attach` gives it some")
    elif not (given_scheme := scheme_of(source)):
        source = f"{scheme}:{source}"
    elif given_scheme != scheme:
        return source  # the options of the one scheme mean nothing to the other
    _, options = split_address(location)
    given = split_address(source)[1]
    if given or not options:
        return source
    return f"{source}?{'&'.join(f'{key}={value}' for key, value in options.items())}"


def _as_before(record: TaskRecord, scheme: str) -> str:
    """The way out that images may need which are given by another scheme than they were added by."""
    recorded = scheme_of(record["source"])
    if not recorded or scheme == recorded:
        return ""
    return f"the task reads {recorded}:, and {scheme}: may order the same images otherwise, so say {recorded}:PATH, "


def rename(store: Store, name: str, new: str) -> TaskRecord:
    """Give a task another name; returns its record. InputError for a name that is taken, and while a run of the task is
    unfinished; what was cut off goes on."""
    new = check_name(new)
    with store.evolving(name, new), store.commit():
        refuse_unfinished(store, name, f"rename task '{name}'")
        renamed = _called(store.read_task(name), new)
        if not store.has_task(new) or store.read_task(new) != renamed:
            store.create_task(renamed)
        store.remove_task(name)
    return renamed


def put_aside(store: Store, name: str) -> TaskRecord:
    """Give a task the first free name of NAME-mine, NAME-mine-2, …, so that another may have its name; returns its
    record. InputError while a run is unfinished that may come back to it."""
    with store.evolving(name), store.commit():
        refuse_unfinished(store, name, "give its name to another task")
        record = store.read_task(name)
        number = 1
        while True:
            moved = _called(record, check_name(f"{name}-mine{'' if number == 1 else f'-{number}'}"))
            if not store.has_task(moved["name"]):
                store.create_task(moved)
            if store.read_task(moved["name"]) == moved:  # also what was done before this was cut off here
                store.remove_task(name)
                return moved
            number += 1


def _called(record: TaskRecord, new: str) -> TaskRecord:
    """The record of a task under another name.

    Its models keep the name that they were trained under, and the record says so. The records of its runs do too.
    """
    made: TaskRecord = {**record, "name": new, "active": None, "last": None}
    made.pop("signatures", None)  # they bind the name
    if history_of(record):
        made["called"] = sorted({*record.get("called", ()), record["name"]} - {new})
    return made


def remove(store: Store, name: str) -> TaskRecord | None:
    """Take a task out of a system; returns what its record was, None where that had vanished.

    Layers and ancestors that other tasks need stay; what nobody needs any more is for gc. InputError while a run is
    unfinished, which may come back to it.
    """
    with store.evolving(name):
        record = None if name in vanished(store) else store.read_task(name)
        if open_runs := store.unfinished_runs():
            raise _unfinished(store, open_runs[-1], "any task", f"remove task '{name}'")
        store.remove_task(name)
    return record


def refuse_unfinished(store: Store, task: str, wanted: str) -> None:
    """InputError while a run of this task is unfinished."""
    if open_runs := unfinished_of(store, [task]):
        raise _unfinished(store, open_runs[-1], "it", wanted)


def _unfinished(store: Store, run: str, what: str, wanted: str) -> InputError:
    system = quote(str(store.path))
    return InputError(
        f"run {run} is not finished, and may come back to {what}: `munet resume {system} {run}` goes on with "
        f"it, `munet evolve {system} --abandon {run}` leaves it behind; {wanted} then",
        kind="interrupted-run",
    )
