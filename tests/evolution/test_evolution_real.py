"""On real images, from the root that ships with the package, through the command line as a person would."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from repo import REPO as ROOT

pytestmark = pytest.mark.real_data


def munet(*words: object) -> str:
    program = "from munet.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_system_learns_two_scripts_and_says_so(tmp_path: Path, real_data: Path) -> None:
    fleet = tmp_path / "fleet"
    munet("init", fleet)
    for script in ("telugu", "bangla"):
        munet("add", fleet, script, f"npz:{real_data / f'cmaterdb_{script}'}", "--allow-duplicates")
    budget = ("--task-iterations", 1, "--generations", 1, "--children", 2, "--cycles", 2)
    munet("evolve", fleet, *budget, "--samples-per-cycle", 512, "--batch-size", 32, "--threads", 1)
    status = json.loads(munet("status", fleet, "--json"))
    accuracies = {row["name"]: row["test_accuracy"] for row in status["tasks"]}
    assert accuracies["telugu"] > 0.8  # the root alone, with a linear probe on all images: 0.99
    assert accuracies["bangla"] > 0.8
    measured = json.loads(munet("evaluate", fleet, "--json"))
    assert {name: row["accuracy"] for name, row in measured.items()} == accuracies
    assert status["mean_test_accuracy"] == pytest.approx(sum(accuracies.values()) / 2)


@pytest.mark.slow
def test_linear_probe_of_the_built_in_root(real_data: Path) -> None:
    """The figures that the root was made for: 3,000 training images, all test images."""
    wanted = {"mnist": 98.5, "kmnist10k": 86.0, "cmaterdb_bangla": 97.0}
    weights = ROOT / "src" / "munet" / "assets" / "glyphs" / "root.safetensors"
    command = [sys.executable, ROOT / "tools" / "glyphs" / "probe.py", "--root", weights, "--data", real_data]
    done = subprocess.run([*command, "--sets", *wanted], capture_output=True, text=True, check=True)
    found = {name: float(score) for name, score in re.findall(r"^(\w+) +([\d.]+) %", done.stdout, re.MULTILINE)}
    assert found.keys() == wanted.keys()
    assert all(found[name] >= least for name, least in wanted.items()), found
