"""Any labelled images: answers matched by class names, and what they come to."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import munet
from growing import evolve
from munet import cli
from munet.errors import InputError
from munet.inference.measures import Answers, calibration_error, measured

CLASSES = ["left", "middle", "right"]


def bars(count: int, seed: int, order: tuple[int, ...] = (0, 1, 2)) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright bar; label k is the bar `order[k]`."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(order)
    images = rng.integers(0, 60, (count, 24, 24), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 8 * order[label] : 8 * order[label] + 8] = 220
    return images, labels


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    folder = tmp_path_factory.mktemp("evaluate-on")
    arrays: dict[str, Any] = {"classes": np.array(CLASSES)}
    for number, split in enumerate(("train", "validation", "test")):
        arrays[f"{split}_image"], arrays[f"{split}_label"] = bars(60, number)
    np.savez(folder / "bars.npz", **arrays)
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("bars", f"npz:{folder / 'bars.npz'}")
    evolve(system, method="head-only", threads=1, executor="local")
    return system


def other(path: Path, order: tuple[int, ...], classes: list[str]) -> str:
    images, labels = bars(30, 9, order)
    np.savez(path, test_image=images, test_label=labels, classes=np.array(classes))
    return f"npz:{path}"


def test_the_test_split_itself_gives_what_evaluate_gives(system: munet.System) -> None:
    found = measured(system.evaluate_on("bars", system.task("bars")["source"]))
    row = system.evaluate()["bars"]
    assert (found["correct"], found["examples"]) == (row["correct"], row["examples"])
    assert found["top_5"] is None, "of three classes five are no news"


def test_classes_are_matched_by_name_whatever_their_order(system: munet.System, tmp_path: Path) -> None:
    same = system.evaluate_on("bars", other(tmp_path / "same.npz", (0, 1, 2), CLASSES))
    turned = system.evaluate_on("bars", other(tmp_path / "turned.npz", (2, 0, 1), ["right", "left", "middle"]))
    accuracy = [float((answers.predicted == answers.labels).mean()) for answers in (same, turned)]
    assert min(accuracy) > 0.8
    assert [turned.classes[label] for label in turned.labels[:3]] == ["right", "left", "middle"]


def test_classes_that_the_task_does_not_know_are_left_out_and_told(system: munet.System, tmp_path: Path) -> None:
    notes: list[str] = []
    address = other(tmp_path / "more.npz", (0, 1, 2), ["left", "middle", "<odd>"])
    answers = system.evaluate_on("bars", address, note=notes.append)
    assert len(answers.labels) == len(answers.names) == 20
    assert notes == ["left out 10 images of classes that the task does not know: <odd> (10)"]
    with pytest.raises(InputError, match="the task knows none of the classes a \\(10\\), b \\(10\\), c \\(10\\)"):
        system.evaluate_on("bars", other(tmp_path / "none.npz", (0, 1, 2), ["a", "b", "c"]))
    with pytest.raises(InputError, match="has no split 'train': it has test"):
        system.evaluate_on("bars", address, split="train")


def test_splits_that_are_not_measured_are_told(system: munet.System, tmp_path: Path) -> None:
    (images, labels), notes = bars(30, 9, (0, 1, 2)), list[str]()
    arrays: dict[str, Any] = {
        "test_image": images[:6],
        "test_label": labels[:6],
        "train_image": images,
        "train_label": labels,
    }
    np.savez(tmp_path / "both.npz", **arrays, classes=np.array(CLASSES))
    address = f"npz:{tmp_path / 'both.npz'}"
    assert len(system.evaluate_on("bars", address, note=notes.append).labels) == 6
    assert notes == ["only the split test is measured, 6 images; not train (30 images): --split train measures that"]
    assert len(system.evaluate_on("bars", address, split="train", note=notes.append).labels) == 30
    assert len(notes) == 1


def test_measures_of_known_answers() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    found = measured(Answers(probabilities, np.array([0, 0, 1, 1]), ["a", "b"], list("wxyz")))
    assert (found["accuracy"], found["mean_recall"]) == (0.75, 0.75)
    assert found["confusion_matrix"] == [[2, 0], [1, 1]]
    assert found["classes"][0] == {"class": "a", "examples": 2, "recall": 1.0, "precision": pytest.approx(2 / 3)}
    assert found["confusions"] == [{"class": "b", "answer": "a", "images": 1}]
    assert found["worst"][0]["image"] == "z"
    assert found["nll"] == pytest.approx(-np.log([0.9, 0.6, 0.8, 0.3]).mean())
    assert [(bin["images"], bin["accuracy"]) for bin in found["reliability"]] == [
        (1, 1.0),
        (1, 0.0),
        (1, 1.0),
        (1, 1.0),
    ]
    # each in a bin of its own: |1 - .9|, |1 - .6|, |1 - .8|, |0 - .7|
    assert found["calibration_error"] == pytest.approx((0.1 + 0.4 + 0.2 + 0.7) / 4)


@given(st.integers(1, 200), st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_measures_of_any_answers_are_shares_that_add_up(count: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.3), count)
    labels = rng.integers(0, classes, count)
    found = measured(Answers(probabilities, labels, [str(k) for k in range(classes)], [str(n) for n in range(count)]))
    assert np.sum(found["confusion_matrix"]) == found["examples"] == count
    assert found["correct"] == np.trace(found["confusion_matrix"])
    assert 0 <= calibration_error(probabilities, labels) <= 1
    assert found["top_5"] is None or found["accuracy"] <= found["top_5"] <= 1
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command(system: munet.System, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = other(tmp_path / "same.npz", (0, 1, 2), CLASSES)
    words = ("evaluate", system.path, "--task", "bars", "--data", address)
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert "of 30 images right" in out
    assert "recall %" in out
    code, out, _ = run(capsys, *words, "--json")
    assert (code, json.loads(out)["examples"]) == (0, 30)
    code, out, _ = run(capsys, *words, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, len(rows), {row["class"] for row in rows}) == (0, 30, set(CLASSES))
    for wrong, message in (
        (("evaluate", system.path, "--data", address), "--data is for one task: name it, munet evaluate"),
        (("evaluate", system.path, "--csv"), "--csv belongs to --data SOURCE: add it"),
        ((*words, "--csv", "--json"), "two ways to print the same: give one"),
    ):
        code, _, err = run(capsys, *wrong)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
