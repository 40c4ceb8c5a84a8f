"""Kills of an evolving run: what runs in processes of its own and reports what it has committed, and what judges it."""

import multiprocessing
import random
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import munet
from growing import evolve
from munet.analysis import model_history
from munet.evolution.events import ChildFinished, Event
from munet.fs.tree import Tree

ROOT = {"root": "random:vit_tiny_patch16_224", "depth": 1, "image_size": 32}
TASKS = ("shapes", "again")
SETTINGS: dict[str, Any] = {
    "generations": 2,
    "children": 3,
    "cycles": 2,
    "samples_per_cycle": 40,
    "batch_size": 20,
    "threads": 1,
}


def grow(path: Path) -> None:
    """One finished run over both tasks."""
    evolve(munet.System.open(path), task_iterations=1, **SETTINGS)


def grow_and_report(path: Path, connection: Connection) -> None:
    """The same; sends the place and the model of every child once it is finished, and "done" at the end."""

    def tell(event: Event) -> None:
        if isinstance(event, ChildFinished):
            file = f"{event.task}-{event.iteration:04d}-{event.generation:04d}.json"
            connection.send((event.record["stream"], file, event.child, event.record["model"]))

    evolve(munet.System.open(path), task_iterations=1, observer=tell, **SETTINGS)
    connection.send("done")


def grow_naively(path: Path, connection: Connection) -> None:
    """The same with a store that does not care."""

    def write(files: Tree, path: Path | str, data: bytes) -> None:
        with Path(path).open("wb", buffering=0) as file:
            for start in range(0, len(data), 4096):
                file.write(data[start : start + 4096])

    Tree.write = write  # pyright: ignore[reportAttributeAccessIssue]
    grow_and_report(path, connection)


def contents(path: Path) -> dict[str, bytes]:
    """What the seed decides: layers, models, and refs."""
    files = [file for part in ("layers", "models", "tasks") for file in (path / part).rglob("*.*")]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def create(path: Path, data: Path) -> munet.System:
    system = munet.System.create(path, **ROOT)
    for task in TASKS:
        system.add_task(task, f"npz:{data}")
    return system


def check(path: Path, acknowledged: list[Any]) -> None:
    """The system opens unrepaired, every object is whole, and what the dead process had announced is there."""
    system = munet.System.open(path)
    report = system.fsck()
    assert report.ok, report.to_json()
    known = {tuple(child["stream"]): child for child in model_history.children(system.store)}
    for stream, _, number, model in acknowledged:
        record = known[tuple(stream)]
        assert (record["child"], record["model"]) == (number, model)


def kill_again_and_again(path: Path, kills: int, longest: float, luck: random.Random, naive: bool = False) -> None:
    """Evolve under fire: a run that comes to its end all the same is followed by the next. `naive`: with a writer that
    gives files their names before they are whole."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killing", "munet.evolution.start", "munet.roots", "munet.tasks"])
    killed = 0
    while killed < kills:
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=grow_naively if naive else grow_and_report, args=(path, theirs))
        process.start()
        theirs.close()
        process.join(luck.uniform(0, longest))
        process.kill()
        process.join()
        said = []
        while mine.poll():
            try:
                said.append(mine.recv())
            except EOFError:
                break
        killed += "done" not in said
        check(path, [message for message in said if message != "done"])


def same_as_undisturbed(tmp_path: Path, data: Path, kills: int, longest: float) -> None:
    system = create(tmp_path / "killed", data)
    kill_again_and_again(system.path, kills, longest, random.Random(0))
    grow(system.path)  # the last, interrupted one: to its end
    assert system.status()["unfinished_run"] is None
    calm = create(tmp_path / "calm", data)
    for _ in system.store.runs():
        grow(calm.path)
    for path in (system.path, calm.path):
        munet.System.open(path).gc()
    assert contents(system.path) == contents(calm.path)
