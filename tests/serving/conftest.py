"""A system of three tasks with models, and a server of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import munet
from golden_ids import images
from growing import evolve
from munet.serving.access import Access
from munet.serving.app import app
from munet.serving.batcher import Batcher
from munet.serving.limits import Limits
from munet.serving.measures import Measures
from munet.serving.served import Served
from munet.serving.service import Service


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tasks around a random root of two blocks, with heads in closed form; only copies of it are changed."""
    folder = tmp_path_factory.mktemp("served")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name, classes in (("three", 3), ("four", 4), ("again", 3)):
        images(folder / name, classes)
        system.add_task(name, f"npz:{folder / name}")
    evolve(system, method="head-only", threads=1, executor="local")
    return system.path


@pytest.fixture
def system(made: Path, tmp_path: Path) -> munet.System:
    return munet.System.open(shutil.copytree(made, tmp_path / "fleet"))


Start = Callable[..., Service]


@pytest.fixture
def start(system: munet.System) -> Iterator[Start]:
    """Makes services of the system; they are stopped at the end."""
    running = list[Service]()

    def started(
        *, exact: bool = False, limits: Limits | None = None, token: str | None = None, **options: Any
    ) -> Service:
        measures, chosen = Measures(), limits or Limits()
        served = Served(system.models, "cpu", options.get("tasks"))
        served.load()
        batcher = Batcher("cpu", chosen, measures, exact=exact)
        access = Access(token, options.get("loopback", True), 8000)
        running.append(Service(served, batcher, measures, chosen, access, options.get("report")))
        return running[-1]

    yield started
    for service in running:
        service.batcher.close()


@pytest.fixture
def client(start: Start) -> Iterator[TestClient]:
    with TestClient(app(start()), base_url="http://localhost:8000") as client:
        yield client
