"""Where nothing was trained the page shows nothing that only training depends on, and compares nothing with itself."""

from typing import Any

import pytest

import munet
from munet.report.page import charts


def _names(found: dict[str, list[dict[str, Any]]]) -> tuple[set[str], set[str]]:
    distributions, schedules = ({one["name"] for one in found[key]} for key in ("distributions", "schedules"))
    return distributions, schedules


def test_settings_of_steps_are_left_out_where_no_child_took_any(eight: munet.System, monkeypatch: pytest.MonkeyPatch):
    history = eight.history()
    one = history.one()
    samples = one.sampled.columns["samples"]
    everything, _ = _names(charts.settings(history, one))
    assert {"learning_rate", "warmup_ratio", "image_size"} <= everything
    monkeypatch.setitem(one.sampled.columns, "samples", [0 for _ in samples])
    distributions, schedules = _names(charts.settings(history, one))
    assert distributions == schedules == everything - {"learning_rate", "warmup_ratio", "momentum", "nesterov"}
    monkeypatch.setitem(one.sampled.columns, "samples", [0, *(None for _ in samples[1:])])
    assert _names(charts.settings(history, one))[0] == everything, "what is not known may have been trained"


def _ways(*models: tuple[str, str | None]) -> list[dict[str, Any]]:
    return [{"way": way, "model": model, "seconds": 1.0} for way, model in models]


def test_a_way_that_is_what_each_task_has_is_left_out(monkeypatch: pytest.MonkeyPatch):
    def of(*found: list[dict[str, Any]]) -> list[list[str]]:
        monkeypatch.setattr(charts, "alternatives", lambda one, others: list(found))
        made = charts.ways(None, [])  # pyright: ignore[reportArgumentType]
        assert all("model" not in way for task in made for way in task)
        return [[way["way"] for way in task] for task in made]

    head, better = _ways(("head alone", "a"), ("retained", "a")), _ways(("head alone", "b"), ("retained", "c"))
    other = _ways(("head alone", "d"), ("retained", "d"), ("finetune-full", "e"))
    assert of(head, [], other) == [["retained"], [], ["retained", "finetune-full"]]
    assert of(head, better) == [["head alone", "retained"]] * 2, "where one differs all are told"
    unknown = _ways(("head alone", None), ("retained", None))
    assert of(unknown) == [["head alone", "retained"]]
