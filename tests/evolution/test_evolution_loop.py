"""Evolution end to end on a tiny system: what is kept, what is shared, what is never touched."""

from pathlib import Path
from typing import Any

import pytest
import torch

import munet
from executor_tools import contents, create
from growing import evolve
from munet.analysis import model_history
from munet.errors import InputError
from munet.evolution.events import ChildFinished, Event, Notice, RunStarted
from munet.provenance import person
from munet.store import Store
from munet.store.derived import retained

BUDGET: dict[str, Any] = {"generations": 2, "children": 3, "cycles": 2, "samples_per_cycle": 60, "batch_size": 16}
SMALL: dict[str, Any] = {**BUDGET, "threads": 1, "executor": "local"}


@pytest.fixture
def system(tmp_path: Path, tiny_npz: Path) -> munet.System:
    """Two tasks on the same small images around a random root of two blocks."""
    return create(tmp_path / "fleet", tiny_npz)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> dict[str, bytes]:
    """What a run that nobody interrupts leaves."""
    system = create(tmp_path_factory.mktemp("whole") / "fleet", tiny_npz)
    evolve(system, task_iterations=1, **SMALL)
    system.gc()
    return contents(system)


def logits(system: munet.System, task: str) -> torch.Tensor:
    images = torch.arange(4 * 24 * 24, dtype=torch.int64).mul(37).remainder(256).to(torch.uint8).view(4, 24, 24, 1)
    return system.predict(task, images).logits


def test_growing_solves_tasks_and_reports_them(system: munet.System) -> None:
    results = evolve(system, task_iterations=1, **SMALL)
    assert [result.task for result in results] == ["shapes", "again"]
    status = system.status()
    for row in status["tasks"]:
        assert row["validation_accuracy"] > 0.4  # three classes
        again = system.evaluate([row["name"]])[row["name"]]["accuracy"]
        assert row["test_accuracy"] == pytest.approx(again, abs=1e-6)
        assert row["iterations"] == 1
        assert not row["active"]
    assert status["unfinished_run"] is None
    assert system.fsck().ok


def test_accounted_parameters_sum_to_the_parameters_in_use(system: munet.System) -> None:
    evolve(system, task_iterations=1, **SMALL)
    status = system.status()
    total = sum(row["accounted_parameters"] for row in status["tasks"])
    assert total == pytest.approx(status["unique_parameters"], abs=1e-6)
    sizes = {m["layers"][slot]: size for m in retained(system.store).values() for slot, size in m["sizes"].items()}
    assert sum(sizes.values()) == status["unique_parameters"]


def test_other_tasks_answer_bit_for_bit_the_same(system: munet.System) -> None:
    evolve(system, ["shapes"], task_iterations=1, **SMALL)
    before, model = logits(system, "shapes"), system.resolve("shapes")
    evolve(system, ["again"], task_iterations=2, **SMALL)
    reopened = munet.System.open(system.path)
    assert reopened.resolve("shapes") == model
    assert torch.equal(logits(reopened, "shapes"), before)


def test_one_seed_replays_a_run(system: munet.System, tmp_path: Path, tiny_npz: Path) -> None:
    evolve(system, task_iterations=1, seed=3, **SMALL)
    twin = create(tmp_path / "twin", tiny_npz)
    evolve(twin, task_iterations=1, seed=3, **SMALL)
    assert contents(twin) == contents(system)


def test_iterations_count_over_runs(system: munet.System, tmp_path: Path, tiny_npz: Path) -> None:
    evolve(system, ["shapes"], task_iterations=2, **SMALL)
    twin = munet.System.create(tmp_path / "twin", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    twin.add_task("shapes", f"npz:{tiny_npz}")
    for _ in range(2):
        evolve(twin, ["shapes"], task_iterations=1, **SMALL)
    assert twin.resolve("shapes") == system.resolve("shapes")


class Stop(Exception):
    pass


@pytest.mark.parametrize("after", [1, 3, 4, 7])
def test_an_interrupted_run_goes_on_to_the_same_end(after: int, system: munet.System, whole: dict[str, bytes]) -> None:
    finished = 0

    def interrupt(event: Event) -> None:
        nonlocal finished
        finished += isinstance(event, ChildFinished)
        if finished == after:
            raise Stop

    with pytest.raises(Stop):
        evolve(system, task_iterations=1, observer=interrupt, **SMALL)
    assert system.status()["unfinished_run"] == "0001"
    reopened = munet.System.open(system.path)
    events: list[Event] = []
    evolve(reopened, task_iterations=1, observer=events.append, **SMALL)
    assert isinstance(events[0], RunStarted)
    assert events[0].resumed
    assert events[0].finished_children == after
    assert sum(isinstance(event, ChildFinished) for event in events) == 12 - after
    reopened.gc()
    assert contents(reopened) == whole


@pytest.mark.parametrize("older", [False, True], ids=["this version's record", "an older one's"])
def test_resume_needs_only_the_record(system: munet.System, tmp_path: Path, tiny_npz: Path, older: bool) -> None:
    """The same population as the command given again, whatever that was."""
    options: dict[str, Any] = {
        "seed": 3,
        "image_size": 16,
        "settings": {"scale": 0.9},
        "preprocessing": "none",
        **SMALL,
    }
    finished = 0

    def interrupt(event: Event) -> None:
        nonlocal finished
        finished += isinstance(event, ChildFinished)
        if finished == 4:
            raise Stop

    with pytest.raises(InputError, match="nothing is to be resumed: every run is finished"):
        munet.resume(system)
    with pytest.raises(Stop):
        evolve(system, ["shapes"], "munet", task_iterations=1, observer=interrupt, **options)
    if older:
        config = system.store.read_run("0001", "run.json")
        system.store.write_run("0001", "run.json", {k: v for k, v in config.items() if k not in ("person", "where")})
    (found,) = system.status()["unfinished"]
    assert found["resume"] == f"munet resume {system.path} 0001"
    assert (found["tasks"], found["at"], found["samples"]) == (("shapes",), ("shapes",), 480)
    assert found["user"] == (None if older else person()["user"])
    with pytest.raises(InputError, match="run 0002 is not to be resumed: not finished are 0001"):
        munet.resume(system, "0002")
    munet.resume(system, "0001")
    assert system.store.runs() == ["0001"]
    assert system.status()["unfinished"] == []

    whole = create(tmp_path / "whole", tiny_npz)
    evolve(whole, ["shapes"], "munet", task_iterations=1, **options)
    whole.gc()
    system.gc()
    assert contents(whole) == contents(system)


def test_another_command_does_not_resume_and_abandon_leaves_the_old_run(system: munet.System) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, ChildFinished):
            raise Stop

    with pytest.raises(Stop):
        evolve(system, task_iterations=1, observer=interrupt, **SMALL)
    with pytest.raises(InputError, match=r"interrupted and asked for another seed.*--abandon 0001"):
        evolve(system, task_iterations=1, seed=1, **SMALL)
    with pytest.raises(InputError, match="--abandon 0007: the runs that are not finished are 0001"):
        evolve(system, task_iterations=1, seed=1, abandon="0007", **SMALL)
    events: list[Event] = []
    evolve(system, task_iterations=1, seed=1, abandon="0001", observer=events.append, **SMALL)
    (left,) = [event.text for event in events if isinstance(event, Notice) and "left behind" in event.text]
    assert f"of {person()['user']}@{person()['host']} (over shapes, again, begun" in left
    assert "1 model of its open population (120 samples of training)" in left
    assert system.status()["unfinished_run"] is None
    assert system.store.read_run("0001", "finished.json")["abandoned"]


def test_private_tasks_are_never_parents(tmp_path: Path, tiny_npz: Path) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("secret", f"npz:{tiny_npz}", private=True)
    system.add_task("open", f"npz:{tiny_npz}")
    evolve(system, task_iterations=2, **SMALL)
    parents = {child["parent_task"] for child in model_history.children(system.store, "open")}
    assert parents <= {None, "open"}
    assert {child["parent_task"] for child in model_history.children(system.store, "secret")} - {None, "secret"} == {
        "open"
    }


def test_every_child_is_recorded_with_its_reasons(system: munet.System) -> None:
    evolve(system, ["shapes"], task_iterations=1, **SMALL)
    children = list(model_history.children(system.store))
    assert len(children) == 6
    for child in children:
        assert len(child["accuracies"]) == 2
        assert child["samples"] == 120
        assert child["accepted"] == (child["model"] is not None) == (child["reason"] is None)
        assert set(child["seconds"]) == {"train", "validation", "other"}
        assert {"norm", "head"} <= set(child["cloned"] or ())


def test_a_child_that_diverges_is_rejected_and_recorded(system: munet.System) -> None:
    settings = {"space.learning_rate": "[3e38]", "defaults.learning_rate": "3e38", "clip_norm": "3e38"}
    results = evolve(system, ["shapes"], task_iterations=1, settings=settings, **SMALL)
    children = list(model_history.children(system.store))
    assert all(not child["accepted"] and "finite" in (child["reason"] or "") for child in children)
    assert results[0].model is None
    assert system.status()["tasks"][0]["model"] is None
    evolve(system, ["shapes"], task_iterations=1, **SMALL)  # and the task can still be learned
    assert system.resolve("shapes")


def test_methods_can_take_turns_on_one_system(system: munet.System) -> None:
    for method in ("mu2net", "mu2net-plus", "munet", "multi-head"):
        evolve(system, ["shapes"], method=method, task_iterations=1, **SMALL)
    assert {child["run"] for child in model_history.children(system.store)} == {"0001", "0002", "0003", "0004"}
    assert system.fsck().ok


def test_a_baseline_trains_what_it_says(system: munet.System) -> None:
    evolve(system, ["shapes"], method="multi-head", task_iterations=1, **SMALL)
    assert all(set(child["cloned"] or ()) == {"norm", "head"} for child in model_history.children(system.store))
    evolve(system, ["again"], method="finetune-full", task_iterations=1, **SMALL)
    slots = {"embedding", "cls", "posembed", "block.0", "block.1", "norm", "head"}
    assert all(
        set(child["cloned"] or ()) == slots and child["parent_task"] is None
        for child in model_history.children(system.store, "again")
    )


def test_image_size_of_a_run_is_that_of_every_child(system: munet.System) -> None:
    evolve(system, ["shapes"], task_iterations=1, image_size=16, **SMALL)
    assert {child["hyperparameters"]["image_size"] for child in model_history.children(system.store)} == {16}
    with pytest.raises(InputError, match="33"):
        evolve(system, ["shapes"], task_iterations=1, image_size=33, **SMALL)


def test_changed_data_is_refused_unless_told_so(tmp_path: Path, tiny_npz: Path) -> None:
    import shutil

    import numpy as np

    copy = tmp_path / "data"
    shutil.copytree(tiny_npz, copy)
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{copy}")
    with np.load(copy / "train.npz") as arrays:
        image, label = arrays["image"].copy(), arrays["label"]
        image[0, 0, 0] ^= 255
        np.savez(copy / "train.npz", image=image, label=label)
    with pytest.raises(InputError, match="shapes"):
        evolve(system, task_iterations=1, **SMALL)
    assert system.store.runs() == []  # refused before anything started
    evolve(system, task_iterations=1, allow_changed=True, **SMALL)


def test_lineage_survives_collection(system: munet.System) -> None:
    evolve(system, task_iterations=2, **SMALL)
    entries = system.log("again")
    assert entries[-1]["task"] is None
    assert entries[0]["model"] == system.resolve("again")
    assert [entry["generation"] for entry in entries] == list(range(len(entries) - 1, -1, -1))
    shown = system.show("again")
    assert {layer["trained_by"] for layer in shown["layers"]} <= {"root", "shapes", "again"}
    assert next(layer for layer in shown["layers"] if layer["slot"] == "head")["trained_by"] == "again"
    different = {entry["slot"] for entry in system.diff("again", "root")["different"]}
    assert "norm" in different
    assert Store.open(system.path).root == system.root
