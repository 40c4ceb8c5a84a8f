"""Systems to analyse, each made once: only read them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import munet
from analysis_tools import big_system
from golden_ids import images
from growing import evolve
from munet.evolution import loop as evolution

BUDGET: dict[str, Any] = {
    "generations": 2,
    "children": 3,
    "cycles": 2,
    "samples_per_cycle": 45,
    "batch_size": 15,
    "threads": 1,
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> munet.System:
    """Three tasks, the last of which waits; trained, in two runs of two methods. Nothing superseded was collected."""
    place = tmp_path_factory.mktemp("analysis") / "whole"
    system = munet.System.create(place, root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")
    system.add_task("private", f"npz:{tiny_npz}", private=True)
    settings = {"adapters": "sampled", "mutation_probability": 0.3, "space.image_size": [16, 32, 48]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evolution, "collect", lambda store, models: None)
        evolve(system, method="mu2net-plus", task_iterations=2, seed=3, settings=settings, executor="local", **BUDGET)
        evolve(system, method="munet", task_iterations=1, settings={"scale": 0.6}, executor="local", **BUDGET)
    system.add_task("waiting", f"npz:{tiny_npz}")
    return system


@pytest.fixture(scope="session")
def trained(whole: munet.System) -> munet.System:
    """As `whole` would be: superseded models are collected."""
    place = whole.path.parent / "trained"
    shutil.copytree(whole.path, place)
    system = munet.System.open(place)
    assert system.gc().models > 0
    return system


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Twelve tasks with 800 children on a root of four blocks."""
    return big_system(tmp_path_factory.mktemp("analysis") / "made-up", tasks=12, children=800, blocks=4)


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Two tasks that trained a trunk together after their heads alone were made, and one that waits."""
    folder = tmp_path_factory.mktemp("together")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name, classes in (("three", 3), ("four", 4), ("waiting", 3)):
        images(folder / name, classes)
        system.add_task(name, f"npz:{folder / name}")
    small = {"samples_per_cycle": 96, "cycles": 2, "threads": 1, "executor": "local"}
    evolve(system, ["three", "four"], method="adaptive", settings={"scale": 0.5}, **small)
    return system
