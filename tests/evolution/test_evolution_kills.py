"""SIGKILL at random moments: nothing acknowledged is lost, nothing is damaged, the end is the same (P1, P4, P5, P6)."""

import multiprocessing
import random
from pathlib import Path
from typing import Any

import pytest

import munet
from killing import ROOT, TASKS, grow, grow_and_report
from munet.analysis import model_history


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


def kill_again_and_again(path: Path, kills: int, longest: float, luck: random.Random) -> None:
    """Evolve under fire: a run that comes to its end all the same is followed by the next."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killing", "munet.evolution.start", "munet.roots", "munet.tasks"])
    killed = 0
    while killed < kills:
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=grow_and_report, args=(path, theirs))
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


def test_ten_kills(tmp_path: Path, tiny_npz: Path) -> None:
    same_as_undisturbed(tmp_path, tiny_npz, kills=10, longest=1.5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_kills(tmp_path: Path, tiny_npz: Path) -> None:
    same_as_undisturbed(tmp_path, tiny_npz, kills=100, longest=1.5)
