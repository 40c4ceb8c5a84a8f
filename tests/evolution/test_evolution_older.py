"""Tasks whose images changed since their model was trained: the old model stays until a better one is there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import munet
from growing import evolve
from munet.evolution.events import Event, Notice, TaskStarted
from munet.evolution.older import OlderModels

SMALL: dict[str, Any] = {"threads": 1, "executor": "local"}
BUDGET: dict[str, Any] = {"generations": 1, "children": 2, "cycles": 3, "samples_per_cycle": 360, "batch_size": 8}


def bars(path: Path, counts: dict[str, tuple[int, int]]) -> None:
    """Bright bars whose place tells the class: for each split (images, classes), those of three classes first."""
    path.mkdir(exist_ok=True)
    for seed, (split, (count, classes)) in enumerate(counts.items()):
        rng = np.random.default_rng(seed)
        labels = np.concatenate([np.arange(60) % 2, np.arange(count - 60) % classes])
        images = rng.integers(0, 90, (count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[8 * label : 8 * label + 6] += 120
        np.savez(path / f"{split}.npz", image=images, label=labels, classes=[str(k) for k in range(classes)])


@pytest.fixture
def system(tmp_path: Path) -> munet.System:
    bars(tmp_path / "bars", dict.fromkeys(("train", "validation", "test"), (60, 2)))
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("bars", f"npz:{tmp_path / 'bars'}")
    return system


def grow(system: munet.System, classes: int) -> None:
    bars(system.path.parent / "bars", dict.fromkeys(("train", "validation", "test"), (120, classes)))
    system.update_task("bars", extend=classes > 2)


@pytest.mark.parametrize("method", ["adaptive", "munet", "mu2net-plus", "head-only"])
def test_a_class_is_added_and_the_old_model_answers_until_then(system: munet.System, method: str) -> None:
    evolve(system, method=method, **SMALL, **({} if method == "head-only" else BUDGET))
    old = system.task("bars")["model"]
    with np.load(system.path.parent / "bars" / "test.npz") as stored:
        images = stored["image"][..., None]
    answers = system.predict("bars", images).probabilities
    grow(system, 3)
    record = system.task("bars")
    assert "older" in record
    assert (record["model"], record["older"]["classes"], len(record["classes"])) == (old, 2, 3)
    assert torch.equal(system.predict("bars", images).probabilities, answers)
    assert system.predict("bars", images[0]).top(5)[0][0][0] in ("0", "1")
    before = system.evaluate()["bars"]["accuracy"]
    events: list[Event] = []
    evolve(system, method=method, observer=events.append, **SMALL, **({} if method == "head-only" else BUDGET))
    first = next(event for event in events if isinstance(event, TaskStarted))
    assert first.best_accuracy is not None
    assert first.best_accuracy <= 5 / 6, "measured on the images of now, a sixth of which are of the new class"
    after = system.task("bars")
    assert after["model"] != old
    assert "older" not in after
    assert system.evaluate()["bars"]["accuracy"] > before
    assert system.predict("bars", images).probabilities.shape[1] == 3
    assert any("2 old classes, 100 validation images" in event.text for event in events if isinstance(event, Notice))
    assert system.fsck().ok


def test_the_next_child_begins_with_the_rows_and_layers_of_the_old_model(system: munet.System) -> None:
    from munet.evolution.active_task import ActiveTask
    from munet.evolution.origins import initial_layers
    from munet.evolution.runs import Request, begin
    from munet.search import load_method

    evolve(system, method="munet", **SMALL, **BUDGET)
    old = system.manifest("bars")
    grow(system, 3)
    request = Request(load_method("munet", BUDGET), ("bars",), 0, None, "fp32", 1)
    run = begin(system.store, request, device="cpu", default_threads=1)
    active = ActiveTask(system.models, run, "bars")
    model = str(system.task("bars")["model"])
    plan = next(plan for parent, plan in active.sample_generation(0) if parent == model)
    child = active.inheritance.resolve(plan, active.living_lineage(model))
    layers = initial_layers(system.models, child.origins, ("test",))
    head = system.models.layers(model)["head"]
    assert layers["head"]["weight"].shape == (3, head["weight"].shape[1])
    assert torch.equal(layers["head"]["weight"][:2], head["weight"])
    assert not layers["head"]["weight"][2].any()
    assert child.sizes["head"] == layers["head"]["weight"].numel() + 3
    assert child.origins["norm"].of == old["layers"]["norm"]


def test_a_trained_model_is_the_parent_of_the_next_one_of_the_adaptive_method(system: munet.System) -> None:
    evolve(system, method="adaptive", **SMALL, **BUDGET)
    old = str(system.task("bars")["model"])
    assert system.manifest(old)["layers"]["norm"] != system.manifest("root")["layers"]["norm"], "it was trained"
    grow(system, 3)
    evolve(system, method="adaptive", **SMALL, **BUDGET)
    assert old in [entry["model"] for entry in system.log("bars")]


def test_where_nothing_is_better_the_old_model_stays_and_is_tested_again(
    system: munet.System, monkeypatch: pytest.MonkeyPatch
) -> None:
    evolve(system, method="head-only", **SMALL)
    old, tested = system.task("bars")["model"], system.task("bars")["test"]
    assert tested is not None
    grow(system, 2)
    monkeypatch.setattr(OlderModels, "accuracy", lambda *_: 1.1)  # better than any child
    events: list[Event] = []
    evolve(system, method="head-only", observer=events.append, **SMALL)
    after = system.task("bars")
    assert after["model"] == old
    assert after["test"] is not None
    assert (after["test"]["examples"], tested["examples"]) == (120, 60)
    assert "older" in after
    assert any("stays" in event.text for event in events if isinstance(event, Notice))
