"""The state of a run that another process is at, from what it has recorded so far."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from munet.cli.evolve.state import RunState, advance, initial_state
from munet.cli.text.formatting import duration, percent
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    GenerationStarted,
    RunStarted,
    TaskFinished,
    TaskStarted,
)
from munet.evolution.heads_read import with_heads_of
from munet.evolution.runs import Request
from munet.evolution.work import images_of
from munet.search import Method
from munet.store.run_files import GenerationPlace
from munet.store.run_records import generations, iterations, read_config, read_generation, read_iteration
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.search.adaptive import Kind
    from munet.store import Store
    from munet.store.schema import ChildRecord

Timed = tuple[float, Event]


def replayed(store: "Store", run: str) -> RunState:
    """The state after all that is recorded; its clock is UTC in seconds. Raises DamagedError."""
    config = read_config(store, run)
    began, request = _seconds(config["started"]), Request.of(config["request"])
    state = initial_state(began)
    advance(state, _run_started(store, run, request), began)
    for at, event in sorted(_events(store, run, request.method), key=lambda timed: timed[0]):
        advance(state, event, at)
    for event in _begun(store, state):
        advance(state, event, state.now)
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
    if task is None:
        return f"no child of {counted(len(run.tasks), 'task')} has finished yet"
    finished = sum(bool(row.accuracies or row.reason) for row in state.children)
    children = f", generation {state.generation + 1}/{run.generations}, child {finished}/{len(state.children)}"
    return (
        f"{clean(task.task)} (task {run.tasks.index(task.task) + 1}/{len(run.tasks)}), "
        f"task iteration {task.iteration + 1}/{run.task_iterations}{children if state.children else ''}"
    )


def _begun(store: "Store", state: RunState) -> Iterator[Event]:
    """The task iteration and generation that no finished child tells of yet; several at once are those of a trunk."""
    assert state.run is not None
    records = [store.read_task(name) for name in state.run.tasks if store.has_task(name)]
    now = [(record["name"], active) for record in records if (active := record["active"])]
    if len(now) != 1 or now[0][1]["run"] != state.run.run:
        return
    task, active = now[0]
    at = (task, active["iteration"])
    if state.task is None or (state.task.task, state.task.iteration) != at or not state.children:
        yield TaskStarted(*at, 0, 0, None)
    elif state.generation >= active["generation"]:
        return
    children = 1 if state.run.head_first and at[1] == 0 else state.run.children
    yield GenerationStarted(*at, active["generation"], ((),) * children)


def _run_started(store: "Store", run: str, request: Request) -> RunStarted:
    method = request.method
    sizes = (method.task_iterations + method.head_first, method.generations, method.children, method.cycles)
    kinds, root = _kinds(store, run), sum(store.get_model(store.root)["sizes"].values())
    images = tuple(
        images_of(with_heads_of(method, kinds.get(name, "photographs"), root), store.read_task(name))
        for name in request.tasks
    )
    return RunStarted(run, method.name, request.tasks, *sizes, head_first=method.head_first, images=images)


def _kinds(store: "Store", run: str) -> "dict[str, Kind]":
    """What the images of each task are, where the record of a child that was computed from evidence says so."""
    found: dict[str, Kind] = {}
    for file, place in generations(store, run):
        for child in read_generation(store, run, file)["children"]:
            if evidence := child.get("evidence"):
                found[place.task] = "drawings" if evidence.get("kind") == "drawings" else "photographs"
    return found


def _events(store: "Store", run: str, method: Method) -> Iterator[Timed]:
    """The events of a run, each with its time."""
    for file, place in generations(store, run):
        children = [child for child in read_generation(store, run, file)["children"] if child.get("finished")]
        if children:
            yield from _generation(place, children, method)
    for file in iterations(store, run):
        end = read_iteration(store, run, file)
        test = end["test"]["accuracy"] if end["test"] else None
        finished = TaskFinished(end["task"], end["iteration"], end["model"], end["validation_accuracy"], test, True)
        yield _seconds(end["finished"]), finished


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
