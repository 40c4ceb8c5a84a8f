"""What an export says of the preprocessing is what munet does: the code of docs/prediction.md, without munet."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import munet
from growing import evolve
from munet.tasks.reopen import find_split
from odd_pictures import KINDS, folder
from repo import DOCS


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    place = tmp_path_factory.mktemp("companion")
    system = munet.System.create(place / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images = folder(place / "images", {"train": 2, "validation": 2, "test": len(KINDS)})
    system.add_task("flowers", f"folder:{images}", allow_duplicates=True)  # one photo in every split
    budget: dict[str, Any] = {"cycles": 1, "samples_per_cycle": 4, "batch_size": 4}
    evolve(system, method="multi-head", task_iterations=1, threads=1, executor="local", **budget)
    return system


def test_the_code_of_the_page_gives_the_probabilities_of_munet(
    system: munet.System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.export("flowers", tmp_path / "flowers.safetensors")
    page = (DOCS / "prediction.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(import json.*?)```", page, re.DOTALL)[0]
    assert "munet" not in code
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    found = find_split(system.task("flowers"), "test")
    files = [found.source.name(split, index) for split, a, b in found.ranges for index in range(a, b)]
    assert {os.path.basename(file).split("-")[1].split(".")[0] for file in files} == {kind.__name__ for kind in KINDS}
    wanted = system.predict("flowers", files, device="cpu").probabilities
    for file, row in zip(files, wanted, strict=True):
        torch.testing.assert_close(names["probabilities"](file), row, rtol=0, atol=1e-6, msg=file)


def test_the_companion_names_each_step(system: munet.System, tmp_path: Path) -> None:
    written = system.export("flowers", tmp_path / "flowers.safetensors")
    steps = json.loads((tmp_path / "flowers.json").read_text())["preprocessing"]
    assert steps == written["preprocessing"]
    first, second = steps["resize"]
    assert (first["when"], first["size"], first["filter"], first["antialias"]) == ("always", [64, 64], "bilinear", True)
    assert (second["size"], second["filter"], second["antialias"]) == ([32, 32], "bilinear", False)
    assert (steps["crop"], steps["decode"]["exif_orientation"], steps["mean"]) == (None, "applied", written["mean"])
    root = system.export("root", tmp_path / "root.safetensors")["preprocessing"]["resize"][0]
    assert (root["when"], root["size"]) == ("higher or wider than 64", [64, 64])
