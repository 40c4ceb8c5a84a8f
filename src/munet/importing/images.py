"""Where the images of imported tasks come from: a person says so, the catalog knows, or nobody does yet."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from munet.errors import InputError, suggest
from munet.importing.blueprint import Blueprint
from munet.importing.names import PRIVATE
from munet.importing.state import Model
from munet.tasks import add
from munet.tasks.reopen import NO_DATA

if TYPE_CHECKING:
    from munet.catalog import Task


def sources_of(data: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Published task -> source, from either name."""
    published = {name: task for task, name in names.items()} | {task: task for task in names}
    for name in data:
        if name not in published:
            raise InputError(f"--data {name}=…: the published system has no task '{name}'{suggest(name, published)}")
    return {published[name]: source for name, source in data.items()}


def data_of(
    models: list[Blueprint],
    names: Mapping[str, str],
    sources: Mapping[str, str],
    known: "Mapping[str, Task]",
    notes: list[str],
    progress: Callable[[int, int], None] | None,
) -> dict[str, dict[str, Any]]:
    """The data part of every task's record."""
    parts: dict[str, dict[str, Any]] = {}
    for blueprint in models:
        task, outputs = blueprint.model.task or "", blueprint.classes or 0
        private, source, splits = _private(blueprint.model), sources.get(task), {}
        if source is None and task in known:
            source, splits = _place(known[task], notes)
        if source is None:
            parts[task] = without_data(names[task], outputs, private=private)
        else:
            parts[task] = with_data(names[task], source, outputs, private=private, progress=progress, **splits)
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


def without_data(name: str, classes: int, *, private: bool) -> dict[str, Any]:
    """The data part of the record of a task whose images are not known: classes are named by their numbers."""
    part = {"expression": "none", "ranges": [], "examples": 0, "fingerprint": ""}
    return {
        "name": name,
        "source": NO_DATA,
        "private": private,
        "classes": [str(number) for number in range(classes)],
        "splits": {split: dict(part) for split in ("train", "validation", "test")},
        "fingerprint": f"{NO_DATA}{name}",
        "skip_bad": False,
        "skipped": 0,
    }


def with_data(name: str, source: str, outputs: int, *, private: bool, **options: Any) -> dict[str, Any]:
    """The data part of the record of an imported task, as `munet.tasks.add` makes it. InputError also where the
    classes are not as many as the `outputs` of its head."""
    data = add(name, source, private=private, **options)
    if len(data["classes"]) != outputs:
        raise InputError(
            f"the head of task '{name}' has {outputs} outputs, {data['source']} has {len(data['classes'])} classes: "
            "give the images that it was trained on"
        )
    return data
