"""A prediction is what evaluation computes: on a CPU each probability to the bit, one by one and in batches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import munet
import munet.training.evaluation as evaluation
from growing import evolve
from munet.store import Store
from munet.tasks.reopen import find_split
from odd_pictures import KINDS, deep, folder, grey, photo, scan, small

ONE_SIZE = {"train": 8, "validation": 3, "test": 3}
BUDGET: dict[str, Any] = {"generations": 1, "children": 1, "cycles": 1, "samples_per_cycle": 16, "batch_size": 8}
Logits = Callable[[str], torch.Tensor]


def _one_size(path: Path) -> Path:
    """A task whose training images all have one size, tested on pictures of any."""
    rng = np.random.default_rng(1)
    folder(path, {"test": len(KINDS)})
    for split, count in ONE_SIZE.items():
        for number in range(2):
            place = path / split / f"class{number}"
            place.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                pixels = rng.integers(0, 200, (20, 30, 3), np.uint8) + np.uint8(50 * number)
                Image.fromarray(pixels).save(place / f"same-{index}.png")
    return path


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Tasks of all kinds of pictures: of many sizes, all grey, and of one size in training."""
    place = tmp_path_factory.mktemp("predict")
    system = munet.System.create(place / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=48)
    counts = {"train": len(KINDS), "validation": 4, "test": len(KINDS)}
    folders = {
        "odd": folder(place / "odd", counts),
        "grey": folder(place / "grey", dict.fromkeys(counts, 4), (grey, small, deep, scan)),
        "large": folder(place / "large", dict.fromkeys(counts, 1), (photo,)),
        "one-size": _one_size(place / "one"),
    }
    for name, images in folders.items():
        system.add_task(name, f"folder:{images}", allow_duplicates=True)  # one photo is in every split: it is large
    evolve(system, method="multi-head", task_iterations=1, threads=1, executor="local", **BUDGET)
    return system


@pytest.fixture
def evaluated(system: munet.System, monkeypatch: pytest.MonkeyPatch) -> Logits:
    """The logits that an evaluation of a task's test split counts."""
    seen: list[torch.Tensor] = []
    count = evaluation.count_correct

    def watch(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        seen.append(logits.clone())
        return count(logits, labels)

    def logits(task: str, batch_size: int = 512) -> torch.Tensor:
        seen.clear()
        system.evaluate([task], device="cpu", batch_size=batch_size)
        return torch.cat(seen)

    monkeypatch.setattr(evaluation, "count_correct", watch)
    return logits


def _files(system: munet.System, task: str) -> list[Path]:
    """The files of the test split, in its order."""
    found = find_split(system.task(task), "test")
    return [Path(found.source.name(split, index)) for split, a, b in found.ranges for index in range(a, b)]


@pytest.mark.parametrize("task", ["odd", "grey", "large", "one-size"])
def test_each_probability_is_that_of_evaluation_to_the_bit(system: munet.System, evaluated: Logits, task: str) -> None:
    logits, test = evaluated(task), system.task(task)["test"]
    assert test is not None
    wanted = (logits / test.get("temperature", 1.0)).softmax(dim=1)
    files = _files(system, task)
    assert torch.equal(system.predict(task, files, device="cpu").logits, logits)
    assert len(files) == len(wanted) == system.task(task)["splits"]["test"]["examples"]
    assert len(wanted.unique(dim=0)) > len(wanted) // 2
    for batch_size in (64, 5):
        assert torch.equal(system.predict(task, files, device="cpu", batch_size=batch_size).probabilities, wanted)
    for file, row in zip(files, wanted, strict=True):
        assert torch.equal(system.predict(task, file, device="cpu").probabilities[0], row), file.name
        assert torch.equal(system.predict(task, file.read_bytes(), device="cpu").probabilities[0], row), file.name


def test_the_batch_of_an_evaluation_changes_no_bit(evaluated: Any) -> None:
    assert torch.equal(evaluated("odd", 512), evaluated("odd", 7))


def test_streamed_answers_are_those_of_predict(system: munet.System) -> None:
    files = _files(system, "odd")
    streamed = [answer.top for answer in system.predict_files("odd", iter(files), top=2, device="cpu")]
    assert streamed == system.predict("odd", files, device="cpu").top(2)


def test_pictures_in_memory_are_prepared_as_files(system: munet.System) -> None:
    """But for JPEGs so large that files are decoded at a reduced scale, which arrays cannot be."""
    files = [file for file in _files(system, "odd") if "photo" not in file.name and "deep" not in file.name]
    expected = system.predict("odd", files, device="cpu").logits
    images = [Image.open(file) for file in files]
    assert torch.equal(system.predict("odd", images, device="cpu").logits, expected)
    rgba = [np.asarray(Image.open(file)) for file in files if "transparent" in file.name]
    wanted = expected[[index for index, file in enumerate(files) if "transparent" in file.name]]
    assert rgba[0].shape[-1] == 4
    assert torch.equal(system.predict("odd", rgba, device="cpu").logits, wanted)
    assert torch.equal(system.predict("odd", torch.from_numpy(np.stack(rgba)), device="cpu").logits, wanted)


def test_a_large_picture_is_averaged_not_sampled(system: munet.System) -> None:
    fine = np.zeros((960, 960), np.uint8)
    fine[:, ::2] = 254  # stripes of one pixel: their average, and nothing else, is an even grey
    even = np.full((960, 960), 127, np.uint8)
    a, b = (system.predict("odd", image, device="cpu").logits for image in (fine, even))
    assert torch.allclose(a, b, atol=0.02)


def test_a_record_that_does_not_tell_the_form_predicts_large_pictures_as_it_evaluates_them(
    system: munet.System, evaluated: Logits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that was added before records told it."""
    train = system.task("large")["splits"]["train"]
    assert (train.get("size"), train.get("channels")) == ([3000, 4000], 3)
    wanted = evaluated("large")
    read = Store.read_task

    def without(self: Store, name: str) -> Any:
        record = read(self, name)
        for split in record["splits"].values():
            split.pop("size", None)
            split.pop("channels", None)
        return record

    monkeypatch.setattr(Store, "read_task", without)
    assert torch.equal(evaluated("large"), wanted)
    assert torch.equal(system.predict("large", _files(system, "large"), device="cpu").logits, wanted)
