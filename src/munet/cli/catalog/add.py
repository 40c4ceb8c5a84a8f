"""`munet add SYSTEM --catalog NAME`: the tasks of a benchmark, one after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.cli.common import open_system, show, show_json, tell
from munet.cli.text.formatting import added_line
from munet.errors import InputError, suggest
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.catalog import Task
    from munet.store.schema import TaskRecord


def add_group(
    path: Path,
    catalog: str,
    *,
    data: Path | None,
    only: Sequence[str],
    prefer: str | None,
    skip_missing: bool,
    private: bool,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Add the tasks of a benchmark that the system does not have yet, in the benchmark's order.

    What cannot be had is listed before anything is added, and unless `skip_missing` nothing is.
    """
    from dataclasses import replace

    from munet.catalog import load_benchmark, unavailable

    system = open_system(path)
    benchmark = load_benchmark(catalog)
    benchmark = replace(benchmark, tasks=_chosen(benchmark.tasks, only, catalog))
    present = [task for task in benchmark.tasks if task.name in system.tasks]
    benchmark = replace(benchmark, tasks=tuple(task for task in benchmark.tasks if task not in present))
    missing = unavailable(benchmark, data, prefer)
    for task, reason in missing:
        tell(f"{task.name} cannot be had: {clean(reason)}")
    if missing and not skip_missing:
        raise InputError(
            f"{len(missing)} of {counted(len(benchmark.tasks), 'task')} of {catalog} cannot be had, nothing was added: "
            "make them available, or add the others with --skip-missing"
        )
    lost = [task.name for task, _ in missing]
    records = [
        _add_one(system, task, data, prefer, private, skip_bad, as_json)
        for task in benchmark.tasks
        if task.name not in lost
    ]
    if as_json:
        show_json({"added": records, "present": [task.name for task in present], "missing": lost})
        return
    there = f", {len(present)} already there" if present else ""
    left = f", {len(lost)} left out" if lost else ""
    show(f"{counted(len(records), 'task')} added{there}{left}. Next: munet evolve {clean(path)}")


def _add_one(
    system: Any, task: "Task", data: Path | None, prefer: str | None, private: bool, skip_bad: bool, as_json: bool
) -> "TaskRecord":
    from munet.catalog import add, differences
    from munet.cli.text.progress import progress

    with progress(f"reading {task.name}") as report:
        record = add(system, task, data, prefer=prefer, private=private, skip_bad=skip_bad, progress=report)
    if not as_json:
        show(f"{added_line(record)}; {clean(record['source'])}")
    for difference in differences(task, record):
        tell(f"{task.name}: {difference}")
    if task.note:
        tell(f"{task.name}: {task.note}")
    return record


def _chosen(tasks: Sequence["Task"], only: Sequence[str], catalog: str) -> tuple["Task", ...]:
    names = [task.name for task in tasks]
    for name in only:
        if name not in names:
            raise InputError(f"--only {name}: {catalog} has no such task{suggest(name, names)}")
    return tuple(task for task in tasks if not only or task.name in only)
