"""The benchmarks of the papers and local ones: which tasks, which splits, where the images are had, what was reported.

    tasks.py      Task and Benchmark, read from catalog/*.toml
    places.py     where the images of a task are on this machine, and what cannot be had
    published.py  results that the papers report

Every value of a task has its source in `Task.sources`. Nothing here imports torch, numpy or datasets.
"""

from functools import cache
from typing import Any

from munet.catalog.places import (
    Place,
    add,
    address,
    data_folder,
    differences,
    place,
    root_address,
    unavailable,
    weights_file,
)
from munet.catalog.published import Published, published
from munet.catalog.tasks import LOCAL, Benchmark, Task, pick, read_file
from munet.errors import InputError, suggest

__all__ = [
    "Benchmark",
    "Place",
    "Published",
    "Task",
    "add",
    "address",
    "benchmark_names",
    "benchmarks_of",
    "data_folder",
    "differences",
    "find_tasks",
    "load_benchmark",
    "place",
    "published",
    "root_address",
    "unavailable",
    "weights_file",
]

SETS = {"a": "set-a", "b": "set-b"}


def benchmark_names() -> list[str]:
    """Names of all benchmarks, those of the papers first."""
    return [row["name"] for row in read_file("benchmarks")["benchmark"]]


@cache
def load_benchmark(name: str) -> Benchmark:
    """A benchmark by name. InputError for an unknown one."""
    rows: dict[str, dict[str, Any]] = {row["name"]: row for row in read_file("benchmarks")["benchmark"]}
    if name not in rows:
        raise InputError(
            f"unknown benchmark '{name}'{suggest(name, rows)}; known: {', '.join(rows)}", kind="unknown-benchmark"
        )
    row = dict(rows[name])
    tasks = tuple(pick(row.pop("tasks"), row.pop("variant", None)))
    return Benchmark(**row | {"tasks": tasks, "source": read_file("benchmarks")["sources"][row["source"]]})


def find_tasks(word: str = "", *, benchmark: str | None = None, task_set: str | None = None) -> list[Task]:
    """Tasks whose name, title or address holds `word`, letters of either case.

    Of `benchmark`, or of the papers' 124 tasks and then the local ones; only those of `task_set` (a or b) where it is
    given. InputError for an unknown benchmark or set.
    """
    if task_set is not None and task_set.lower() not in SETS:
        raise InputError(f"unknown task set '{task_set}': a has {_count('a')} tasks, b has {_count('b')}")
    local = [name for name in benchmark_names() if load_benchmark(name).tasks[0].group == LOCAL]
    names = [benchmark] if benchmark else ["all", *local]
    found = list({(task.group, task.name): task for name in names for task in load_benchmark(name).tasks}.values())
    if task_set is not None:
        members = {task.name for task in load_benchmark(SETS[task_set.lower()]).tasks}
        found = [task for task in found if task.name in members and task.group != LOCAL]
    return [task for task in found if _holds(task, word.lower())]


def benchmarks_of(task: Task) -> list[str]:
    """The benchmarks that a task is in, also with other splits."""
    return [
        name
        for name in benchmark_names()
        if any(other.name == task.name and other.group == task.group for other in load_benchmark(name).tasks)
    ]


def _count(letter: str) -> int:
    return len(load_benchmark(SETS[letter]).tasks)


def _holds(task: Task, word: str) -> bool:
    return any(word in text.lower() for text in (task.name, task.title, *task.addresses.values()))
