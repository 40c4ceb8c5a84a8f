"""What `munet watch` says in the terminal: the state of a run from its records alone."""

import os
import re
from pathlib import Path

import pytest

import munet
from golden_ids import images
from munet.cli.evolve import replay
from munet.cli.evolve.replay import Generations, place, replayed, told
from munet.cli.evolve.state import RunState, advance, initial_state
from munet.evolution.events import Event, SharesExpected, SharesPlanned, TaskStarted, TrunkCycle
from munet.store.run_records import read_generation as read
from munet.store.run_records import trunk_progress
from munet.store.schema import ActivePopulation


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[munet.System, RunState]:
    """A run that stops when its second task begins, and the state that its own observer was left with."""
    folder = tmp_path_factory.mktemp("replay")
    system = munet.System.create(folder / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for name in ("one", "two"):
        images(folder / name, 3)
        system.add_task(name, f"npz:{folder / name}")
    state = initial_state(0.0)

    def observe(event: Event) -> None:
        if isinstance(event, TaskStarted) and event.task == "two":
            raise Stop
        advance(state, event, state.now + 1)

    budget = munet.Budget(task_iterations=1, generations=2, children=2, cycles=1, samples_per_task=256)
    with pytest.raises(Stop):
        munet.evolve(system, method="mu2net", budget=budget, observer=observe, where=munet.Where(executor="local"))
    return system, state


def test_it_is_what_the_observer_of_the_run_knows(heard: tuple[munet.System, RunState]):
    system, state = heard
    found = replayed(system.store, "0001")
    assert found.run == state.run
    assert found.tasks["one"].test == state.tasks["one"].test
    assert found.tasks["one"].iterations == 1
    assert found.progress == pytest.approx(state.progress, abs=0.1)
    assert found.time_left is not None


def test_it_says_which_task_how_far_and_how_long(heard: tuple[munet.System, RunState]):
    found = replayed(heard[0].store, "0001")
    how_far, where = told(found).split("; ")
    assert re.fullmatch(r"run 0001: \d+ % done in 0:\d\d, about 0:\d\d left", how_far)
    assert where == place(found) == "one done (task 1/2), task iteration 1/1"


def test_who_asks_again_reads_only_what_changed(heard: tuple[munet.System, RunState], monkeypatch: pytest.MonkeyPatch):
    store, files = heard[0].store, list[str]()
    monkeypatch.setattr(
        replay, "read_generation", lambda store, run, file: files.append(file) or read(store, run, file)
    )
    known = Generations(store)
    first = told(replayed(store, "0001", known))
    assert sorted(files) == ["one-0000-0000.json", "one-0000-0001.json"], "each once"
    assert told(replayed(store, "0001", known)) == first
    path = store.run_path("0001", "one-0000-0001.json")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert told(replayed(store, "0001", known)) == first
    assert files[2:] == ["one-0000-0001.json"]


def test_in_the_middle_of_a_generation(heard: tuple[munet.System, RunState]):
    store = heard[0].store
    for file in store.run_files("0001"):
        if file.startswith("one") and not file.endswith("0000-0000.json"):
            store.run_path("0001", file).unlink()
    assert place(replayed(store, "0001")) == "one (task 1/2), task iteration 1/1, generation 1/2, child 2/2"


def test_what_has_begun_is_named_before_a_child_of_it_has_finished(heard: tuple[munet.System, RunState]):
    store = heard[0].store
    active: ActivePopulation = {"run": "0001", "iteration": 0, "generation": 1, "population": [], "seen": []}
    store.write_task({**store.read_task("two"), "active": active})
    assert place(replayed(store, "0001")) == "two (task 2/2), task iteration 1/1, generation 2/2, child 0/2"
    store.write_task({**store.read_task("two"), "active": {**active, "run": "0002"}})
    assert place(replayed(store, "0001")).startswith("one ")


def test_a_run_that_trains_a_trunk_can_be_told_of_after_each_of_its_events(tmp_path: Path):
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for name in ("one", "two"):
        images(tmp_path / name, 3)
        system.add_task(name, f"npz:{tmp_path / name}")
    said, shares, expected = list[str](), list[float](), list[tuple[dict[str, int], dict[str, int]]]()

    def observe(event: Event) -> None:
        found = replayed(system.store, "0001")
        said.append(told(found))
        if isinstance(event, TrunkCycle):
            shares.append(found.progress)
        if isinstance(event, SharesExpected | SharesPlanned):
            assert found.remaining is not None
            expected.append(
                ({name: samples for (name, _), samples in found.remaining.samples.items()}, dict(event.samples))
            )

    munet.evolve(
        system,
        method="adaptive",
        budget=munet.Budget(samples_per_task=2048),
        observer=observe,
        where=munet.Where(executor="local"),
    )
    cycles = [line.split("; ")[1] for line in said if "trunk" in line]
    wanted = [f"a trunk for 2 tasks, cycle {cycle}/8" for cycle in range(1, 8)]  # what has ended is not kept
    assert [line for line in wanted if line in cycles] == wanted
    assert shares == sorted(shares)
    assert len(expected) == 3, "after each head, and when all are there"
    assert all(found == wanted for found, wanted in expected)
    kept = system.store.run_path("0001", "trunk.safetensors")
    for damaged in (b"", b"\0" * 8, b"\xff" * 20, (2).to_bytes(8, "little") + b"{}"):
        kept.write_bytes(damaged)
        assert trunk_progress(system.store, "0001") is None
