"""Heads in closed form: views of photographs, and a head that is fitted anew to what was trained."""

from pathlib import Path
from typing import Any

import numpy as np
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


def sides(path: Path, axis: int) -> None:
    """Coloured noise, a little brighter on one side: the upper or the lower one (axis 1), the left or right (2)."""
    rng = np.random.default_rng(6)
    path.mkdir(parents=True)
    for split, count in (("train", 200), ("validation", 24), ("test", 24)):
        labels = rng.permutation(np.arange(count) % 2)
        images = rng.integers(0, 120, (count, 32, 32, 3), np.uint8)
        for row, label in enumerate(labels):
            np.split(np.moveaxis(images[row], axis - 1, 0), 2)[label][...] += 15
        np.savez(path / f"{split}.npz", image=images, label=labels)


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


@pytest.mark.parametrize(("axis", "mirrored"), [(1, True), (2, False)])
def test_photographs_whose_sides_tell_the_class_are_not_mirrored(tmp_path: Path, axis: int, mirrored: bool) -> None:
    system = munet.System.create(tmp_path / "fleet", root="builtin:glyphs")
    sides(tmp_path / "sides", axis)
    system.add_task("sides", f"npz:{tmp_path / 'sides'}")
    evolve(system, method="adaptive", **SMALL)
    made = children(system)
    assert {child["hyperparameters"]["flip"] for child in made if child["samples"]} == {mirrored}
    known = next(found for child in made if (found := child.get("evidence")))
    assert known["read"] == 3 * 200
    said = " ".join(sentences(explain(system.store, "sides")))
    assert ("used as well" if mirrored else "none is mirrored") in said


@pytest.mark.usefixtures("large_roots")
@pytest.mark.parametrize("tasks", [1, 2])
def test_after_training_the_head_is_made_anew_and_kept_where_it_is_no_worse(tmp_path: Path, tasks: int) -> None:
    settings = {"training": "always", "head_first": False}
    trained = grown(tmp_path / "trained", tasks, method="adaptive", settings=settings | {"head_last": False})
    anew = grown(tmp_path / "anew", tasks, method="adaptive", settings=settings)
    for task in anew.tasks:
        (before,), (after,) = ([c for c in children(system) if c["task"] == task] for system in (trained, anew))
        assert before["accuracies"] == after["accuracies"], "nothing but the head is another"
        anew_accuracy = after.get("new_head")
        assert anew_accuracy is not None
        kept = anew_accuracy >= after["accuracies"][-1]
        assert after["accuracy"] == max(anew_accuracy, after["accuracies"][-1])
        assert anew.manifest(task)["metrics"]["validation_accuracy"] == after["accuracy"]
        assert torch.equal(head(trained, task), head(anew, task)) is not kept
        layers = [system.manifest(task)["layers"] for system in (trained, anew)]
        assert {slot for slot in layers[0] if layers[0][slot] != layers[1][slot]} == ({"head"} if kept else set())
        assert anew.evaluate([task], split="validation")[task]["accuracy"] == after["accuracy"]
        assert after["flops_spent"]["train"] > before["flops_spent"]["train"]
        told = sentences(explain(anew.store, task))
        assert any("made anew in closed form: that one is kept" in line for line in told) is kept
    assert anew.fsck().ok


@pytest.mark.usefixtures("large_roots")
def test_a_new_head_replays(tmp_path: Path) -> None:
    options = {"method": "adaptive", "settings": {"training": "always"}}
    first, second = (grown(tmp_path / name, 2, **options) for name in ("first", "second"))
    assert [first.task(task)["model"] for task in first.tasks] == [second.task(task)["model"] for task in second.tasks]


@pytest.mark.usefixtures("large_roots")
def test_a_second_run_makes_the_head_anew_of_a_child_that_inherits_one(tmp_path: Path) -> None:
    """What goes on from a task's model has its head from there, not from a number of classes."""
    settings = {"training": "always"}
    system = grown(tmp_path, method="adaptive", settings=settings)
    before = system.status()["tasks"][0]["validation_accuracy"]
    evolve(system, method="adaptive", settings=settings, **SMALL)
    last = children(system)[-1]
    assert last["run"] == "0002"
    assert last["samples"] > 0
    assert last.get("new_head") is not None
    assert system.status()["tasks"][0]["validation_accuracy"] >= before
    assert system.fsck().ok


def test_small_roots_keep_the_head_that_was_trained(tmp_path: Path) -> None:
    system = grown(tmp_path, method="adaptive", settings={"training": "always"})
    assert [(child["samples"] > 0, "new_head" in child) for child in children(system)] == [
        (False, False),
        (True, False),
    ]
