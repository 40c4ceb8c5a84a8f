"""The method `adaptive` end to end on tiny systems: a head first, then a child or a path through a trunk."""

import time
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
from munet.evolution.events import (
    CycleFinished,
    Event,
    Notice,
    SharesExpected,
    SharesPlanned,
    TaskFinished,
    TrunkCycle,
    TrunkStarted,
)
from munet.evolution.image_kind import kind_of
from munet.evolution.probe import Prober
from munet.provenance import now
from munet.search.adaptive import Evidence
from munet.store.run_records import finish
from munet.store.schema import TaskData, finished_record
from munet.tasks import TaskOptions, add, load

SMALL: dict[str, Any] = {"samples_per_cycle": 128, "cycles": 2, "threads": 1, "executor": "local"}


@pytest.fixture
def system(tmp_path: Path) -> munet.System:
    return three_tasks(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a run that nobody interrupts retains."""
    system = three_tasks(tmp_path_factory.mktemp("whole"))
    evolve(system, method="adaptive", **SMALL)
    return retained(system)


def three_tasks(folder: Path) -> munet.System:
    """Three tasks of bars around a random root of two blocks; the second has another number of classes."""
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name, classes in (("three", 3), ("four", 4), ("again", 3)):
        images(folder / name, classes)
        system.add_task(name, f"npz:{folder / name}")
    return system


def retained(system: munet.System) -> dict[str, str]:
    return {name: str(system.task(name)["model"]) for name in system.tasks}


def children(system: munet.System) -> list[Sampled]:
    return list(model_history.children(system.store))


def test_head_only_trains_nothing_and_shares_all_but_the_head(system: munet.System) -> None:
    evolve(system, method="head-only", **SMALL)
    root = system.manifest("root")["layers"]
    for name in system.tasks:
        layers = system.manifest(name)["layers"]
        assert {slot for slot, layer in layers.items() if root.get(slot) != layer} == {"head"}
    assert {child["samples"] for child in children(system)} == {0}
    assert all(child.get("evidence", {})["probes"][0]["task"] is None for child in children(system))
    accuracies = [row["accuracy"] for row in system.evaluate().values()]
    assert np.mean(accuracies) > 0.6, "three or four bright bars in noise"
    assert "all that the method head-only does" in " ".join(sentences(explain(system.store, "three")))
    assert system.fsck().ok


def test_every_task_has_a_model_before_anything_is_trained(system: munet.System) -> None:
    events: list[Event] = []
    evolve(system, method="adaptive", settings={"together": False, "shares": "equal"}, observer=events.append, **SMALL)
    ended = [(event.task, event.iteration) for event in events if isinstance(event, TaskFinished)]
    names = ["four", "three", "again"]  # most classes first
    assert ended == [(name, iteration) for iteration in (0, 1) for name in names]
    first = next(number for number, event in enumerate(events) if isinstance(event, CycleFinished))
    assert sum(isinstance(event, TaskFinished) for event in events[:first]) == 3
    trained = [child for child in children(system) if child["samples"]]
    assert [child["samples"] for child in trained] == [256, 256, 256]
    assert all({"norm", "head"} <= set(child["cloned"] or ()) for child in trained)


def test_the_seconds_of_evidence_are_those_of_the_child_that_it_is_for(
    system: munet.System, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Prober.evidence

    def slow(*given: Any, **named: Any) -> Evidence:
        time.sleep(1.0)
        return whole(*given, **named)

    monkeypatch.setattr(Prober, "evidence", slow)
    evolve(system, tasks=["three"], method="head-only", **SMALL)
    (child,) = children(system)
    assert child["seconds"]["other"] > 1.0


def test_each_head_tells_what_is_expected_of_the_shares(system: munet.System) -> None:
    events: list[Event] = []
    evolve(system, method="adaptive", settings={"clone_errors": [90.0, 95.0]}, observer=events.append, **SMALL)
    expected = [dict(event.samples) for event in events if isinstance(event, SharesExpected)]
    (planned,) = [event for event in events if isinstance(event, SharesPlanned)]
    assert expected[0] == {"four": 128, "three": 192, "again": 192}, "an easy one takes a half"
    assert expected[1] == {"four": 128, "three": 128, "again": 192}
    assert expected[2] == dict(planned.samples) == dict.fromkeys(system.tasks, 128)


def test_a_trunk_is_stored_once_and_each_task_has_a_path_through_it(system: munet.System) -> None:
    events: list[Event] = []
    evolve(
        system,
        method="adaptive",
        observer=events.append,
        settings={"head_first": False, "clone": "all", "shares": "equal"},
        **SMALL,
    )
    (started,) = [event for event in events if isinstance(event, TrunkStarted)]
    assert SharesPlanned(0, (("three", 256), ("four", 256), ("again", 256))) in events
    assert (started.tasks, sum(started.shares)) == (("three", "four", "again"), pytest.approx(1))
    assert sum(isinstance(event, TrunkCycle) for event in events) == 2
    together = [child for child in children(system) if "together" in child]
    assert {child["task"] for child in together} == {"three", "four", "again"}
    assert sum(child["samples"] for child in together) == 3 * 256, "as many samples as three children would have had"
    # a task whose head alone was as good has let its path go
    found = {child["model"] for child in together} & set(retained(system).values())
    paths = [system.manifest(model)["layers"] for model in found if model]
    assert len(paths) > 1
    root = set(system.manifest("root")["layers"].values())
    for slot in ("embedding", "block.0", "block.1", "norm"):
        assert len({layers[slot] for layers in paths}) == 1
        assert not root & {layers[slot] for layers in paths}
    assert len({layers["head"] for layers in paths}) == len(paths)
    # two blocks shared by three from the beginning
    for child in together:
        assert child["accounted_parameters"] is not None
        assert child["parameters"] is not None
        assert child["accounted_parameters"] < 0.4 * child["parameters"]
    assert system.fsck().ok


def test_the_same_seed_gives_the_same_trunk_also_in_worker_processes(system: munet.System, tmp_path: Path) -> None:
    import shutil

    for copy in ("second", "third"):
        shutil.copytree(system.path, tmp_path / copy)
    evolve(system, method="adaptive", **SMALL)
    second, third = munet.System.open(tmp_path / "second"), munet.System.open(tmp_path / "third")
    evolve(second, method="adaptive", **SMALL)
    evolve(third, method="adaptive", **{**SMALL, "executor": "processes", "workers": 1})
    assert retained(system) == retained(second) == retained(third)


class Stop(Exception):
    pass


@pytest.mark.parametrize("kind", [TrunkStarted, TrunkCycle, TaskFinished])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_interrupted_run_ends_as_one_that_was_not(
    system: munet.System, whole: dict[str, str], kind: type, count: int
) -> None:
    seen = 0

    def stop(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, kind)
        if seen == count:
            raise Stop

    try:
        evolve(system, method="adaptive", observer=stop, **SMALL)
    except Stop:
        evolve(munet.System.open(system.path), method="adaptive", **SMALL)
    assert retained(system) == whole


@pytest.mark.parametrize("damage", [None, "flip", "cut", "other"])
def test_a_killed_trunk_goes_on_after_its_last_cycle_unless_what_was_kept_is_damaged(
    system: munet.System, damage: str | None
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, TrunkCycle):
            raise Stop

    with pytest.raises(Stop):
        evolve(system, method="adaptive", observer=stop, **SMALL)
    kept = system.path / "runs" / "0001" / "trunk.safetensors"
    data = kept.read_bytes()
    if damage == "other":
        known = data.index(b'"work":"') + 8
        kept.write_bytes(data[:known] + bytes([data[known] ^ 1]) + data[known + 1 :])
    elif damage:
        kept.write_bytes(data[:-4] if damage == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    events: list[Event] = []
    evolve(munet.System.open(system.path), method="adaptive", observer=events.append, **SMALL)
    cycles = [event.cycle for event in events if isinstance(event, TrunkCycle)]
    notes = [event.text for event in events if isinstance(event, Notice) and str(kept) in event.text]
    assert cycles == ([0, 1] if damage else [1])
    assert len(notes) == int(bool(damage))
    assert not kept.exists()


def test_what_an_abandoned_run_kept_of_a_trunk_is_collected(system: munet.System) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, TrunkCycle):
            raise Stop

    with pytest.raises(Stop):
        evolve(system, method="adaptive", observer=stop, **SMALL)
    kept = system.path / "runs" / "0001" / "trunk.safetensors"
    system.gc()
    assert kept.exists(), "the run may go on"
    assert system.fsck().ok
    finish(system.store, "0001", finished_record(now(), abandoned=True))
    system.gc()
    assert not kept.exists()


def test_private_tasks_stay_out_of_the_trunk(system: munet.System, tmp_path: Path) -> None:
    system.add_task("secret", f"npz:{tmp_path / 'three'}", private=True)
    evolve(system, method="adaptive", **SMALL)
    together = {child["task"] for child in children(system) if "together" in child}
    assert together == {"three", "four", "again"}
    secret = system.manifest("secret")
    assert secret["parent"] != secret["task"]
    assert [child["samples"] for child in children(system) if child["task"] == "secret"] == [0, 256]


def test_a_later_task_leaves_the_answers_of_the_others_as_they_are(system: munet.System, tmp_path: Path) -> None:
    evolve(system, ["three", "four"], method="adaptive", **SMALL)
    probe = torch.arange(4 * 28 * 28).mul(37).remainder(256).to(torch.uint8).view(4, 28, 28, 1)
    before = {name: system.predict(name, probe).logits for name in ("three", "four")}
    evolve(system, ["again"], method="adaptive", **SMALL)
    after = munet.System.open(system.path)
    for name, logits in before.items():
        assert torch.equal(after.predict(name, probe).logits, logits)


def test_the_same_again_goes_on_from_where_the_task_stands(system: munet.System) -> None:
    evolve(system, ["three"], method="adaptive", **SMALL)
    before = system.status()["tasks"][0]["validation_accuracy"]
    first = str(system.task("three")["model"])
    evolve(system, ["three"], method="adaptive", **SMALL)
    last = [child for child in children(system) if child["run"] == "0002"]
    assert [child["parent"] for child in last] == [first]
    assert "evidence" not in last[0] or last[0]["evidence"] is None
    assert system.status()["tasks"][0]["validation_accuracy"] >= before


@pytest.mark.parametrize(
    ("labels", "classes"), [(lambda n: np.arange(n) % 3, 3), (lambda n: np.minimum(np.arange(n), 1), 2)]
)
def test_white_images_and_lonely_classes_give_a_model_all_the_same(tmp_path: Path, labels: Any, classes: int) -> None:
    for split, count in (("train", 40), ("validation", 12), ("test", 12)):
        (tmp_path / "data").mkdir(exist_ok=True)
        image = np.full((count, 16, 16), 255, np.uint8)
        np.savez(tmp_path / "data" / f"{split}.npz", image=image, label=labels(count))
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("white", f"npz:{tmp_path / 'data'}", allow_duplicates=True)
    evolve(system, method="adaptive", **SMALL)
    row = system.status()["tasks"][0]
    assert row["classes"] == classes
    assert row["validation_accuracy"] == pytest.approx(max(np.bincount(labels(12))) / 12), "the most frequent class"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "kind"), [("mnist", "drawings"), ("cmaterdb_bangla", "drawings"), ("cifar10_small", "photographs")]
)
def test_drawings_are_told_from_photographs(real_data: Path, name: str, kind: str) -> None:
    record = munet_record(real_data / name)
    assert kind_of(load(record, "test")) == kind


def munet_record(folder: Path) -> TaskData:
    return add(folder.name.replace("_", "-"), f"npz:{folder}", TaskOptions(allow_duplicates=True))


@pytest.mark.parametrize("method", ["finetune-adaptive", "finetune-tuned", "adaptive"])
def test_samples_by_need_are_those_of_the_tasks_together(system: munet.System, tmp_path: Path, method: str) -> None:
    import shutil

    shutil.copytree(system.path, tmp_path / "whole")
    whole, settings = munet.System.open(tmp_path / "whole"), {"shares": "by-need", "clone_errors": [0.0, 1.0]}
    settings |= {"together": False, "samples_per_cycle": 240, "cycles": 2}
    evolve(whole, method=method, settings=settings, threads=1, executor="local")
    errors = {child["task"]: (child.get("evidence") or {}).get("probes") for child in children(whole)}
    spent = [child["samples"] for child in children(whole) if child["samples"]]
    assert len(spent) == len(errors) == 3
    assert all(samples in (240, 480, 720, 960) for samples in spent), "a half, one, or what others leave"
    assert sum(spent) <= 3 * 480

    def stop(event: Event) -> None:
        if isinstance(event, TaskFinished) and event.iteration == settings.get("head_first", method == "adaptive"):
            raise Stop

    with pytest.raises(Stop):
        evolve(system, method=method, settings=settings, threads=1, executor="local", observer=stop)
    evolve(munet.System.open(system.path), method=method, settings=settings, threads=1, executor="local")
    assert retained(system) == retained(whole)


def test_a_path_that_answers_worse_than_the_head_gives_way_to_a_child_of_the_same_samples(
    system: munet.System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("munet.evolution.loop.is_worse_together", lambda record, active: active.name == "four")
    evolve(system, method="adaptive", **SMALL)
    mine = [child for child in children(system) if child["task"] == "four" and child["samples"]]
    assert [bool(child.get("together")) for child in mine] == [True, False]
    assert mine[0]["samples"] == pytest.approx(mine[1]["samples"], abs=2)
    assert sum(child["samples"] > 0 for child in children(system)) == 4


def test_random_labels_are_told_and_real_ones_are_not(system: munet.System, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "noise").mkdir()
    for split, count in (("train", 120), ("validation", 60), ("test", 60)):
        image = rng.integers(0, 256, (count, 16, 16), dtype=np.uint8)
        np.savez(tmp_path / "noise" / f"{split}.npz", image=image, label=rng.permutation(np.arange(count) % 4))
    system.add_task("noise", f"npz:{tmp_path / 'noise'}")
    events: list[Event] = []
    evolve(system, method="adaptive", observer=events.append, **SMALL)
    notes = [event.text for event in events if isinstance(event, Notice)]
    told = [text for text in notes if "no clear sign of learning" in text]
    assert [text.partition(":")[0] for text in told] == ["noise"]
    assert "25.0%" in told[0]


def test_the_baseline_with_all_tricks_trains_all_of_the_root_from_a_head_in_closed_form(system: munet.System) -> None:
    evolve(system, method="finetune-adaptive", **SMALL)
    root = set(system.manifest("root")["layers"].values())
    for child in children(system):
        assert child["samples"] == 256
        assert set(child["cloned"] or ()) == {"embedding", "cls", "posembed", "block.0", "block.1", "norm", "head"}
        assert child["hyperparameters"]["augmentation"] == "mild", "as photographs are changed for a small root"
        assert child["accuracies"][0] > 0.3, "it begins with a head that knows something"
        assert not root & set(system.manifest(child["task"])["layers"].values())
