"""`munet explain` in a terminal and for programs."""

import json
from pathlib import Path

import munet
from cli_tools import Run
from golden_ids import images
from growing import evolve

SMALL = {"samples_per_cycle": 96, "cycles": 2, "threads": 1, "executor": "local"}


def test_it_speaks_and_gives_json(run: Run, tmp_path: Path) -> None:
    images(tmp_path / "three", 3)
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("three", f"npz:{tmp_path / 'three'}")
    evolve(system, method="adaptive", **SMALL)
    code, out, err = run("explain", str(system.path), "three")
    assert (code, err) == (0, "")
    assert "60 training images of 3 classes" in out
    code, out, _ = run("explain", str(system.path), "three", "--json")
    assert (code, json.loads(out)["task"]) == (0, "three")


def test_budgets_have_names(run: Run, tmp_path: Path) -> None:
    images(tmp_path / "three", 3)
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("three", f"npz:{tmp_path / 'three'}")
    code, _, err = run("evolve", str(system.path), "--method", "adaptive", "--budget", "quik")
    assert code == 2
    assert "unknown budget 'quik' (did you mean 'quick'?); known: quick, standard, thorough" in err
    code, _, err = run("evolve", str(system.path), "--budget", "quick", "--samples-per-task", "100")
    assert code == 2
    assert "leave samples_per_task out" in err
    assert munet.Budget.named("standard").samples_per_task == 51_200
