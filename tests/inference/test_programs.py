"""Models that leave as programs: the answers of munet, what is shared there once, nothing kept that differs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import munet
from golden_ids import images
from growing import evolve
from munet.errors import InputError
from munet.inference.programs import check
from odd_pictures import folder

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Tasks three and four share all but their heads; adapted has adapters and blocks of its own; photos are larger."""
    place = tmp_path_factory.mktemp("programs")
    system = munet.System.create(place / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name, classes in (("three", 3), ("four", 4), ("adapted", 3)):
        images(place / name, classes)
        system.add_task(name, f"npz:{place / name}")
    evolve(system, ["three", "four"], method="head-only", threads=1, executor="local")
    budget: dict[str, Any] = {
        "cycles": 1,
        "samples_per_cycle": 32,
        "task_iterations": 1,
        "generations": 1,
        "children": 1,
    }
    evolve(system, ["adapted"], method="adapters:8", threads=1, executor="local", **budget)
    made = folder(place / "photos", {"train": 2, "validation": 2, "test": 2})
    system.add_task("photos", f"folder:{made}", allow_duplicates=True)
    evolve(system, ["photos"], method="head-only", threads=1, executor="local")
    return system


@pytest.fixture(scope="module")
def both(system: munet.System, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Three and four in one ONNX file, with its script."""
    path = tmp_path_factory.mktemp("onnx") / "both.onnx"
    return path, system.export_program(["three", "four", "three"], path, example=True)


def pictures(count: int, side: int = 28) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def near(found: torch.Tensor, wanted: torch.Tensor) -> None:
    """Logits of heads in closed form may be large: 1e-4 of the largest."""
    assert float((found - wanted).abs().max()) <= 1e-4 * max(1.0, float(wanted.abs().max()))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_onnx_answers_for_two_tasks_as_predict_does(
    system: munet.System, both: tuple[Path, dict[str, Any]], count: int
) -> None:
    session = onnxruntime.InferenceSession(both[0])
    about = json.loads(session.get_modelmeta().custom_metadata_map["munet"])
    assert [task["task"] for task in about["tasks"]] == ["three", "four"]
    assert [task["model"] for task in about["tasks"]] == [system.resolve("three"), system.resolve("four")]
    assert [one.name for one in session.get_outputs()] == ["three", "four"]
    for task, found in zip(about["tasks"], session.run(None, {"images": pictures(count)}), strict=True):
        wanted = system.predict(task["task"], pictures(count), device="cpu")
        near(torch.from_numpy(found), wanted.logits)
        assert task["classes"] == wanted.classes


def test_what_tasks_share_is_in_the_file_once(both: tuple[Path, dict[str, Any]], system: munet.System) -> None:
    parameters = sum(system.manifest("three")["sizes"].values())
    assert both[0].stat().st_size < 1.2 * 4 * parameters
    assert both[1]["largest_difference"] <= check.LARGEST


def test_the_script_beside_it_needs_no_torch(
    both: tuple[Path, dict[str, Any]], system: munet.System, tmp_path: Path
) -> None:
    from PIL import Image

    files = [tmp_path / f"{side}.png" for side in (32, 200)]
    for file, side in zip(files, (32, 200), strict=True):
        Image.fromarray(pictures(1, side)[0]).save(file)
    script = Path(both[1]["example"])
    assert script.name == "predict.py"
    code = "import sys, runpy; sys.modules['torch'] = sys.modules['munet'] = None; runpy.run_path(sys.argv.pop(1))"
    words = [sys.executable, "-c", code, str(script), *map(str, files)]
    done = subprocess.run(words, cwd=script.parent, capture_output=True, text=True, check=True)
    wanted = [
        f"{file} {task} {label} {100 * probability:.1f} %"
        for file in files
        for task in ("three", "four")
        for label, probability in system.predict(task, file, device="cpu").top(1)[0]
    ]
    assert done.stdout.splitlines() == wanted


def test_a_program_of_torch_export_holds_adapters_and_takes_any_batch(system: munet.System, tmp_path: Path) -> None:
    path = tmp_path / "x.pt2"
    written = system.export_program(["adapted", "three"], path)
    extra = {"munet": ""}
    program = torch.export.load(path, extra_files=extra).module()
    assert json.loads(extra["munet"])["tasks"] == written["tasks"]
    for count in (1, 3, 17):
        adapted, three = program(torch.from_numpy(pictures(count)))
        for task, found in (("adapted", adapted), ("three", three)):
            wanted = system.predict(task, pictures(count), device="cpu").logits
            near(found, wanted)


def test_without_preprocessing_it_takes_what_the_network_takes(system: munet.System, tmp_path: Path) -> None:
    system.export_program(["three"], tmp_path / "x.pt2", preprocessing=False)
    program = torch.export.load(tmp_path / "x.pt2").module()
    ready = torch.randn(3, 3, 32, 32)
    near(program(ready)[0], system.models.network(system.resolve("three"))(ready))


def test_what_cannot_be_one_program_is_refused(system: munet.System, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="different sizes: export each"):
        system.export_program(["three", "photos"], tmp_path / "x.pt2")
    with pytest.raises(InputError, match=r"end in \.onnx or \.pt2"):
        system.export_program(["three"], tmp_path / "x.pth")
    with pytest.raises(InputError, match="the root has no head"):
        system.export_program(["root"], tmp_path / "x.pt2")
    with pytest.raises(InputError, match="leave --bare out"):
        system.export_program(["three"], tmp_path / "x.onnx", preprocessing=False, example=True)
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_answers_otherwise_is_not_kept(
    system: munet.System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = check._loaded
    monkeypatch.setattr(check, "_loaded", lambda path: lambda images: [1.01 * x for x in loaded(path)(images)])
    with pytest.raises(InputError, match="answers otherwise for task 'three'"):
        system.export_program(["three"], tmp_path / "x.pt2")
    assert list(tmp_path.iterdir()) == []
