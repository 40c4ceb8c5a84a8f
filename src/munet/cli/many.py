"""`munet add SYSTEM --all DIR` and `--list FILE`: many tasks, one after the other, and what came of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.cli.common import open_system, show, show_json, tell
from munet.errors import InputError
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.store.schema import TaskRecord
    from munet.system import System
    from munet.tasks.many import Wanted


def add_many(path: Path, wanted: "Sequence[Wanted]", options: Mapping[str, Any], *, as_json: bool) -> None:
    """Add the tasks that the system does not have yet; `options` hold where a task has none of its own.

    What cannot be added is told with its reason, and the others are added. InputError at the end where some could not.
    """
    system = open_system(path)
    _ = system.architecture  # refused at once where nothing can be added
    added: list[TaskRecord] = []
    present: list[str] = []
    failed: list[dict[str, str]] = []
    for number, one in enumerate(wanted, 1):
        try:
            record = _add(system, one, {**options, **one.options}, f"{number}/{len(wanted)}")
        except InputError as error:
            failed.append({"task": one.name, "source": one.source, "kind": error.kind, "error": str(error)})
            tell(f"{clean(one.name)} was not added: {clean(error)}")
            continue
        if record is None:
            present.append(one.name)
        else:
            added.append(record)
    if as_json:
        show_json({"added": added, "present": present, "failed": failed})
    elif added:
        from munet.cli.text.renderables import added_view

        show(added_view(added))
    if not as_json:
        there = f", {len(present)} already there" if present else ""
        show(f"{counted(len(added), 'task')} added{there}. Next: munet evolve {clean(path)}")
    if failed:
        names = ", ".join(one["task"] for one in failed)
        raise InputError(
            f"{len(failed)} of {counted(len(wanted), 'task')} could not be added ({names}): "
            "mend what is said above, and the same command adds them"
        )


def _add(system: "System", one: "Wanted", options: Mapping[str, Any], place: str) -> "TaskRecord | None":
    """The record of the new task, None where the system has it. InputError where another task has its name."""
    from munet.cli.text.progress import progress
    from munet.tasks.many import is_same
    from munet.tasks.telling import is_usual

    if system.store.has_task(one.name):
        source = system.task(one.name)["source"]
        if not is_same(one.source, source):
            raise InputError(
                f"there is a task '{one.name}' of other images ({source}): rename or remove it, or this one",
                kind="exists",
            )
        return None
    notes = list[str]()
    with progress(f"{place} reading {clean(one.name)}") as report:
        record = system.add_task(one.name, one.source, **options, progress=report, tell=notes.append)
    for note in notes:
        if not is_usual(note):
            tell(f"{clean(one.name)}: {clean(note)}")
    return record
