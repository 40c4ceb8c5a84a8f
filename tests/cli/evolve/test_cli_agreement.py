"""What `munet evolve` says before it starts, and `--dry-run`."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import munet
from cli_tools import Run
from golden_ids import images
from munet.cli.evolve import agreement
from munet.evolution import speeds
from munet.evolution.asked import Asked
from munet.evolution.estimate import Estimate, Speed
from munet.search import load_method

SPEED = Speed(images=100.0, workers=2)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> munet.System:
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path / "cache"))
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(tmp_path / "one", 3)
    system.add_task("one", f"npz:{tmp_path / 'one'}")
    return system


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each measurement."""
    asked: list[int] = []

    def measure(*_: Any, **__: Any) -> Speed:
        asked.append(len(asked))
        return SPEED

    monkeypatch.setattr("munet.evolution.start.measure_speed", measure)
    return asked


def test_a_dry_run_says_samples_time_and_disk_and_begins_nothing(
    system: munet.System, measured: list[int], run: Run
) -> None:
    words = ("evolve", system.path, "--method", "finetune-tuned", "--samples-per-task", "12800", "--workers", "2",
             "--executor", "processes", "--dry-run")  # fmt: skip
    code, out, _ = run(*words)
    assert code == 0
    assert "12,800 images to train on: about 1:0" in out
    assert "200 images a second measured" in out.replace("\n", " ")
    assert "on disk (" in out.replace("\n", " ")
    found = json.loads(run(*words, "--json")[1])
    assert found["samples"] == 12_800
    root = sum(system.manifest("root")["sizes"].values())
    assert found["disk"] == 2 * 4 * root, "what the task retains, and one child"
    assert found["free_disk"] > 0
    assert measured == [0], "the second time it is remembered"
    assert system.store.runs() == []


def test_a_time_becomes_samples_in_a_dry_run_too(system: munet.System, measured: list[int], run: Run) -> None:
    code, out, err = run("evolve", system.path, "--time", "60s", "--dry-run", "--json")
    assert (code, err) == (0, "")
    assert 30 < json.loads(out)["seconds"] < 60


def asked(system: munet.System, **settings: Any) -> Asked:
    return Asked(load_method("finetune-tuned", settings), tuple(system.tasks))


def agree(system: munet.System, seconds: float, how: Asked, **options: bool) -> None:
    found = Estimate(seconds, 5000, SPEED, 10_000_000)
    given: dict[str, Any] = {"timed": False, "yes": False, "as_json": False, **options}
    agreement.agree(system, how, lambda: found, image_size=None, **given)


def test_a_short_run_says_so_without_measuring(system: munet.System, capsys: pytest.CaptureFixture[str]) -> None:
    def refused() -> Estimate:
        raise AssertionError("measured")

    how = asked(system, samples_per_cycle=640)
    agreement.agree(system, how, refused, image_size=None, timed=False, yes=False, as_json=False)
    assert "5,120 images to train on: about a minute at most, at most " in capsys.readouterr().out


def test_a_run_that_trains_nothing_says_so(system: munet.System, capsys: pytest.CaptureFixture[str]) -> None:
    how = Asked(load_method("head-only"), tuple(system.tasks))
    agreement.agree(
        system, how, lambda: Estimate(1, 0, SPEED, 1), image_size=None, timed=False, yes=False, as_json=False
    )
    assert capsys.readouterr().out.startswith("nothing to train: about a minute at most, at most ")


def test_a_long_run_says_how_long_and_asks_in_a_terminal(
    system: munet.System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = asked(system, samples_per_cycle=100_000_000, at_most_epoch=False)
    agree(system, 7200, long)
    said = capsys.readouterr().out.replace("\n", " ")
    assert "5,000 images to train on: about 2:00:00 on this machine (200 images a second measured)" in said
    assert "at most 10.0 MB on disk" in said
    assert "--time 10m" in said
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(agreement, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    questions: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: questions.append(text))
    agree(system, 7200, long)
    assert questions == ["Go on?"]
    agree(system, 7200, long, yes=True)
    agree(system, 1800, long)
    agree(system, 7200, long, as_json=True)
    agree(system, 7200, long, timed=True)
    assert questions == ["Go on?"]


def test_a_speed_is_trusted_for_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path))
    clock = 1e9
    monkeypatch.setattr(speeds, "time", lambda: clock)
    kept = speeds.MeasuredSpeed({"device": "cpu"})
    assert kept.read() is None
    kept.write(123.0)
    assert kept.read() == 123.0
    assert speeds.MeasuredSpeed({"device": "cuda"}).read() is None
    clock += 3601
    assert kept.read() is None
    kept.path.write_text("no json")
    assert kept.read() is None
