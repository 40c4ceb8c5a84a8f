"""munet.toml in a system's folder: options that its user always gives."""

import os
from pathlib import Path

import pytest

from cli_tools import Run
from munet import System

TINY = ["--method", "mu2net-plus", "--task-iterations", "1", "--generations", "1", "--cycles", "1", "--device", "cpu"]
TINY += ["--samples-per-cycle", "32"]


@pytest.fixture
def fleet(tmp_path: Path, tiny_npz: Path) -> Path:
    system = System.create(tmp_path / "fleet", "random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("t", f"npz:{tiny_npz}")
    return system.path


def test_options_come_from_the_file_and_the_command_line_wins(fleet: Path, run: Run):
    (fleet / "munet.toml").write_text(
        '[evolve]\nchildren = 3\nthreads = 1\nbatch_size = 16\nset = ["validation_cap=30"]\n'
    )
    code, out, err = run("evolve", fleet, *TINY, "--children", "1")
    assert code == 0, err
    said = f"{fleet}/munet.toml: --children 3 --threads 1 --batch-size 16 --set validation_cap=30"
    assert err.replace("'", "") == f"note: from {said}\n"
    assert "x 1 child x 1 cycle" in out
    assert len(System.open(fleet).history().children) == 1
    report = System.open(fleet).fsck()
    assert (report.ok, report.strays) == (True, [])


def test_other_commands_do_not_ask_it(fleet: Path, run: Run):
    (fleet / "munet.toml").write_text("[evolve")
    assert run("status", fleet)[0] == 0
    code, _, err = run("evolve", fleet)
    assert (code, err.count("\n")) == (2, 1)
    assert "munet.toml is not valid TOML" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[evolv]\nseed = 1", "unknown table [evolv] (did you mean 'evolve'?)"),
        ("evolve = 3", "evolve is 3; write it as a table, [evolve]"),
        ("[evolve]\nsed = 1", "cannot have sed (did you mean 'seed'?)"),
        ("[evolve]\ntrust-sources = true", "cannot have trust-sources"),
        ("[evolve]\nlog = ['wandb:mine']", "cannot have log"),
        ("[evolve]\nchildren = 'many'", "invalid value for '--children'"),
        ("[evolve]\nbudget = 'quik'", "quik"),
    ],
)
def test_what_cannot_be_there_is_one_line(text: str, said: str, fleet: Path, run: Run):
    (fleet / "munet.toml").write_text(text)
    code, _, err = run("evolve", fleet)
    line = err.splitlines()[-1]
    assert (code, line.startswith("munet: error: ")) == (2, True), err
    assert said in line


def test_a_link_or_a_pipe_in_its_place_is_not_read(fleet: Path, run: Run):
    file = fleet / "munet.toml"
    file.symlink_to("/etc/hostname")
    code, _, err = run("evolve", fleet)
    assert (code, err.count("\n")) == (2, 1)
    assert "munet.toml" in err
    file.unlink()
    os.mkfifo(file)
    code, _, err = run("evolve", fleet)
    assert (code, err.count("\n")) == (2, 1)
