"""A run: one call of `evolve` from its first child to its last, also over interruptions. Its records on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from munet.errors import InputError
from munet.provenance import machine, now, versions
from munet.search import Method
from munet.store import run_records
from munet.store.derived import totals
from munet.store.run_files import generation_file, is_over
from munet.store.schema import (
    ChildRecord,
    ModelTest,
    RunRequest,
    TaskRecord,
    finished_record,
    generation_record,
    iteration_record,
    run_record,
    run_request,
)

if TYPE_CHECKING:
    from munet.store import Store


@dataclass(frozen=True)
class Request:
    """What a run was asked to do. Who asks for the same again resumes it."""

    method: Method
    tasks: tuple[str, ...]
    seed: int
    image_size: int | None  # of every child; None leaves it to the search
    precision: str
    threads: int | None  # of each child, as asked for

    def to_json(self) -> RunRequest:
        return run_request(
            method=self.method.model_dump(mode="json"),
            tasks=self.tasks,
            seed=self.seed,
            image_size=self.image_size,
            precision=self.precision,
            threads=self.threads,
        )


@dataclass(frozen=True)
class Run:
    """A run in progress: its name, what it was asked, and how this session computes it."""

    name: str
    request: Request
    device: str
    threads: int
    resumed: bool

    @property
    def method(self) -> Method:
        return self.request.method

    @property
    def tasks(self) -> tuple[str, ...]:
        return self.request.tasks

    def has_finished(self, record: TaskRecord, iteration: int) -> bool:
        """Whether a task (by its record) has ended this task iteration of the run."""
        return is_over(record, self.name, iteration)


def begin(store: "Store", request: Request, *, device: str, default_threads: int, new: bool) -> Run:
    """Start a run, or go on with the interrupted one when it was asked for the same.

    `default_threads` of each child count where the request names none.
    """
    asked = request.to_json()
    for name in [run for run in store.runs() if not store.is_finished(run)]:
        config = run_records.read_config(store, name)
        if new:
            abandon(store, name)
        elif config["request"] == asked:
            return Run(name, request, device, config["threads"], resumed=True)
        else:
            raise InputError(_conflict(store, name, config["request"], asked), kind="interrupted-run")
    threads = request.threads or default_threads
    config = run_record(asked, threads=threads, device=device, started=now(), versions=versions(), machine=machine())
    return Run(store.new_run(config), request, device, threads, resumed=False)


def _conflict(store: "Store", name: str, old: RunRequest, new: RunRequest) -> str:
    changed = [key for key in ("tasks", "seed", "image_size", "precision", "threads") if old[key] != new[key]]
    before, after = old["method"] or {}, new["method"] or {}
    changed += [key for key in after if before.get(key) != after[key]]
    return (
        f"run {name} of {store.path} was interrupted and asked for another {', '.join(changed)}: "
        "give the same command again to go on with it, or add --new to leave it behind and start this one"
    )


def abandon(store: "Store", name: str) -> None:
    """Close an interrupted run: what its tasks had retained before stays, its open populations are dropped."""
    with store.commit():
        for task in store.tasks():
            record = store.read_task(task)
            if record["active"] and record["active"]["run"] == name:
                store.write_task({**record, "active": None})
        run_records.finish(store, name, finished_record(now(), abandoned=True))


def finished_children(store: "Store", run: Run) -> int:
    """Children of the run that need no more work."""
    files = [file for file, _ in run_records.generations(store, run.name)]
    return sum(len(run_records.read_generation(store, run.name, file)["children"]) for file in files)


def read_generation(store: "Store", run: Run, task: str, iteration: int, generation: int) -> list[ChildRecord]:
    """Records of the children of a generation that have finished so far."""
    file = generation_file(task, iteration, generation)
    if not store.has_run_file(run.name, file):
        return []
    return run_records.read_generation(store, run.name, file)["children"]


def write_generation(
    store: "Store", run: Run, task: str, iteration: int, generation: int, children: Sequence[ChildRecord]
) -> None:
    """Replace the record of a generation, in one atomic step."""
    run_records.write_generation(store, run.name, generation_record(task, iteration, generation, children))


def write_iteration(
    store: "Store", run: Run, task: str, iteration: int, model: str | None, test: ModelTest | None
) -> None:
    """Say what a task iteration retains, and what the system comes to with it. Before the task's record says so."""
    records = {record["name"]: record for record in store.task_records()}
    records[task] = {**records[task], "model": model, "test": test}
    manifests = {name: store.get_model(retained) for name, record in records.items() if (retained := record["model"])}
    tests = {name: tested["accuracy"] for name in manifests if (tested := records[name]["test"])}
    ending = iteration_record(
        task,
        iteration,
        order=iteration * len(run.tasks) + run.tasks.index(task),
        model=model,
        validation_accuracy=manifests[task]["metrics"]["validation_accuracy"] if model else None,
        test=test,
        tasks=len(manifests),
        totals=totals(manifests, tests),
        finished=now(),
    )
    run_records.write_iteration(store, run.name, ending)
