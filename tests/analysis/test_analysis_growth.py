"""The replay ends in the network as it is, and tells the truth on the way, also of models that are gone."""

# pandas carries no types of its own, and what is inferred of a table is a union of all it might hold:
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import munet
from analysis_tools import big_system
from growing import evolve
from munet.analysis import costs
from munet.analysis.growth import best_at, growth, moments, paths_at, retained_at
from munet.analysis.paths import Layer, Paths
from munet.evolution.events import ChildFinished, Event

SMALL: dict[str, Any] = {
    "generations": 2,
    "children": 2,
    "cycles": 1,
    "samples_per_cycle": 30,
    "batch_size": 15,
    "threads": 1,
}


class Stop(Exception):
    pass


def models_now(system: munet.System) -> dict[str, str]:
    return {row["name"]: row["model"] for row in system.status()["tasks"] if row["model"]}


def layers_of(path: Mapping[str, Layer]) -> dict[str, str]:
    return {slot: layer.id for slot, layer in path.items()}


@pytest.mark.parametrize("name", ["trained", "whole", "made_up"])
def test_the_replay_ends_in_the_network_as_it_is(name: str, request: pytest.FixtureRequest):
    system: munet.System = request.getfixturevalue(name)
    tables = system.history()
    last = len(tables.children) - 1
    assert retained_at(tables, last) == retained_at(tables, last + 100) == models_now(system)
    assert {task: moment.model for task, moment in best_at(tables, last).items()} == models_now(system)
    paths = paths_at(tables, last)
    for task, model in models_now(system).items():
        assert layers_of(paths[task]) == system.manifest(model)["layers"]
        shown = {layer["slot"]: (layer["trained_by"], layer["parameters"]) for layer in system.show(task)["layers"]}
        assert {slot: (layer.trained_by, layer.parameters) for slot, layer in paths[task].items()} == shown


def test_moments_are_the_best_children_in_order_of_time(trained: munet.System):
    tables = trained.history()
    found = moments(tables)
    assert [moment.step for moment in found] == sorted(moment.step for moment in found)
    best = tables.children[tables.children["best"]]
    assert {moment.sampled for moment in found} == set(best["step"])
    for moment in found:
        row = tables.children.iloc[moment.sampled]
        assert (row["task"], row["model"], row["accuracy"]) == (moment.task, moment.model, moment.accuracy)
        assert moment.path
    assert growth(tables).notes == ()
    assert growth(tables) is growth(tables)


def test_what_was_retained_follows_the_records_of_task_iterations(trained: munet.System):
    tables = trained.history()
    assert retained_at(tables, -1) == best_at(tables, -1) == paths_at(tables, -1) == {}
    expected: dict[str, str] = {}
    for row in tables.iterations.itertuples():
        before = dict(expected)
        assert retained_at(tables, int(row.step) - 1) == before
        expected[row.task] = row.model
        assert retained_at(tables, int(row.step)) == expected
        assert {task: moment.model for task, moment in best_at(tables, int(row.step)).items()} == expected


def test_collected_models_are_told_as_they_were(whole: munet.System, trained: munet.System):
    """Beside their names: a layer that is gone has another one, the same wherever the layer was used."""
    before, after = whole.history(), trained.history()
    gone = set(before.models["model"]) - set(after.models["model"])
    assert gone & {moment.model for moment in moments(after)}
    truth, derived = Paths(before.one()), Paths(after.one())
    names: dict[str, str] = {}
    for row in before.children.itertuples():
        if not row.accepted:
            continue
        mine, theirs = derived.of_step(row.step), truth.of_step(row.step)
        assert mine is not None
        assert theirs is not None
        assert mine.keys() == theirs.keys()
        for slot, layer in theirs.items():
            assert names.setdefault(layer, mine[slot]) == mine[slot], (row.step, slot)
            assert derived.layers[mine[slot]].trained_by == truth.layers[layer].trained_by
            assert derived.layers[mine[slot]].parameters == truth.layers[layer].parameters
        if row.model in gone:
            assert any(layer.startswith(f"{row.model}:") for layer in mine.values())
    assert len(set(names.values())) == len(names)


def test_rejected_children_have_a_path_too(made_up: munet.System):
    tables = made_up.history()
    paths = Paths(tables.one())
    for row in tables.children[~tables.children["accepted"]].head(40).itertuples():
        found = paths.of_step(row.step)
        assert found is not None
        assert sum(paths.layers[layer].parameters or 0 for layer in found.values()) == row.parameters
        trained = {slot for slot, layer in found.items() if layer.startswith(f"{row.step}:")}
        assert trained == set(row.cloned)


@pytest.fixture
def two(tmp_path: Path, tiny_npz: Path) -> munet.System:
    system = munet.System.create(tmp_path / "two", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("a", f"npz:{tiny_npz}")
    system.add_task("b", f"npz:{tiny_npz}")
    evolve(system, task_iterations=1, **SMALL)
    return system


def interrupted(system: munet.System, children: int) -> None:
    """A run that was killed after so many children."""
    count = 0

    def stop(event: Event) -> None:
        nonlocal count
        count += isinstance(event, ChildFinished)
        if count == children:
            raise Stop

    with pytest.raises(Stop):
        evolve(system, task_iterations=1, seed=7, observer=stop, **SMALL)


def test_an_iteration_that_goes_on_retains_nothing_yet(two: munet.System):
    before = models_now(two)
    interrupted(two, 7)  # all four children of a, three of b
    tables = two.history()
    last = len(tables.children) - 1
    assert last == 8 + 7 - 1
    assert retained_at(tables, last) == models_now(two)
    assert models_now(two)["b"] == before["b"]
    open_ones = tables.children.query("run == '0002' and task == 'b'")
    assert not open_ones["retained"].any()
    leader = open_ones.loc[open_ones["best"], "model"].tolist()
    assert best_at(tables, last)["b"].model == (leader[-1] if leader else before["b"])
    assert tables.runs["finished"].notna().tolist() == [True, False]


def test_an_abandoned_run_leaves_what_was_before_it(two: munet.System):
    before = models_now(two)
    interrupted(two, 3)
    assert models_now(two) == before
    evolve(two, ["b"], task_iterations=1, seed=8, abandon="0002", **SMALL)
    tables = two.history()
    assert tables.runs["abandoned"].tolist() == [False, True, False]
    lost = tables.children.query("run == '0002'")
    assert len(lost) == 3
    assert not lost["retained"].any()
    first = int(lost["step"].iloc[-1]) + 1
    assert best_at(tables, first)["a"].model == before["a"]
    assert retained_at(tables, first)["a"] == before["a"]
    last = len(tables.children) - 1
    assert {task: moment.model for task, moment in best_at(tables, last).items()} == models_now(two)


def test_systems_older_than_the_records_of_task_iterations(two: munet.System):
    newer = two.history()
    for run in two.store.runs():
        for file in two.store.run_files(run):
            if file.endswith(".end.json"):
                two.store.run_path(run, file).unlink()
    older = two.history()
    assert older.iterations.empty
    assert older.children["best"].tolist() == newer.children["best"].tolist()
    assert older.children["retained"].tolist() == newer.children["retained"].tolist()
    for step in range(len(older.children)):
        assert retained_at(older, step) == retained_at(newer, step)


def test_without_task_or_children_there_is_nothing_to_replay(tmp_path: Path):
    for tasks in (0, 1):
        tables = big_system(tmp_path / str(tasks), tasks=tasks, children=0, blocks=2).history()
        assert moments(tables) == ()
        assert best_at(tables, 10) == paths_at(tables, 10) == retained_at(tables, 10) == {}


def test_a_lost_record_costs_its_own_moments_only(made_up: munet.System, tmp_path: Path):
    shutil.copytree(made_up.path, tmp_path / "s")
    system = munet.System.open(tmp_path / "s")
    for file in system.store.run_files("0001"):
        if file.startswith("task-003-0000-"):
            system.store.run_path("0001", file).write_bytes(b"{}")
    tables = system.history()
    assert len(tables.notes) == sum(file.startswith("task-003-0000-") for file in system.store.run_files("0001"))
    last = len(tables.children) - 1
    assert retained_at(tables, last) == models_now(system)
    assert {task: moment.model for task, moment in best_at(tables, last).items()} == models_now(system)
    assert growth(tables).notes == ("the layers of a model that was the best for a while are not known any more",)


def test_a_layer_of_a_trunk_was_trained_by_all_that_trained_it(together: munet.System):
    one = together.history().one()
    steps = [step for step, names in enumerate(one.sampled.columns["together"]) if names]
    assert [one.sampled.columns["together"][step] for step in steps] == [("three", "four")] * 2
    paths = Paths(one)
    for step in steps:
        slots = paths.of_step(step)
        assert slots is not None
        for slot, id in slots.items():
            trained = slot in one.sampled.columns["cloned"][step] and slot != "head"
            assert paths.layers[id].together == (("three", "four") if trained else ())
    table = costs.parameters(together.history())
    assert table["trained"].sum() == pytest.approx(together.status()["unique_parameters"])
