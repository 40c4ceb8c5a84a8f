"""What a report shows of the tasks' images: the figures of `munet evaluate`, measured once, nothing private unasked."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import munet
from growing import evolve
from munet.report.images.confused import SHOWN, confused
from munet.report.images.measuring import seen
from munet.report.images.thumbnails import Folder, thumbnail
from munet.report.page import payload

TASKS = ("bars", "secret")


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with a bright bar, some of them so faint that a model is wrong."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, 24, 24), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 8 * label : 8 * label + 8] = rng.choice((30, 220), p=(0.4, 0.6))
    return images, labels


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system of two tasks, one of them private, with their data. Only read it."""
    folder = tmp_path_factory.mktemp("images")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for place, name in enumerate(TASKS):
        arrays: dict[str, Any] = {"classes": np.array(["left", "middle", "right"])}
        for number, split in enumerate(("train", "validation", "test")):
            arrays[f"{split}_image"], arrays[f"{split}_label"] = bars(60, 3 * place + number)
        np.savez(folder / f"{name}.npz", **arrays)
        system.add_task(name, f"npz:{folder / f'{name}.npz'}", private=name == "secret")
    evolve(system, method="head-only", threads=1, executor="local")
    return folder


@pytest.fixture
def system(grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> munet.System:
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path / "cache"))
    return munet.System.open(grown / "fleet")


def look(system: munet.System, *, kept: bool = False, **options: Any) -> dict[str, Any]:
    return seen(None if kept else lambda: system.models, [system.store.read_task(name) for name in TASKS], **options)


def test_the_figures_are_those_of_evaluate(system: munet.System) -> None:
    found = look(system)["bars"]
    for split in ("validation", "test"):
        row = system.evaluate(["bars"], split)["bars"]
        part = found[split]
        assert (part["correct"], part["examples"]) == (row["correct"], row["examples"])
        images, right, answers = part["by_class"]
        assert sum(images) == sum(answers) == part["examples"]
        assert sum(right) == part["correct"]
        assert sum(n for _, _, n in part["cells"]) == part["examples"] - part["correct"] == len(part["errors"]) > 0
        assert sum(n for n, _, _ in part["reliability"]) == part["examples"]
        assert all(label != answer for _, label, answer, *_ in part["errors"])
        assert sorted(part["order"]) == [0, 1, 2]
    assert {label for label, _, _ in found["samples"]} == {0, 1, 2}


def test_images_of_private_tasks_are_shown_only_when_that_is_asked_for(system: munet.System) -> None:
    kept, asked = look(system)["secret"], look(system, private=True)["secret"]
    assert "data:image" not in str(kept)
    assert kept["test"]["correct"] == asked["test"]["correct"], "its figures are there"
    assert asked["samples"]
    assert "data:image" not in str(look(system)["secret"]), "also after they were measured with them"


def test_it_is_measured_once(system: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    first = look(system, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (240, 240)
    monkeypatch.setattr("munet.tasks.cache.splits.Splits.get", lambda *asked: pytest.fail("images were read again"))
    assert look(system) == first
    assert look(system, kept=True) == first
    assert look(system, kept=True, thumbnails=4)["bars"] == {"missing": "not measured yet: `munet report` does that"}


def test_a_damaged_file_is_measured_again(system: munet.System, tmp_path: Path) -> None:
    first = look(system)
    for file in (tmp_path / "cache" / "measured").iterdir():
        file.write_bytes(file.read_bytes().replace(b"samples", b"sample\xff"))
    assert look(system) == first


def test_images_that_are_gone_are_told_without_a_path(grown: Path, tmp_path: Path) -> None:
    shutil.copytree(grown, tmp_path / "copy")
    system = munet.System.open(tmp_path / "copy" / "fleet")
    source = tmp_path / "copy" / "bars.npz"
    system.move_task("bars", f"npz:{source}")
    source.unlink()
    notes: list[str] = []
    found = look(system, note=notes.append)
    assert "missing" in found["bars"]
    assert str(tmp_path) not in found["bars"]["missing"]
    assert any(str(source) in note for note in notes)
    assert found["secret"]["missing"] is None


def test_thumbnails_beyond_those_of_a_page_go_into_a_folder(system: munet.System, tmp_path: Path) -> None:
    made = payload(system.history(), seen=look(system, thumbnails=60), folder=Folder(tmp_path / "fleet.html"))
    addresses = [sample[2] for sample in made["images"][0]["samples"]]
    assert len(addresses) > 20
    assert all((tmp_path / address).read_bytes()[:4] == b"RIFF" for address in addresses)
    assert made["images"][1]["samples"] == []


def test_thumbnails_are_small_whatever_they_show() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert len(thumbnail(noise)) < 2200
    assert thumbnail(noise[:, :, :1]).startswith("data:image/webp;base64,")


def test_a_matrix_of_many_classes_shows_those_with_most_errors_side_by_side() -> None:
    matrix = np.diag(np.full(300, 5))
    matrix[7, 250] = matrix[250, 7] = 3
    order = confused(matrix)
    assert len(set(order)) == SHOWN
    assert abs(order.index(7) - order.index(250)) == 1
