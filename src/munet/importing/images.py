"""Where the images of imported tasks come from: an address that the user gives, the catalog, or none yet."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from munet.errors import InputError, suggest
from munet.importing.blueprint import Blueprint
from munet.importing.names import PRIVATE
from munet.importing.state import Model
from munet.store.schema import TaskData
from munet.tasks.record import TaskOptions, with_data, without_data

if TYPE_CHECKING:
    from munet.catalog import Task


def sources_of(data: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Published task -> source, from either name."""
    published = {name: task for task, name in names.items()} | {task: task for task in names}
    for name in data:
        if name not in published:
            raise InputError(
                f"--data {name}=…: the published system has no task '{name}'{suggest(name, published)}",
                kind="unknown-task",
            )
    return {published[name]: source for name, source in data.items()}


def data_of(
    models: list[Blueprint],
    names: Mapping[str, str],
    sources: Mapping[str, str],
    known: "Mapping[str, Task]",
    notes: list[str],
    progress: Callable[[int, int], None] | None,
) -> dict[str, TaskData]:
    """The data part of every task's record."""
    parts: dict[str, TaskData] = {}
    for blueprint in models:
        task, outputs = blueprint.model.task or "", blueprint.classes or 0
        source, options = sources.get(task), TaskOptions(private=_private(blueprint.model))
        if source is None and task in known:
            source, splits = _place(known[task], notes)
            options = replace(options, **splits)
        if source is None:
            parts[task] = without_data(names[task], outputs, private=options.private)
        else:
            parts[task] = with_data(names[task], source, outputs, options, progress=progress)
    return parts


def _place(task: "Task", notes: list[str]) -> tuple[str | None, dict[str, str]]:
    """Source and splits of images that are on this machine. Those of a hub are not fetched unasked."""
    from munet.catalog import place

    try:
        found = place(task)
    except InputError as error:
        notes.append(str(error))
        return None, {}
    if found.address.startswith("hf:"):
        notes.append(f"the images of task {task.name} are not on this machine; {found.address} has them")
        return None, {}
    return found.address, found.splits


def _private(model: Model) -> bool:
    return bool(model.row.flag("metrics.private")) or (model.task or "").startswith(PRIVATE)
