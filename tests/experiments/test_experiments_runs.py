"""Grids of runs on a benchmark of two tiny tasks: performed by processes, resumed, summed up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from executor_tools import kill, workers_of
from munet.analysis import model_history
from munet.errors import InputError
from munet.evolution.options import Where
from munet.experiments.grid import Run, grid
from munet.experiments.running import perform
from munet.experiments.scheduler import Ended, Message, Reported, Started, perform_all
from munet.experiments.spec import Spec
from munet.system import System

BENCHMARK = "omniglot-forms"  # two tasks; the tests put other images in their folders
CPU = Where(device="cpu", precision="fp32", threads=1, executor="local")
SMALL = "samples=1024"


@pytest.fixture
def data(tmp_path: Path, tiny_npz: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("omniglot", "omniglot32_drawers"):
        (folder / name).symlink_to(tiny_npz)
    return folder


def run_of(out: Path, word: str, seed: int = 0) -> Run:
    return Run(out, BENCHMARK, "mini", Spec.parse(word), seed)


def test_a_grid_goes_seed_by_seed(tmp_path: Path):
    runs = grid(tmp_path, "mccb-local", "mini", [Spec.parse("munet"), Spec.parse("multi-head")], range(2))
    assert [str(run) for run in runs] == ["munet seed 0", "multi-head seed 0", "munet seed 1", "multi-head seed 1"]
    assert len({run.folder for run in runs}) == 4


def test_a_result_adds_up(tmp_path: Path, data: Path):
    run = run_of(tmp_path / "out", "munet+samples=2048")
    result = perform(run, data, CPU)
    assert result == json.loads(run.result.read_text())
    system = System.open(run.system)
    children = list(model_history.children(system.store))
    assert result["children"] == len(children) == 2 * 8  # tasks x the children of mini
    assert result["samples"] == sum(child["samples"] for child in children) == 2 * 2048
    spent = sum(child["flops_spent"]["train"] + child["flops_spent"]["validation"] for child in children)
    assert sum(result["flops_spent"].values()) == spent
    assert result["mean_test_accuracy"] == system.status()["mean_test_accuracy"]
    assert [task["name"] for task in result["tasks"]] == system.tasks
    assert all(task["splits"]["train"]["ranges"] for task in result["tasks"])
    assert result["versions"]["torch"]
    assert result["machine"]["cores"]

    history = result["history"]
    assert [(entry["task"], entry["iteration"]) for entry in history] == [
        (name, iteration) for iteration in range(2) for name in system.tasks
    ]
    assert [entry["tasks"] for entry in history] == [1, 2, 2, 2]
    assert [entry["samples"] for entry in history] == [1024, 2048, 3072, 4096]
    assert history[-1]["flops_spent"] == spent
    assert history[-1]["parameters_per_task"] == result["parameters_per_task"]
    assert history[-1]["mean_test_accuracy"] == result["mean_test_accuracy"]


def test_a_run_whose_result_is_missing_is_not_trained_again(tmp_path: Path, data: Path):
    run = run_of(tmp_path / "out", f"multi-head+preprocessing=none+{SMALL}")
    first = perform(run, data, CPU)
    run.result.unlink()
    assert perform(run, data, CPU) == first
    assert System.open(run.system).store.runs() == ["0001"]


def test_workers_perform_what_is_open_and_one_that_fails_stops_no_other(tmp_path: Path, data: Path):
    out = tmp_path / "out"
    bad, good = run_of(out, f"multi-head+preprocessing=none+{SMALL}"), run_of(out, f"multi-head+{SMALL}")
    bad.system.mkdir(parents=True)
    (bad.system / "strange").touch()  # no place for a system
    heard = []
    failed = perform_all([bad, good], data, CPU, heard.append, devices=["cpu"])
    assert [ended.run for ended in failed] == [bad]
    assert "is not empty: choose another path" in (failed[0].error or "")
    assert not bad.finished
    assert good.finished
    kinds = [type(message) for message in heard if message.run == good]
    assert (kinds[0], kinds[-1]) == (Started, Ended)
    events = [
        json.loads(message.line)["event"] for message in heard if isinstance(message, Reported) and message.run == good
    ]
    assert events[:3] == ["reading", "reading", "run_started"]
    assert events[-1] == "run_finished"


def test_an_interrupted_grid_goes_on(tmp_path: Path, data: Path):
    """Ctrl-C in the middle of a run, then the same command: the result is that of an undisturbed run."""
    word = "munet+samples=2048"
    command = [sys.executable, "-c", "from munet.cli import main; main()", "experiment", "run", BENCHMARK]
    command += ["--method", word, "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    signal_safe = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **signal_safe)  # pyright: ignore[reportArgumentType, reportCallIssue]
    run = run_of(tmp_path / "out", word)
    deadline = time.monotonic() + 120
    while not list(run.system.glob("runs/0001/*-0000-0000.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130, errors
    assert "the same command goes on" in errors
    assert not run.finished

    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert "1 run, 0 finished before" in again.stdout
    assert "munet experiment table" in again.stdout
    undisturbed = perform(run_of(tmp_path / "other", word), data, CPU)
    found = json.loads(run.result.read_text())
    assert [task["model"] for task in found["tasks"]] == [task["model"] for task in undisturbed["tasks"]]
    assert found["samples"] == undisturbed["samples"]


def test_what_cannot_be_had_is_said_before_anything_starts(tmp_path: Path, data: Path):
    from typer.testing import CliRunner

    from munet.cli import build

    (data / "omniglot").unlink()
    words = ["experiment", "run", BENCHMARK, "--data", str(data), "--out", str(tmp_path / "out")]
    ended = CliRunner().invoke(build(), words)
    assert isinstance(ended.exception, InputError)
    assert "cannot be had" in str(ended.exception)
    assert not (tmp_path / "out").exists()
    for option, said in (
        (["--method", "munnet"], "did you mean 'munet'"),
        (["--budget", "minni"], "did you mean 'mini'"),
    ):
        ended = CliRunner().invoke(build(), [*words, *option])
        assert said in str(ended.exception)
    ended = CliRunner().invoke(build(), ["experiment", "run", "omniglot-form", "--data", str(data)])
    assert "did you mean 'omniglot-forms'" in str(ended.exception)


def test_a_run_whose_worker_is_killed_goes_on_with_another(tmp_path: Path, data: Path):
    run = run_of(tmp_path / "out", "munet+samples=2048")
    heard: list[Message] = []
    killed: list[int] = []

    def kill_once(message: Message) -> None:
        trained = isinstance(message, Reported) and json.loads(message.line)["event"] == "child_finished"
        if trained and not killed:
            killed.extend(workers_of(os.getpid(), "munet.experiments.worker"))
            kill(killed)
        heard.append(message)

    assert perform_all([run], data, CPU, kill_once, devices=["cpu"]) == []
    notes = [json.loads(one.line)["text"] for one in heard if isinstance(one, Reported) and "killed" in one.line]
    assert len(notes) == 1
    assert "was killed by SIGKILL: another one goes on with its run" in notes[0]
    undisturbed = perform(run_of(tmp_path / "other", "munet+samples=2048"), data, CPU)
    assert [task["model"] for task in json.loads(run.result.read_text())["tasks"]] == [
        task["model"] for task in undisturbed["tasks"]
    ]
