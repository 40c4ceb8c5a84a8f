"""Records that should be there and are not, as far as others tell of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from munet.errors import DamagedError, InputError
from munet.store.records import DamagedFile
from munet.store.run_files import CONFIG, generation_file, is_over, iteration_file, models_of_generation
from munet.store.run_records import generations, iterations, read_generation, read_iteration
from munet.store.schema import TaskRecord
from munet.store.store import Store
from munet.store.task_list import FILE, missing_record, vanished


@dataclass(frozen=True)
class Absent:
    """One record; `hides` says whether it may name models that then look like garbage."""

    kind: str  # "task" or "run"
    id: str
    task: str | None
    fault: DamagedFile
    hides: bool


def absent(store: Store) -> Iterator[Absent]:
    """All of them. Takes no lock: the records of tasks are read before those of runs, which are written before them."""
    yield from hiding(store)
    tasks = [record for name in store.task_names() if (record := _read_task(store, name))]
    runs = store.runs()
    numbers = {int(name) for name in store.run_folders()}
    for number in sorted(set(range(1, max(numbers, default=0))) - numbers):
        yield _run(store, f"{number:04d}", None, "", "is missing, with all that was tried in it")
    for record in tasks:
        yield from _of_task(store, record, runs)
    for run in runs:
        yield from _of_iterations(store, run)


def hiding(store: Store) -> Iterator[Absent]:
    """Those that may name models: while one is missing nothing may be collected."""
    try:
        gone = vanished(store)
    except DamagedFile as error:
        yield Absent("task", FILE, None, error, hides=True)
        gone = []
    for name in gone:
        yield Absent("task", name, name, missing_record(store.task_path(name), store.path), hides=True)
    begun = set(store.runs())
    for run in store.run_folders():
        if run not in begun and store.files.has_folder(store.path / "runs" / run) and store.run_files(run):
            yield _run(store, run, None, CONFIG, "is missing, and other records of its run are there", hides=True)


def _of_task(store: Store, record: TaskRecord, runs: list[str]) -> Iterator[Absent]:
    """What a task's record tells of: the end of its last task iteration, and the generations of the open one."""
    name, last, active = record["name"], record.get("last"), record.get("active")
    for place in (last, active):
        if place and place["run"] not in runs and not _is_strange(store, place["run"]):
            yield _run(store, place["run"], name, CONFIG, f"is missing, though task '{name}' was in that run")
    if last and last["run"] in runs and iterations(store, last["run"]):  # not in systems of older versions
        file = iteration_file(name, last["iteration"])
        if not store.has_run_file(last["run"], file):
            yield _run(store, last["run"], name, file, f"is missing, though task '{name}' ended that task iteration")
    if active and active["run"] in runs and not is_over(record, active["run"], active.get("iteration", 0)):
        known = set(_accepted(store, active["run"], name))
        for model in active["population"]:
            if model not in known and model != record["model"]:
                file = generation_file(name, active.get("iteration", 0), max(0, active.get("generation", 0) - 1))
                text = f"or one before it is missing: none tells of model {model[:10]}, which is in the open population"
                yield _run(store, active["run"], name, file, text)
                break


def _is_strange(store: Store, run: str) -> bool:
    """Whether something else stands in the place of a run, which is told as that."""
    path = store.path / "runs" / run
    return store.files.has(path) and not store.files.has_folder(path)


def _accepted(store: Store, run: str, task: str) -> Iterator[str]:
    for file, place in generations(store, run):
        if place.task == task:
            try:
                yield from models_of_generation(read_generation(store, run, file))
            except DamagedError:  # told as what it is
                continue


def _of_iterations(store: Store, run: str) -> Iterator[Absent]:
    """The generations of task iterations that are over, which the end of one counts."""
    for file in iterations(store, run):
        try:
            ended = read_iteration(store, run, file)
        except DamagedError:
            continue
        for generation, children in ended.get("children", {}).items():
            name = generation_file(ended["task"], ended["iteration"], int(generation))
            try:
                found = len(read_generation(store, run, name)["children"])
            except InputError:
                yield _run(store, run, ended["task"], name, f"is missing: {children} children were in it")
            except DamagedError:
                continue
            else:
                if found != children:
                    yield _run(store, run, ended["task"], name, f"holds {found} children, and there were {children}")


def _read_task(store: Store, name: str) -> TaskRecord | None:
    try:
        return store.read_task(name)
    except (DamagedError, InputError):
        return None


def _run(store: Store, run: str, task: str | None, file: str, reason: str, hides: bool = False) -> Absent:
    path = Path(store.path, "runs", run, file) if file else Path(store.path, "runs", run)
    return Absent("run", f"{run}/{file}".rstrip("/"), task, DamagedFile(path, reason, store.path), hides)
