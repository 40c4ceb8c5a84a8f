"""From a run's folder to a system: its scores, its checkpoints, its images, what cannot be exported."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import torch

import munet
from allocation_data_tools import fake_set
from munet.allocation.data.sources import input_shape, normalisation
from munet.allocation.export.export import export_run
from munet.allocation.runs.folder import RunFolder
from munet.allocation.runs.perform import configured, make, perform
from munet.allocation.training.trainer import train
from munet.errors import InputError
from munet.importing import attach
from run_tools import QUICK, image_network, image_tasks, learned


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    fake_set(folder / "mnist", train=200)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A finished run of mnist4 on noise: checkpoints of rounds 2, 4 and 6."""
    out = tmp_path_factory.mktemp("runs") / "mnist4"
    config = configured("mnist4", preset_name="smoke", rounds=6, evaluate_every=2, threads=1)
    perform(replace(config, probs_init=0.4), out, data, device="cpu")
    return out


def test_a_run_becomes_a_system_with_its_scores(run: Path, data: Path, tmp_path: Path) -> None:
    exported = export_run(run, tmp_path / "system", data=data)
    summary = RunFolder(run).summary()
    assert summary is not None
    best = summary["best"]
    assert (exported["round"], exported["notes"]) == (best["round"], [])
    assert exported["without_data"] == ["mnist-rot", "mnist-rot-2"]
    assert exported["mean_test_accuracy"] == pytest.approx(best["means"]["test"])
    system = munet.System.open(tmp_path / "system")
    assert system.tasks == summary["tasks"]
    root = system.manifest("root").get("root")
    assert root is not None
    assert root["source"] == "allocation:mnist4"
    assert root.get("allocation", {}).get("request") == summary["request"]

    with np.load(data / "mnist" / "test.npz") as arrays:
        turned = {"test": (np.rot90(arrays["image"], axes=(1, 2)), arrays["label"])}
    for part in ("train", "validation"):
        with np.load(data / "mnist" / f"{part}.npz") as arrays:
            turned[part] = arrays["image"], arrays["label"]
    for part, (image, label) in turned.items():
        np.savez(tmp_path / f"{part}.npz", image=image, label=label)
    attach(system, "mnist-rot", f"npz:{tmp_path}")
    attach(system, "mnist-rot-2", f"npz:{tmp_path}")
    found = {name: row["accuracy"] for name, row in system.evaluate().items()}
    assert found == pytest.approx(best["scores"]["test"])
    assert {row["name"]: row["test_accuracy"] for row in system.status()["tasks"]} == pytest.approx(found)


def test_any_checkpoint_can_be_exported_and_says_what_was_not_measured(run: Path, data: Path, tmp_path: Path) -> None:
    kept = {RunFolder(run).round_of(word) for word in ("best", "last")}
    other = next(round for round in RunFolder(run).rounds() if round not in kept)
    summary = export_run(run, tmp_path / "system", str(other))
    assert summary["notes"] == [
        f"the run did not test its checkpoint of round {other}: its models have no test accuracy"
    ]
    assert summary["mean_test_accuracy"] is None
    assert summary["mean_validation_accuracy"] is not None
    assert len(summary["without_data"]) == 4, "no folder of image sets was given"
    made = make(configured("mnist4", preset_name="smoke", rounds=6, evaluate_every=2, threads=1), data)
    held = RunFolder(run).checkpoint(other)
    made.network.load_state_dict(held["network"])
    made.allocation.load_state_dict(held["allocation"])
    system, x = munet.System.open(tmp_path / "system"), torch.rand(3, 1, 28, 28)
    made.network.eval()
    for number, name in enumerate(system.tasks):
        with torch.no_grad():
            assert torch.equal(
                system.model(name)(x), made.network(x, number, made.allocation.evaluation_weights(number))
            )
    with pytest.raises(InputError, match="--checkpoint 5: give best, last or a round that was kept: 2, 4, 6"):
        export_run(run, tmp_path / "other", "5")


def test_runs_without_weights_classes_or_experiment_are_refused(run: Path, tmp_path: Path) -> None:
    copytree(run, tmp_path / "stripped")
    RunFolder(tmp_path / "stripped").strip(6)
    with pytest.raises(InputError, match=r"round 6 has no weights any more .*: export best or last"):
        export_run(tmp_path / "stripped", tmp_path / "system", "6")
    small = {"train": 40, "validation": 20, "test": 20, "dimension": 6}
    given: dict[str, Any] = {"rounds": 4, "evaluate_every": 2, "threads": 1, "data": small}
    perform(configured("synthetic", preset_name="smoke", **given), tmp_path / "lines", device="cpu")
    with pytest.raises(InputError, match="task pair0-a has values to predict and no classes"):
        export_run(tmp_path / "lines", tmp_path / "system")
    train(image_network(), learned(), image_tasks(), QUICK, tmp_path / "own")
    with pytest.raises(InputError, match=r"made from Python, .*: call export_network there"):
        export_run(tmp_path / "own", tmp_path / "system")
    with pytest.raises(InputError, match="no run of munet allocation there"):
        export_run(tmp_path / "nothing", tmp_path / "system")
    assert not (tmp_path / "system").exists()


def test_omniglot_is_turned_from_black_on_white() -> None:
    assert normalisation("omniglot20", {}) == ((1.0,), (-1.0,))
    assert normalisation("omniglot20", {"invert": False}) == ((0.0,), (1.0,))
    assert normalisation("clusters40", {}) == ((0.0,) * 3, (1.0,) * 3)
    assert input_shape("omniglot20", {"image_size": 53}) == (1, 53, 53)
