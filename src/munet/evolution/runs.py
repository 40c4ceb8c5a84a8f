"""A run: one call of `evolve` from its first child to its last, also over interruptions. Its records on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from munet.analysis.unfinished import unfinished
from munet.errors import InputError
from munet.evolution.options import Where
from munet.provenance import machine, now, person, versions
from munet.search import Method
from munet.store import run_records
from munet.store.derived import totals
from munet.store.run_files import generation_file, is_over
from munet.store.schema import (
    ChildRecord,
    ModelTest,
    RunRequest,
    SeenModel,
    TaskRecord,
    finished_record,
    generation_record,
    iteration_record,
    run_record,
    run_request,
)
from munet.store.task_list import missing_record, note_tasks, vanished

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

    @classmethod
    def of(cls, recorded: RunRequest) -> "Request":
        """What a run was asked, from its record."""
        method = Method.model_validate(recorded["method"])
        return cls(
            method,
            tuple(recorded["tasks"]),
            recorded["seed"],
            recorded["image_size"],
            recorded["precision"],
            recorded["threads"],
        )

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


def begin(
    store: "Store", request: Request, *, device: str, default_threads: int, where: Mapping[str, Any] | None = None
) -> Run:
    """Start a run, or go on with the interrupted one that was asked for the same. Hold the locks of its tasks.

    `default_threads` of each child count where the request names none. `where` is recorded for `munet resume`.
    InputError where another run of one of its tasks was interrupted.
    """
    for name in vanished(store):
        raise missing_record(store.task_path(name), store.path)
    note_tasks(store)  # from here on it would hurt if one vanished
    asked = request.to_json()
    open_runs = run_records.unfinished_of(store, request.tasks)
    for name in open_runs:
        config = run_records.read_config(store, name)
        if config["request"] == asked:
            return Run(name, request, device, config["threads"], resumed=True)
    if open_runs:
        raise InputError(_conflict(store, open_runs[0], asked), kind="interrupted-run")
    threads = request.threads or default_threads
    config = run_record(
        asked, threads=threads, device=device, started=now(), versions=versions(), machine=machine(),
        person=person(), where=where,
    )  # fmt: skip
    return Run(store.new_run(config), request, device, threads, resumed=False)


def _conflict(store: "Store", name: str, new: RunRequest) -> str:
    old = run_records.read_config(store, name)["request"]
    changed = [key for key in ("tasks", "seed", "image_size", "precision", "threads") if old[key] != new[key]]
    before, after = old["method"] or {}, new["method"] or {}
    changed += [key for key in after if before.get(key) != after[key]]
    found = unfinished(store, name)
    return (
        f"{found.whose()} was interrupted and asked for another {', '.join(changed)}: `{found.resume}` goes on with "
        f"it; --abandon {name} leaves it behind, and {found.lost()} with it"
    )


def abandon(store: "Store", name: str) -> str:
    """Close an interrupted run: what its tasks had retained before stays, its open populations are dropped.

    Returns a sentence on what was dropped and whose it was. InputError where there is no such interrupted run.
    """
    if name not in store.unfinished_runs():
        known = ", ".join(store.unfinished_runs())
        raise InputError(f"--abandon {name}: " + (f"the runs that are not finished are {known}" if known else _NONE))
    found = unfinished(store, name)
    with store.commit():
        for task in store.tasks():
            record = store.read_task(task)
            if record["active"] and record["active"]["run"] == name:
                store.write_task({**record, "active": None})
        run_records.finish(store, name, finished_record(now(), abandoned=True))
    return f"{found.whose()} is left behind, and {found.lost()} with it"


def choose_unfinished(store: "Store", name: str | None) -> str:
    """The run to go on with: the only one that was interrupted, unless one is named. InputError."""
    known = store.unfinished_runs()
    idle = [run for run in known if not run_records.is_going_on(store, run)] if name is None else []
    if len(idle) == 1:
        return idle[0]
    if idle:
        raise InputError(f"the runs {', '.join(idle)} are not finished: name one of them", kind="interrupted-run")
    if name is None and known:
        raise InputError(f"nothing is to be resumed: a process is at {', '.join(known)}, as `munet status` shows")
    if name not in known:
        what = "nothing is to be resumed" if name is None else f"run {name} is not to be resumed"
        raise InputError(f"{what}: " + (f"not finished are {', '.join(known)}" if known else _NONE))
    return name


def recorded_where(store: "Store", name: str) -> dict[str, Any]:
    """How a run was computed: fields of `Where`. Of an older version's run only the device is known."""
    config = run_records.read_config(store, name)
    known = {field.name for field in fields(Where)}
    return {key: value for key, value in (config.get("where") or {"device": config["device"]}).items() if key in known}


_NONE = "every run is finished"


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
    store: "Store",
    run: Run,
    task: str,
    iteration: int,
    generation: int,
    children: Sequence[ChildRecord],
    seen: Sequence[SeenModel] | None,
) -> None:
    """Replace the record of a generation, in one atomic step."""
    run_records.write_generation(store, run.name, generation_record(task, iteration, generation, children, seen))


def write_iteration(
    store: "Store", run: Run, task: str, iteration: int, model: str | None, test: ModelTest | None
) -> None:
    """Say what a task iteration retains, and what the system comes to with it. Before the task's record says so."""
    with store.commit():  # nobody lets go of what is read
        _write_iteration(store, run, task, iteration, model, test)


def _write_iteration(
    store: "Store", run: Run, task: str, iteration: int, model: str | None, test: ModelTest | None
) -> None:
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
        children=_children(store, run.name, task, iteration),
    )
    run_records.write_iteration(store, run.name, ending)


def _children(store: "Store", run: str, task: str, iteration: int) -> dict[int, int]:
    """How many children each generation of a task iteration has, by its record."""
    places = [(file, place) for file, place in run_records.generations(store, run) if place[:2] == (task, iteration)]
    return {place.generation: len(run_records.read_generation(store, run, file)["children"]) for file, place in places}
