"""The state of a run that another process is at, from what it has recorded so far."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from munet.cli.evolve.state import RunState, advance, count_share, initial_state
from munet.cli.text.formatting import duration, percent
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    RunStarted,
    SharesExpected,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)
from munet.evolution.heads_read import with_heads_of
from munet.evolution.runs import Request
from munet.evolution.shares import expected_samples, is_new
from munet.evolution.work import images_of
from munet.model.loader import ModelLoader
from munet.search import Method
from munet.search.adaptive import Evidence
from munet.store.run_files import GenerationPlace
from munet.store.run_records import (
    generations,
    iterations,
    read_config,
    read_generation,
    read_iteration,
    trunk_progress,
)
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.search.adaptive import Kind
    from munet.store import Store
    from munet.store.schema import ChildRecord, GenerationRecord

Timed = tuple[float, Event]


class Generations:
    """The records of generations of runs, each read once as long as its file is the same."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._read: dict[tuple[str, str], tuple[tuple[int, int], GenerationRecord]] = {}

    def of(self, run: str) -> Iterator[tuple[GenerationPlace, "GenerationRecord"]]:
        """Each with its place, in the order of their files. Raises DamagedError."""
        for file, place in generations(self._store, run):
            seen = self._store.run_path(run, file).stat()
            mark, known = (seen.st_mtime_ns, seen.st_size), self._read.get((run, file))
            if known is None or known[0] != mark:
                known = self._read[run, file] = mark, read_generation(self._store, run, file)
            yield place, known[1]


def replayed(store: "Store", run: str, read: Generations | None = None) -> RunState:
    """The state after all that is recorded; its clock is UTC in seconds. Raises DamagedError.

    Who asks again gives what was `read` before.
    """
    read = read or Generations(store)
    config = read_config(store, run)
    began, request = _seconds(config["started"]), Request.of(config["request"])
    state = initial_state(began)
    advance(state, _run_started(store, run, request, read), began)
    for at, event in _events(store, run, request, read):
        advance(state, event, at, replayed=True)
    for at, event in _begun(store, state):
        advance(state, event, at, replayed=True)
    count_share(state)
    return state


def told(state: RunState) -> str:
    """How far, how long and which task, in a line that a narrow terminal cuts at its end."""
    run = state.run
    assert run is not None
    left = f", about {duration(state.time_left)} left" if state.time_left is not None else ""
    return f"run {run.run}: {percent(state.progress, 0)} % done in {duration(state.elapsed)}{left}; {place(state)}"


def place(state: RunState) -> str:
    """Where a run is."""
    run, task = state.run, state.task
    assert run is not None
    if state.trunk is not None:
        cycle = f"cycle {len(state.trunk_accuracies)}/{state.trunk.cycles}"
        return f"a trunk for {counted(len(state.trunk.tasks), 'task')}, {cycle}"
    if task is None:
        return f"no child of {counted(len(run.tasks), 'task')} has finished yet"
    finished = sum(bool(row.accuracies or row.reason) for row in state.children)
    children = f", generation {state.generation + 1}/{run.generations}, child {finished}/{len(state.children)}"
    done = "" if state.children or state.tasks[task.task].iterations <= task.iteration else " done"
    return (
        f"{clean(task.task)}{done} (task {run.tasks.index(task.task) + 1}/{len(run.tasks)}), "
        f"task iteration {task.iteration + 1}/{run.task_iterations}{children if state.children else ''}"
    )


def _begun(store: "Store", state: RunState) -> Iterator[Timed]:
    """The task iteration and generation that no finished child tells of yet, or the trunk in training."""
    assert state.run is not None
    records = [store.read_task(name) for name in state.run.tasks if store.has_task(name)]
    now = [(record["name"], active) for record in records if (active := record["active"])]
    if not now:
        yield from _trunk(store, state, state.run)
    if len(now) != 1 or now[0][1]["run"] != state.run.run:
        return
    task, active = now[0]
    at = (task, active["iteration"])
    if state.task is None or (state.task.task, state.task.iteration) != at or not state.children:
        yield state.now, TaskStarted(*at, 0, 0, None)
    elif state.generation >= active["generation"]:
        return
    children = 1 if state.run.head_first and at[1] == 0 else state.run.children
    yield state.now, GenerationStarted(*at, active["generation"], ((),) * children)


def _trunk(store: "Store", state: RunState, run: RunStarted) -> Iterator[Timed]:
    """The cycles of a trunk in training, which are recorded together: as if they had taken equally long."""
    if (found := trunk_progress(store, run.run)) is None:
        return
    trunk, kept = found
    began, iteration, done = state.now, int(run.head_first), list(zip(*trunk.accuracies, strict=True))
    yield began, TrunkStarted(tuple(trunk.tasks), iteration, trunk.cycles, tuple(trunk.shares))
    for cycle, accuracies in enumerate(done):
        at = began + max(0.0, kept - began) * (cycle + 1) / len(done)
        yield at, TrunkCycle(iteration, cycle, accuracies)


def _run_started(store: "Store", run: str, request: Request, read: Generations) -> RunStarted:
    method = request.method
    sizes = (method.task_iterations + method.head_first, method.generations, method.children, method.cycles)
    kinds, root = _kinds(run, read), sum(store.get_model(store.root)["sizes"].values())
    flops = ModelLoader(store).root_flops(request.image_size)
    images = tuple(
        images_of(with_heads_of(method, kinds.get(name, "photographs"), root), store.read_task(name), flops)
        for name in request.tasks
    )
    how = {"head_first": method.head_first, "together": method.together}
    return RunStarted(run, method.name, request.tasks, *sizes, **how, images=images)


def _kinds(run: str, read: Generations) -> "dict[str, Kind]":
    """What the images of each task are, where the record of a child that was computed from evidence says so."""
    found: dict[str, Kind] = {}
    for place, record in read.of(run):
        for child in record["children"]:
            if evidence := child.get("evidence"):
                found[place.task] = "drawings" if evidence.get("kind") == "drawings" else "photographs"
    return found


def _events(store: "Store", run: str, request: Request, read: Generations) -> Iterator[Timed]:
    """The events of a run in their order, each with its time: one task iteration after the other, as they ended.

    Not sorted by their times alone: those are whole seconds, and all children of a trunk began when it did.
    """
    found = dict[tuple[str, int], list[Timed]]()
    for place, record in read.of(run):
        children = [child for child in record["children"] if child.get("finished")]
        if children:
            found.setdefault((place.task, place.iteration), []).extend(_generation(place, children, request.method))
    for file in iterations(store, run):
        end = read_iteration(store, run, file)
        test = end["test"]["accuracy"] if end["test"] else None
        finished = TaskFinished(end["task"], end["iteration"], end["model"], end["validation_accuracy"], test, True)
        found.setdefault((end["task"], end["iteration"]), []).append((_seconds(end["finished"]), finished))
    if request.method.head_first:  # after the heads, before all that is trained
        found["", 0] = [(math.inf, _expected(store, run, request, read))]
    last = 0.0
    for _, events in sorted(found.items(), key=lambda item: (item[0][1], item[1][-1][0])):
        for at, event in events:
            last = at if last < at < math.inf else last
            yield last, event


def _expected(store: "Store", run: str, request: Request, read: Generations) -> SharesExpected:
    """How the new tasks are going to divide their samples, as far as the heads tell that are made."""
    found, names = dict[str, Evidence](), list[str]()
    for place, record in read.of(run):
        for child in record["children"]:
            if place.iteration == 0 and (evidence := child.get("evidence")):
                found[place.task] = Evidence.from_json(evidence)
    for name in request.tasks:
        if store.has_task(name) and store.read_task(name)["private"]:
            found.pop(name, None)
        elif name in found or (store.has_task(name) and is_new(store, name)):
            names.append(name)
    root = sum(store.get_model(store.root)["sizes"].values())
    return SharesExpected(1, tuple(expected_samples(request.method, found, names, root).items()))


def _generation(place: GenerationPlace, children: "list[ChildRecord]", method: Method) -> Iterator[Timed]:
    at = min(_seconds(child["started"] or child.get("finished")) for child in children)
    if place.generation == 0:
        yield at, TaskStarted(place.task, place.iteration, 0, 0, None)
    first = method.head_first and place.iteration == 0
    count = max(1 if first else method.children, *(child["child"] + 1 for child in children))
    mutations = {child["child"]: tuple(child["mutations"]) for child in children}
    yield at, GenerationStarted(*place, tuple(mutations.get(number, ()) for number in range(count)))
    for child in sorted(children, key=lambda child: str(child.get("finished"))):
        at, number = _seconds(child.get("finished")), child["child"]
        for cycle, accuracy in enumerate(child["accuracies"]):
            yield at, CycleFinished(*place, number, cycle, accuracy)
        verdict = (child["accepted"], False, child["accuracy"], child["score"], child["reason"])
        yield at, ChildFinished(*place, number, *verdict, child)


def _seconds(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
