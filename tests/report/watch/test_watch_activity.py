"""Whether an evolution runs: by the open lock file, without taking the lock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from munet.fs import locks
from munet.report.watch.activity import activity, is_evolving
from munet.report.watch.changes import Files
from watch_tools import fake_system, put


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return fake_system(tmp_path / "fleet")


def doing(system: Path) -> tuple[str, str | None]:
    return activity(system, Files(system).look())


def test_the_life_of_a_run(system: Path):
    assert doing(system) == ("empty", None)
    with locks.alone(system / ".evolving", "evolving"):
        assert doing(system) == ("evolving", None)
        put(system / "runs" / "0001" / "run.json")
        assert doing(system) == ("evolving", "0001")
    # This process, which held the lock, lives on.
    assert doing(system) == ("interrupted", "0001")
    put(system / "runs" / "0001" / "finished.json")
    assert doing(system) == ("finished", "0001")
    with locks.alone(system / ".evolving", "evolving"):
        assert doing(system) == ("evolving", None)


def test_a_run_that_was_killed_before_its_config_is_none(system: Path):
    (system / "runs" / "0001").mkdir()
    assert doing(system) == ("empty", None)


def test_looking_turns_no_evolution_away(system: Path):
    with locks.alone(system / ".evolving", "evolving"):
        pass
    for _ in range(20):
        assert not is_evolving(system)
        with locks.alone(system / ".evolving", "evolving"):
            assert is_evolving(system)


def test_a_process_that_was_killed_evolves_no_more(system: Path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom munet.fs import locks\n"
        "with locks.alone(Path(sys.argv[1]), 'evolving'):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, system / ".evolving"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert is_evolving(system)
        process.kill()
        process.wait()
        assert not is_evolving(system)


@pytest.mark.parametrize(
    "text", ["", "\n", "0\n", "-1\n", "garbage", pytest.param(str(os.getpid()), id="our own"), "99999999\n", "²\n"]
)
def test_a_lock_file_alone_is_no_evolution(system: Path, text: str):
    (system / ".evolving").write_text(text)
    assert not is_evolving(system)
