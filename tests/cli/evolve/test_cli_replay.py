"""What `munet watch` says in the terminal: the state of a run from its records alone."""

import pytest

import munet
from golden_ids import images
from munet.cli.evolve.replay import replayed, told
from munet.cli.evolve.state import RunState, advance, initial_state
from munet.evolution.events import Event, TaskStarted


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
    text = told(found)
    assert text.startswith("run 0001: one (task 1/2), task iteration 1/1; ")
    assert " % done in 0:" in text
    assert "left" in text


def test_in_the_middle_of_a_generation(heard: tuple[munet.System, RunState]):
    store = heard[0].store
    for file in store.run_files("0001"):
        if file.startswith("one") and not file.endswith("0000-0000.json"):
            store.run_path("0001", file).unlink()
    assert told(replayed(store, "0001")).startswith(
        "run 0001: one (task 1/2), task iteration 1/1, generation 1/2, child 2/2; "
    )
