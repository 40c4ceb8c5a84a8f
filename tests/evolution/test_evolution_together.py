"""Several processes evolve one system, each other tasks than the rest."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import munet
from growing import evolve
from killing import SETTINGS, create
from munet.errors import InputError, StoreError
from munet.evolution.events import Event, GenerationStarted
from munet.report.watch.activity import activity
from munet.report.watch.changes import Files
from munet.store.run_files import generation_file
from munet.store.run_records import read_generation, unfinished_of
from side_by_side import meet_in_the_last_generation, stop_in_the_last_generation

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["side_by_side", "munet.evolution.start", "munet.roots", "munet.tasks"])


def alone(path: Path, data: Path, task: str) -> str | None:
    """The model that a task retains where nobody evolves another."""
    system = create(path, data)
    evolve(system, [task], task_iterations=1, **SETTINGS)
    return system.task(task)["model"]


@contextmanager
def process_at(system: munet.System, task: str) -> Iterator[int]:
    """A process, by its number, that evolves a task and waits within its last generation; it is killed at the end."""
    mine, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=stop_in_the_last_generation, args=(system.path, task, theirs))
    process.start()
    try:
        theirs.close()
        assert mine.recv() == "there"
        assert process.pid is not None
        yield process.pid
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.join()


def test_two_processes_evolve_two_tasks_at_once(tmp_path: Path, tiny_npz: Path):
    system = create(tmp_path / "both", tiny_npz)
    barrier = CONTEXT.Barrier(2)
    processes = [
        CONTEXT.Process(target=meet_in_the_last_generation, args=(system.path, task, barrier)) for task in system.tasks
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert system.fsck().ok
    assert system.status()["unfinished"] == []
    for task in system.tasks:
        assert system.task(task)["model"] == alone(tmp_path / task, tiny_npz, task)
    assert system.gc().models == 0


def test_a_kill_leaves_the_other_tasks_alone_and_the_run_goes_on_as_if_nothing_was(tmp_path: Path, tiny_npz: Path):
    system = create(tmp_path / "killed", tiny_npz)
    with process_at(system, "shapes"):
        evolve(system, ["again"], task_iterations=1, **SETTINGS)
        assert system.gc().models == 0
    assert system.task("again")["model"] is not None
    assert system.status()["unfinished"][0]["going_on"] is False
    assert unfinished_of(system.store, ["again"]) == []
    evolve(system, ["again"], task_iterations=1, seed=1, **SETTINGS)
    assert system.task("again")["iterations"] == 2
    with pytest.raises(InputError, match=r"run 0001 .* was interrupted and asked for another seed"):
        evolve(system, ["shapes"], task_iterations=1, seed=1, **SETTINGS)
    munet.resume(system)
    assert system.task("shapes")["model"] == alone(tmp_path / "calm", tiny_npz, "shapes")
    assert system.fsck().ok


def test_a_task_that_a_process_evolves_is_refused_to_others(tmp_path: Path, tiny_npz: Path):
    system = create(tmp_path / "s", tiny_npz)
    with process_at(system, "shapes") as number:
        told = f"process {number} of .* is already evolving task 'shapes' of .*: wait for it or stop it first"
        for tasks in (["shapes"], ["again", "shapes"]):
            with pytest.raises(StoreError, match=told) as refused:
                evolve(system, tasks, task_iterations=1, **SETTINGS)
            assert refused.value.kind == "busy"
        with pytest.raises(StoreError, match=told):
            evolve(system, ["again"], abandon="0001", task_iterations=1, **SETTINGS)
        with pytest.raises(StoreError, match=told):
            munet.resume(system, "0001")
        with pytest.raises(InputError, match="nothing is to be resumed: a process is at 0001"):
            munet.resume(system)
        assert system.status()["unfinished"][0]["going_on"] is True
        assert activity(system.path, Files(system.path).look()) == ("evolving", "0001")
        with system.store.evolving("again"):
            system.store.new_run({"request": {"tasks": ["again"]}})
            assert activity(system.path, Files(system.path).look()) == ("evolving", "0001, 0002")
    assert activity(system.path, Files(system.path).look()) == ("interrupted", "0002")
    assert system.store.runs() == ["0001", "0002"]


def test_each_generation_sees_what_others_retained_by_then_and_keeps_it(tmp_path: Path, tiny_npz: Path):
    system = create(tmp_path / "s", tiny_npz)
    retained: list[str] = []

    def tell(event: Event) -> None:
        if isinstance(event, GenerationStarted):
            other = munet.System.open(system.path)
            evolve(
                other, ["again"], task_iterations=1, seed=event.generation, settings={"acceptance": ">="}, **SETTINGS
            )
            retained.append(str(other.task("again")["model"]))
            for model in retained[:-1][-1:]:  # replaced by now, and seen by the generation in training
                other.gc()
                assert all(other.store.has_layer(layer) for layer in other.manifest(model)["layers"].values())

    evolve(system, ["shapes"], task_iterations=1, observer=tell, **SETTINGS)
    assert len(set(retained)) == 2
    files = [generation_file("shapes", 0, generation) for generation in range(2)]
    seen = [read_generation(system.store, "0001", file).get("seen") for file in files]
    assert seen == [[], [{"task": "again", "model": retained[0], "private": False}]]
    assert system.fsck().ok
    report = system.gc()
    assert (report.models, report.layers) == (0, 0)
