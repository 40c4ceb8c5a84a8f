"""A real system of one tiny task, what evolves it in a process of its own, and a browser."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

import munet
from watch_tools import Evolution, Evolving, evolve_tiny


@pytest.fixture
def system(tmp_path: Path, tiny_npz: Path) -> munet.System:
    """One task, never evolved."""
    made = munet.System.create(tmp_path / "fleet", "random:vit_tiny_patch16_224", depth=1, image_size=32)
    made.add_task("shapes", f"npz:{tiny_npz}")
    return made


@pytest.fixture
def evolving() -> Iterator[Evolving]:
    """Starts, or goes on with, a run of `watch_tools.CHILDREN` children in another process: `evolving(path, seed)`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["munet.evolution.start", "munet.roots", "munet.tasks"])
    started = list[Evolution]()

    def start(path: Path, seed: int = 0) -> Evolution:
        go_on = context.Event()
        process = context.Process(target=evolve_tiny, args=(path, seed, go_on))
        process.start()
        started.append(Evolution(process, go_on))
        return started[-1]

    yield start
    for evolution in started:
        evolution.process.kill()
        evolution.process.join()
