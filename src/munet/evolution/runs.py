"""A run: one call of `evolve`, from its first child to its last, over as many interruptions as it takes."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from munet.analysis.status import is_finished
from munet.errors import InputError
from munet.provenance import now, versions
from munet.search import Method
from munet.store import FORMAT
from munet.store.derived import totals
from munet.store.run_files import GENERATION_FILE, ITERATION_FILE, generation_of

if TYPE_CHECKING:
    from munet.system import System


@dataclass(frozen=True)
class Run:
    """What a run was asked to do. The `request` part of its record decides whether a command resumes it."""

    name: str
    method: Method
    tasks: tuple[str, ...]
    seed: int
    image_size: int | None  # of every child; None leaves it to the search
    device: str
    precision: str
    threads: int
    resumed: bool

    def has_finished(self, record: Mapping[str, Any], iteration: int) -> bool:
        """Whether a task (by its record) has ended this iteration of the run."""
        last = record["last"]
        return last is not None and last["run"] == self.name and last["iteration"] >= iteration


def begin(
    system: "System",
    method: Method,
    tasks: Sequence[str],
    *,
    seed: int,
    image_size: int | None,
    device: str,
    precision: str,
    threads: int | None,
    default_threads: int,
    new: bool,
) -> Run:
    """Start a run, or go on with the interrupted one when it was asked for the same.

    `threads` of each child as they were asked for, `default_threads` where they were not.
    """
    request = {
        "method": method.model_dump(mode="json"),
        "tasks": list(tasks),
        "seed": seed,
        "image_size": image_size,
        "precision": precision,
        "threads": threads,
    }
    unfinished = [run for run in system.store.runs() if not is_finished(system.store, run)]
    for name in unfinished:
        config = system.store.read_run(name, "run.json")
        if new:
            abandon(system, name)
        elif config["request"] == request:
            return _run(name, method, config, device, resumed=True)
        else:
            raise InputError(_conflict(system, name, config["request"], request))
    config = {
        "format": FORMAT,
        "request": request,
        "threads": threads or default_threads,
        "device": device,
        "started": now(),
        "versions": versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
    return _run(system.store.new_run(config), method, config, device, resumed=False)


def _run(name: str, method: Method, config: Mapping[str, Any], device: str, *, resumed: bool) -> Run:
    request = config["request"]
    return Run(
        name=name,
        method=method,
        tasks=tuple(request["tasks"]),
        seed=request["seed"],
        image_size=request["image_size"],
        device=device,
        precision=request["precision"],
        threads=config["threads"],
        resumed=resumed,
    )


def _conflict(system: "System", name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    changed = [key for key in ("tasks", "seed", "image_size", "precision", "threads") if old[key] != new[key]]
    methods = old["method"], new["method"]
    changed += [key for key in methods[1] if methods[0].get(key) != methods[1][key]]
    return (
        f"run {name} of {system.path} was interrupted and asked for another {', '.join(changed)}: "
        "give the same command again to go on with it, or add --new to leave it behind and start this one"
    )


def abandon(system: "System", name: str) -> None:
    """Close an interrupted run: what its tasks had retained before stays, its open populations are dropped."""
    store = system.store
    with store.commit():
        for task in store.tasks():
            record = store.read_task(task)
            if record["active"] and record["active"]["run"] == name:
                store.write_task(record | {"active": None})
        store.write_run(name, "finished.json", {"finished": now(), "abandoned": True})


def finished_children(system: "System", run: Run) -> int:
    """Children of the run that need no more work."""
    files = [file for file in system.store.run_files(run.name) if generation_of(file)]
    return sum(len(system.store.read_run(run.name, file)["children"]) for file in files)


def read_generation(system: "System", run: Run, task: str, iteration: int, generation: int) -> list[dict[str, Any]]:
    """Records of the children of a generation that have finished so far."""
    file = GENERATION_FILE.format(task=task, iteration=iteration, generation=generation)
    if not system.store.has_run_file(run.name, file):
        return []
    return system.store.read_run(run.name, file)["children"]


def write_generation(
    system: "System", run: Run, task: str, iteration: int, generation: int, children: Sequence[Mapping[str, Any]]
) -> None:
    """Replace the record of a generation, in one atomic step."""
    file = GENERATION_FILE.format(task=task, iteration=iteration, generation=generation)
    place = {"task": task, "iteration": iteration, "generation": generation}
    system.store.write_run(run.name, file, {"format": FORMAT, **place, "children": list(children)})


def write_iteration(
    system: "System", run: Run, task: str, iteration: int, model: str | None, test: Mapping[str, Any] | None
) -> None:
    """Say what a task iteration retains, and what the system comes to with it. Before the task's record says so."""
    store = system.store
    records = {record["name"]: record for record in store.task_records()}
    records[task] = records[task] | {"model": model, "test": test}
    kept = {name: record for name, record in records.items() if record["model"]}
    manifests = {name: store.get_model(record["model"]) for name, record in kept.items()}
    tests = {name: record["test"]["accuracy"] for name, record in kept.items() if record["test"]}
    told = {
        "format": FORMAT,
        "task": task,
        "iteration": iteration,
        "order": iteration * len(run.tasks) + run.tasks.index(task),
        "model": model,
        "validation_accuracy": manifests[task]["metrics"]["validation_accuracy"] if model else None,
        "test": test,
        "system": {"tasks": len(kept), **totals(manifests, tests)},
        "finished": now(),
    }
    store.write_run(run.name, ITERATION_FILE.format(task=task, iteration=iteration), told)
