"""Heads in closed form: views of photographs, and a head that is fitted anew to what was trained."""

from pathlib import Path
from typing import Any

import pytest
import torch

import munet
from golden_ids import images
from growing import evolve
from munet.analysis import model_history
from munet.analysis.explanation import explain, sentences
from munet.analysis.model_history import Sampled

SMALL: dict[str, Any] = {"samples_per_cycle": 128, "cycles": 2, "threads": 1, "executor": "local"}


def grown(folder: Path, tasks: int = 1, **options: Any) -> munet.System:
    """A system of tasks of bright bars in coloured noise, evolved."""
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for number in range(tasks):
        images(folder / f"bars{number}", 3 + number)
        system.add_task(f"bars{number}", f"npz:{folder / f'bars{number}'}")
    evolve(system, **SMALL | options)
    return system


def head(system: munet.System, task: str = "bars0") -> torch.Tensor:
    return system.store.get_layer(system.manifest(task)["layers"]["head"])["weight"]


def children(system: munet.System) -> list[Sampled]:
    return list(model_history.children(system.store))


@pytest.fixture
def large_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """All roots count as large."""
    monkeypatch.setattr("munet.search.adaptive._LARGE_ROOT", 1)


def test_a_head_of_several_views_is_another_one_and_replays(tmp_path: Path) -> None:
    views = {
        name: grown(tmp_path / name, method="head-only", settings={"head_views": count})
        for name, count in (("once", 1), ("thrice", 3), ("again", 3))
    }
    once, thrice, again = (head(system) for system in views.values())
    assert torch.equal(thrice, again)
    assert not torch.equal(once, thrice)
    assert views["once"].manifest("bars0")["hyperparameters"]["crop_area_min"] == 1.0
    assert views["thrice"].manifest("bars0")["hyperparameters"]["crop_area_min"] == 0.6
    (read_once,), (read_thrice,) = children(views["once"]), children(views["thrice"])
    assert read_thrice["flops_spent"]["train"] > read_once["flops_spent"]["train"]


@pytest.mark.usefixtures("large_roots")
@pytest.mark.parametrize("tasks", [1, 2])
def test_after_training_one_more_child_has_its_head_anew(tmp_path: Path, tasks: int) -> None:
    system = grown(tmp_path, tasks, method="adaptive", settings={"training": "always", "head_views": 2})
    for task in system.tasks:
        mine = [child for child in children(system) if child["task"] == task]
        first, taught, refitted = mine[0], mine[-2], mine[-1]
        assert (first["samples"], taught["samples"] > 0, refitted["samples"]) == (0, True, 0)
        assert refitted["parent"] == taught["model"]
        assert refitted["cloned"] == ["head"]
        assert refitted["generation"] == 1
        assert system.task(task)["model"] in {child["model"] for child in mine if child["accepted"]}
        if refitted["model"] == system.task(task)["model"]:
            new, old = (system.store.get_model(str(child["model"]))["layers"] for child in (refitted, taught))
            assert {slot for slot in new if new[slot] != old[slot]} == {"head"}
    assert system.fsck().ok


@pytest.mark.usefixtures("large_roots")
def test_a_new_head_is_explained_by_what_was_trained_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("munet.search.scoring.accepted", lambda method, mine, bar: True)
    settings = {"training": "always", "head_first": False, "together": False, "acceptance": ">="}
    system = grown(tmp_path, method="adaptive", settings=settings)
    taught, refitted = children(system)
    if refitted["model"] != system.task("bars0")["model"]:
        pytest.skip("the head that was trained answers more")
    told = explain(system.store, "bars0")
    assert told["trained"] == taught["cloned"]
    assert any("the head fitted anew" in line for line in sentences(told))


def test_small_roots_keep_the_head_that_was_trained(tmp_path: Path) -> None:
    system = grown(tmp_path, method="adaptive", settings={"training": "always"})
    assert [child["samples"] > 0 for child in children(system)] == [False, True]
