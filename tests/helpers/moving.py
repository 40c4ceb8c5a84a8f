"""A system in two states, and a writer that takes it from one to the other under a reader."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import munet
from growing import evolve
from munet.analysis import model_history
from munet.evolution import loop
from munet.store import Store
from munet.store.gc import gc

BUDGET: dict[str, Any] = {"generations": 1, "children": 2, "cycles": 1, "samples_per_cycle": 30, "batch_size": 15}
TASK = "shapes"


@dataclass(frozen=True)
class Moving:
    """`path` is the system; it is in its first state until `move` is called."""

    path: Path
    models: tuple[str, str]  # retained in the one state and in the other
    later: Path

    def move(self) -> None:
        """What the end of a task iteration does: new objects, the ref, then the old objects go."""
        _copy(self.later, self.path, ("layers", "models"))
        _copy(self.later, self.path, ("tasks",))
        gc(Store.open(self.path))

    def fresh(self, place: Path) -> "Moving":
        shutil.copytree(self.path, place)
        return Moving(place, self.models, self.later)


def _copy(source: Path, target: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        for file in sorted((source / part).rglob("*.*")):
            place = target / file.relative_to(source)
            place.parent.mkdir(exist_ok=True)
            shutil.copy(file, place.with_name(f".tmp-{place.name}"))
            os.replace(place.with_name(f".tmp-{place.name}"), place)


def two_states(place: Path, images: Path) -> Moving:
    """A task with one model, which another one supersedes."""
    system = munet.System.create(place / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task(TASK, f"npz:{images}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "collect", lambda store, models: None)
        evolve(system, task_iterations=1, threads=1, executor="local", **BUDGET)
    accepted = [child for child in model_history.children(system.store, TASK) if child["model"]]
    one, other = (child["model"] for child in accepted[:2])
    shutil.copytree(system.path, place / "later")
    for path, model in ((system.path, one), (place / "later", other)):
        store = Store.open(path)
        record = store.read_task(TASK)
        test = {"model": model, "accuracy": 0.5, "examples": 30}
        store.write_task({**record, "model": model, "test": test})  # pyright: ignore[reportArgumentType]
        gc(store)
    assert one is not None
    assert other is not None
    return Moving(system.path, (one, other), place / "later")


@contextmanager
def moved_at(k: int, moving: Moving) -> Iterator[Callable[[], bool]]:
    """Inside, the system moves on right after the k-th reading of a task's record; tells whether that came."""
    real, count = Store.read_task, 0

    def read_task(store: Store, name: str) -> Any:
        nonlocal count
        record = real(store, name)
        count += 1
        if count == k:
            moving.move()
        return record

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "read_task", read_task)
        yield lambda: count >= k
