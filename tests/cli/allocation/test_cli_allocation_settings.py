"""Options of `allocation train` that stand for values of the preset."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import munet.cli as cli
from munet.allocation.runs import perform as runs
from munet.allocation.runs.perform import RunConfig
from munet.allocation.training.settings import Settings
from munet.cli.allocation.settings import PANELS


def test_each_setting_is_declared_once_and_is_a_field() -> None:
    names = [setting.name for settings in PANELS.values() for setting in settings]
    assert len(names) == len(set(names))
    known = {field.name for field in (*fields(Settings), *fields(RunConfig))}
    assert set(names) <= known
    own = {"experiment", "method", "preset", "settings", "seed", "threads", "data"}  # options of the command itself
    assert known - set(names) - own == {"evaluate_train"}, "a new field has an option, or is named here"


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> RunConfig:
    """What the run is that a command asks for."""
    seen: list[RunConfig] = []

    def perform(config: RunConfig, out: Path, data: Path | None, **options: Any) -> dict[str, Any]:
        seen.append(config)
        raise SystemExit(0)

    monkeypatch.setattr(runs, "perform", perform)
    with pytest.raises(SystemExit) as ended:
        cli.main(["allocation", "train", "mnist4", "--out", "nowhere", *words])
    assert ended.value.code == 0
    return seen[0]


def test_values_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    words = (
        "--rounds 7 --learning-rate 0.25 --no-l2-norms --keep best --temperature-init 9 --fallback --budget-unit flops"
    )
    config = asked(monkeypatch, *words.split(), "--seed", "3", "--threads", "2", "--preset", "small")
    assert (config.settings.rounds, config.settings.learning_rate, config.settings.l2_norms) == (7, 0.25, False)
    assert (config.settings.keep, config.settings.budget_unit, config.settings.seed) == ("best", "flops", 3)
    assert (config.temperature_init, config.fallback, config.threads, config.preset) == (9.0, True, 2, "small")


def test_what_is_not_given_is_the_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch) == runs.configured("mnist4")
    assert asked(monkeypatch, "--temperature-init", "scaled").temperature_init == "scaled"
