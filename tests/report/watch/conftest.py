"""A real system of one tiny task, what evolves it in a process of its own, and a browser."""

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from watch_tools import Evolution, Evolving, evolve_tiny

import munet

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
    context.set_forkserver_preload(["munet.evolution", "munet.roots", "munet.tasks"])
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


@pytest.fixture
def browser() -> "Iterator[Browser]":
    """Chromium without a window: $MUNET_CHROMIUM, or one on the path."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("MUNET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium here; MUNET_CHROMIUM names one")
    with playwright.sync_playwright() as running:
        made = running.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()
