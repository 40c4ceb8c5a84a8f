"""Sources of received systems are not opened unasked."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import munet
from growing import evolve
from munet.errors import InputError
from munet.fs import opened as asked_for
from munet.tasks import sources

SMALL: dict[str, Any] = {"generations": 1, "children": 1, "cycles": 1, "samples_per_cycle": 16, "batch_size": 8}


@pytest.fixture
def received(tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> munet.System:
    """A system with a model that another user made: this one has asked for nothing yet."""
    monkeypatch.setattr(asked_for, "_here", set())
    monkeypatch.setenv("MUNET_STATE", str(tmp_path / "theirs"))
    shutil.copytree(tiny_npz, tmp_path / "images")
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tmp_path / 'images'}")
    evolve(system, method="multi-head", task_iterations=1, threads=1, executor="local", **SMALL)
    monkeypatch.setattr(asked_for, "_here", set())
    monkeypatch.setenv("MUNET_STATE", str(tmp_path / "mine"))
    return munet.System.open(system.path)


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are opened from now on."""
    seen, real = list[str](), sources.open_source

    def watch(address: str) -> Any:
        seen.append(address)
        return real(address)

    for module in ("reopen", "changing", "record"):
        monkeypatch.setattr(f"munet.tasks.{module}.open_source", watch, raising=False)
    return seen


def test_it_is_not_opened_unasked(received: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = opened(monkeypatch)
    for use in (
        lambda: received.evaluate(),
        lambda: evolve(received, method="multi-head", task_iterations=1, threads=1, executor="local", **SMALL),
        lambda: munet.estimate(received, method="multi-head"),
    ):
        with pytest.raises(InputError, match=r"was not added on this machine.*--trust-sources.*task move") as error:
            use()
        assert error.value.kind == "untrusted-source"
    assert seen == []
    assert received.predict("shapes", _image()).top(1)


def _image() -> Any:
    import numpy as np

    return np.zeros((1, 24, 24), np.uint8)


@pytest.mark.parametrize("way", ["--trust-sources", "task move"])
def test_once_is_enough(received: munet.System, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "task move":
        shutil.copytree(tmp_path / "images", tmp_path / "elsewhere")
        received.move_task("shapes", f"npz:{tmp_path / 'elsewhere'}")
    else:
        received.trust_sources()
    monkeypatch.setattr(asked_for, "_here", set())  # as in the next process
    assert received.evaluate()["shapes"]["examples"] == 30


def test_what_was_asked_for_is_another_address(received: munet.System) -> None:
    """Who added one source has not asked for another one of the same task."""
    received.trust_sources()
    record = received.task("shapes")
    received.store.write_task({**record, "source": "folder:/"})
    with pytest.raises(InputError, match="would open folder:/:"):
        received.evaluate()


def test_it_works_without_a_place_to_remember(received: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUNET_STATE", os.devnull)
    received.trust_sources()
    assert received.evaluate()["shapes"]["examples"] == 30


def test_where_it_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUNET_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert asked_for.state_folder() == Path("/state/munet")
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert asked_for.state_folder() == Path("~/.local/state/munet").expanduser()
