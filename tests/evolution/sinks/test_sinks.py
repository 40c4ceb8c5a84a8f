"""Curves of a run elsewhere: what is shown, what is closed, and that no tracker ends a run."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from munet.errors import InputError
from munet.evolution.events import (
    ChildFinished,
    CycleFinished,
    Event,
    RunFinished,
    RunStarted,
    SharesPlanned,
    TaskFinished,
    TaskStarted,
    TrunkCycle,
    TrunkStarted,
)
from munet.evolution.sinks import sink
from munet.evolution.sinks.numbers import Numbers

RUN = RunStarted("0001", "adaptive", ("a", "b"), 1, 1, 1, 2)
EVENTS: tuple[Event, ...] = (
    RUN,
    SharesPlanned(0, (("a", 10), ("b", 0))),
    TrunkStarted(("a", "b"), 0, 1, (0.5, 0.5)),
    TrunkCycle(0, 0, (0.25, 0.5)),
    TaskStarted("a", 0, 90, 30, None),
    CycleFinished("a", 0, 0, 0, 0, 0.5),
    ChildFinished("a", 0, 0, 0, True, True, 0.5, 0.4375, None),
    ChildFinished("a", 0, 0, 1, False, False, None, None, "loss is not finite"),
    TaskFinished("a", 0, "f00", 0.5, 0.75, True),
    TaskFinished("b", 0, None, None, None, False),
    RunFinished("0001", 9.0, 6.0, 2.0, 1.0, 128),
)
SHOWN = [
    ({"validation/a": 0.25, "validation/b": 0.5}, 2),
    ({"validation/a": 0.5}, 3),
    ({"best/a": 0.5, "score/a": 0.4375}, 3),
    ({"test/a": 0.75}, 3),
    ({"seconds": 9.0, "samples": 128.0}, 3),
]


@pytest.fixture
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package with the calls of wandb and trackio that keeps what it hears."""
    heard: list[Any] = []
    fake = SimpleNamespace(
        heard=heard,
        init=lambda **asked: heard.append(("init", asked)),
        log=lambda numbers, step: heard.append((numbers, step)),
        finish=lambda: heard.append("finish"),
    )
    monkeypatch.setitem(sys.modules, request.param, fake)
    return fake


@pytest.mark.parametrize("library", ["wandb", "trackio"], indirect=True)
def test_a_project_hears_every_number_once(library: Any, request: pytest.FixtureRequest):
    name = request.node.callspec.params["library"]
    with sink(f"{name}:mine") as observe:
        for event in EVENTS:
            observe(event)
    begun, *shown, ended = library.heard
    assert (begun[1]["project"], begun[1]["name"], ended) == ("mine", "run 0001", "finish")
    assert begun[1]["config"]["method"] == "adaptive"
    assert shown == SHOWN


def test_tensorboard_reads_what_was_written(tmp_path: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with sink(f"tensorboard:{tmp_path}") as observe:
        for event in EVENTS:
            observe(event)
    found = accumulator.EventAccumulator(str(tmp_path / "0001"))
    found.Reload()
    read = {(tag, scalar.step, scalar.value) for tag in found.Tags()["scalars"] for scalar in found.Scalars(tag)}
    assert read == {(name, step, value) for numbers, step in SHOWN for name, value in numbers.items()}


@pytest.mark.parametrize("library", ["wandb"], indirect=True)
def test_a_tracker_that_fails_does_not_end_the_run(library: Any):
    def fail(numbers: object, step: int) -> None:
        raise ConnectionError("nobody there")

    library.log = fail
    with sink("wandb:mine") as observe:
        observe(RUN)
        with pytest.warns(UserWarning, match=r"wandb:mine failed \(nobody there\): the run goes on without it"):
            observe(EVENTS[5])
        observe(EVENTS[6])  # nothing more is asked of it


@pytest.mark.parametrize("library", ["wandb"], indirect=True)
def test_a_run_that_cannot_begin_there_is_refused(library: Any):
    def refuse(**asked: object) -> None:
        raise RuntimeError("no key")

    library.init = refuse
    with sink("wandb:mine") as observe, pytest.raises(InputError, match=r"^wandb:mine cannot be begun: no key$"):
        observe(RUN)


@pytest.mark.parametrize("address", ["wandb", "wandb:", "tensorbord:logs", "logs"])
def test_addresses_that_are_none(address: str):
    with pytest.raises(InputError, match="a log is tensorboard:DIR, trackio:PROJECT or wandb:PROJECT"), sink(address):
        pass


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    said = r"needs the package wandb: `pip install 'munet-ml\[wandb\]'`"
    with pytest.raises(InputError, match=said), sink("wandb:x"):
        pass


def test_steps_of_a_resumed_run_go_on():
    numbers = Numbers()
    numbers.of(RunStarted("0001", "munet", ("a",), 1, 1, 4, 5, resumed=True, finished_children=2))
    numbers.of(CycleFinished("a", 0, 0, 2, 0, 0.5))
    assert numbers.step == 11
