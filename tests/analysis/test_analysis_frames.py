"""The tables: complete, typed, equal to what the other commands tell, and there for every kind of system."""

# pandas carries no types of its own, and what is inferred of a table is a union of all it might hold:
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import munet
from analysis_tools import big_system
from munet.analysis import History, history, model_history
from munet.analysis import columns as c
from munet.analysis.child_fields import CHILDREN
from munet.analysis.frames import labels
from munet.errors import InputError
from munet.model.slots import blocks_in

FRAMES = {
    "tasks": c.TASKS,
    "children": CHILDREN,
    "cycles": c.CYCLES,
    "mutations": c.MUTATIONS,
    "models": c.MODELS,
    "layers": c.LAYERS,
    "probabilities": c.PROBABILITIES,
    "iterations": c.ITERATIONS,
    "runs": c.RUNS,
}


@pytest.fixture(params=["trained", "made_up"])
def system(request: pytest.FixtureRequest) -> munet.System:
    return request.getfixturevalue(request.param)


def known(value: object) -> object:
    return None if value is None or value != value else value


def test_tables_have_the_columns_and_types_that_they_promise(system: munet.System):
    tables = system.history()
    for name, schema in FRAMES.items():
        table = getattr(tables, name)
        assert isinstance(table, pd.DataFrame)
        assert [column for column in table if not column.startswith("hp.")] == list(schema)
        assert {column: str(table[column].dtype) for column in schema} == dict(schema), name
        assert set(table["system"]) <= {system.path.name}
        assert getattr(tables, name) is table


def test_tasks_equal_status(system: munet.System):
    table = system.history().tasks
    rows = system.status()["tasks"]
    assert table["task"].tolist() == [row["name"] for row in rows]
    assert table["order"].tolist() == list(range(len(rows)))
    for row, mine in zip(rows, table.to_dict("records"), strict=True):
        assert {key: known(mine[key]) for key in row.keys() & mine.keys()} == {
            key: row[key] for key in row.keys() & mine.keys()
        }
        assert set(c.TASKS) - {"system", "task", "order"} <= row.keys()


def test_children_are_all_there_in_the_order_in_which_they_were_sampled(system: munet.System):
    table, records = system.history().children, list(model_history.children(system.store))
    assert table["step"].tolist() == list(range(len(records)))
    by_place = {tuple(r[key] for key in ("run", "task", "iteration", "generation", "child")): r for r in records}
    assert len(by_place) == len(records)
    for row in table.to_dict("records"):
        record = by_place[tuple(row[key] for key in ("run", "task", "iteration", "generation", "child"))]
        for key in ("model", "parent", "parent_task", "accepted", "reason", "accuracy", "score", "parent_score"):
            assert known(row[key]) == record[key]
        for key in ("parameters", "trainable_parameters", "accounted_parameters", "flops", "samples", "device"):
            assert known(row[key]) == record[key]
        assert row["train_seconds"] == record["seconds"]["train"]
        assert row["validation_flops"] == record["flops_spent"]["validation"]
        settings = {key[3:]: known(value) for key, value in row.items() if key.startswith("hp.")}
        assert {key: value for key, value in settings.items() if value is not None} == record["hyperparameters"]
        assert row["cycles"] == len(record["accuracies"])
        cycle = record["cycle"]
        assert known(row["cycle"]) == (cycle if cycle is not None and cycle >= 0 else None)
    generations = table.groupby(["run", "iteration", "task", "generation"], sort=False)["started"]
    assert generations.min().is_monotonic_increasing  # siblings may begin in any order


def test_long_tables_hold_every_validation_and_every_mutation(system: munet.System):
    tables = system.history()
    records = list(model_history.children(system.store))
    assert len(tables.cycles) == tables.children["cycles"].sum() == sum(len(r["accuracies"]) for r in records)
    assert Counter(tables.mutations["kind"]) == Counter(m["kind"] for r in records for m in r["mutations"])
    merged = tables.cycles.merge(tables.children[["step", "cycle", "accuracy"]], on=["step", "cycle"])
    assert (merged["accuracy_x"] == merged["accuracy_y"]).all()
    kept = tables.children["accuracy"].notna().sum()
    assert len(merged) == kept
    changed = tables.mutations.query("kind == 'set'")
    settings = tables.children.set_index("step")
    for row in changed.head(50).itertuples():
        assert settings.loc[row.step, f"hp.{row.name}"] == row.new != row.old


def test_a_childs_parent_was_sampled_before_it(system: munet.System):
    tables = system.history()
    table = tables.children
    with_parent = table[table["parent_step"].notna()]
    assert (with_parent["parent_step"] < with_parent["step"]).all()
    models = table["model"].to_numpy()
    assert (models[with_parent["parent_step"].astype(int)] == with_parent["parent"]).all()
    others = table[table["parent_step"].isna()]
    assert set(others["parent"]) == {system.root}


def test_depth_is_known_of_every_child(whole: munet.System, trained: munet.System, made_up: munet.System):
    table = whole.history().children
    stored = {model: blocks_in(whole.manifest(model)["layers"]) for model in table["model"] if model}
    for row in table.itertuples():
        if row.model:
            assert row.num_blocks == stored[row.model]
    pd.testing.assert_series_equal(trained.history().children["num_blocks"], table["num_blocks"])
    assert made_up.history().children["num_blocks"].notna().all()
    assert table["num_blocks"].nunique() > 1


def test_one_child_of_each_task_iteration_is_retained_unless_the_older_model_was_better(system: munet.System):
    tables = system.history()
    models = system.history().iterations
    for row in models.itertuples():
        place = tables.children.query("run == @row.run and task == @row.task and iteration == @row.iteration")
        retained = place[place["retained"]]
        assert retained["model"].tolist() == ([row.model] if row.model in set(place["model"]) else [])
        assert row.step == place["step"].max()
    assert tables.children.loc[tables.children["retained"], "best"].all()
    assert tables.children.loc[tables.children["best"], "accepted"].all()


def test_the_best_child_scores_more_than_all_before_it_in_its_iteration(made_up: munet.System):
    for _, place in made_up.history().children.groupby(["run", "task", "iteration"]):
        best = place[place["best"]]
        assert best["score"].is_monotonic_increasing
        accepted = place[place["accepted"]]
        for row in best.itertuples():
            assert (
                row.score >= accepted.loc[accepted["step"] < row.step, "score"].max()
                or len(accepted) == 1
                or (row.step == accepted["step"].min())
            )


def test_models_are_all_manifests(system: munet.System):
    table = system.history().models.set_index("model")
    assert set(table.index) == set(system.store.models.ids())
    root = table.loc[system.root]
    assert root["task"] is None
    assert known(root["step"]) is None
    living = {row["model"] for row in system.status()["tasks"] if row["model"]}
    assert set(table.index[table["retained"]]) == living
    assert table.loc[list(living), "alive"].all()
    assert table.loc[list(living), "test_accuracy"].notna().all()
    children = system.history().children
    stepped = table[table["step"].notna()]
    assert (children["model"].to_numpy()[stepped["step"].astype(int)] == stepped.index).all()


def test_layers_are_those_that_show_tells(system: munet.System):
    table = system.history().layers
    for row in system.status()["tasks"]:
        mine = table[table["task"] == row["name"]]
        shown = system.show(row["name"])["layers"] if row["model"] else []
        keys = ("slot", "layer", "parameters", "trained_by")
        assert mine[list(keys)].to_dict("records") == [{key: layer[key] for key in keys} for layer in shown]
        assert [list(names) for names in mine["shared_with"]] == [layer["shared_with"] for layer in shown]
        assert (mine["users"] == mine["shared_with"].map(len) + 1).all()
    unique = table.drop_duplicates("layer")["parameters"].sum()
    assert unique == system.status()["unique_parameters"]
    assert (table["parameters"] / table["users"]).sum() == pytest.approx(unique)


def test_probabilities_are_those_of_the_retained_models(system: munet.System):
    table = system.history().probabilities
    for row in system.status()["tasks"]:
        mine = table[table["task"] == row["name"]]
        learned = system.manifest(row["name"])["mutation_probabilities"] if row["model"] else {}
        assert dict(zip(mine["mutation"], mine["probability"], strict=True)) == learned
    blocks = table[table["mutation"].str.match(r"clone:block\.")]
    assert (blocks["mutation"].str.removeprefix("clone:block.").astype(float) == blocks["block"]).all()


def test_iterations_and_runs_are_their_records(system: munet.System):
    tables = system.history()
    records = model_history.iterations(system.store)
    assert tables.iterations["model"].tolist() == [record["model"] for record in records]
    last, totals = tables.iterations.iloc[-1], records[-1]["system"]
    for name in ("tasks", "mean_validation_accuracy", "unique_parameters", "parameters_per_task", "flops_per_task"):
        assert last[name] == totals[name]
    assert last["samples"] == tables.children["samples"].sum()
    assert tables.runs["run"].tolist() == system.store.runs()
    assert tables.runs["children"].sum() == len(tables.children)
    assert not tables.runs["imported"].any()
    assert (tables.runs["seconds"] >= 0).all()


def test_several_systems_stand_one_below_the_other(trained: munet.System, made_up: munet.System):
    both = History.of({"a": trained, "b": made_up.store})
    assert both.systems == ["a", "b"]
    for name in FRAMES:
        parts = [getattr(one.history(), name) for one in (trained, made_up)]
        table = getattr(both, name)
        assert len(table) == len(parts[0]) + len(parts[1])
        assert table["system"].tolist() == ["a"] * len(parts[0]) + ["b"] * len(parts[1])
    with pytest.raises(InputError, match="one system at a time: choose one of a, b"):
        both.one()
    with pytest.raises(InputError, match=r"no system 'bb' \(did you mean 'b'\?\)"):
        both.one("bb")


def test_labels_tell_systems_apart(trained: munet.System, made_up: munet.System):
    assert labels([Path("/x/0/system")]) == ["system"]
    assert labels([Path("/x/0/system"), Path("/x/1/system")]) == ["0/system", "1/system"]
    assert labels([]) == []
    assert history(trained, str(made_up.path)).systems == ["trained", "made-up"]
    with pytest.raises(InputError, match="no system to look at"):
        history()


@pytest.mark.parametrize(("tasks", "children"), [(0, 0), (1, 0), (1, 5), (2, 1)])
def test_small_systems(tmp_path: Path, tasks: int, children: int):
    system = big_system(tmp_path / "s", tasks=tasks, children=children, blocks=2)
    tables = system.history()
    assert len(tables.tasks) == tasks
    assert len(tables.children) == (children if tasks else 0)
    for name, schema in FRAMES.items():
        assert {column: str(getattr(tables, name)[column].dtype) for column in schema} == dict(schema), name
    assert tables.notes == []


def test_a_task_whose_children_were_all_rejected(tmp_path: Path):
    system = big_system(tmp_path / "s", tasks=1, children=0, blocks=2)
    run = system.store.new_run({"format": 1, "request": {"tasks": ["task-000"], "method": {"name": "mine"}}})
    place = {"task": "task-000", "iteration": 0, "generation": 0}
    child = {"child": 0, "parent": system.root, "accepted": False, "reason": "non-finite loss in cycle 0", "cycle": -1}
    system.store.write_run(run, "task-000-0000-0000", {"format": 1, **place, "children": [child]})
    tables = system.history()
    (row,) = tables.children.to_dict("records")
    assert (row["method"], row["retained"], row["best"], row["cycles"]) == ("mine", False, False, 0)
    assert known(row["num_blocks"]) == 2
    assert known(row["accuracy"]) is None
    assert tables.iterations.empty
    assert tables.tasks["model"].tolist() == [None]


def test_damage_is_told_and_the_rest_is_shown(tmp_path: Path):
    system = big_system(tmp_path / "s", tasks=3, children=60, blocks=2)
    store = system.store
    whole = system.history()
    models = {row["name"]: row["model"] for row in system.status()["tasks"]}
    file = next(name for name in store.run_files("0001") if name.startswith("task-000-0000-0000"))
    lost = len(store.read_run("0001", file)["children"])
    store.run_path("0001", file).write_bytes(b"{}")
    store.models.path(models["task-001"]).write_bytes(b"{}")
    store.layer_path(store.get_model(models["task-002"])["layers"]["head"]).unlink()
    tables = system.history()
    assert len(tables.children) == len(whole.children) - lost
    assert tables.tasks["score"].isna().tolist() == [False, True, False]
    assert not tables.models.set_index("model").loc[models["task-002"], "alive"]
    assert any(file in note for note in tables.notes)
    assert f"the model of task 'task-001' cannot be read: {models['task-001'][:10]}" in tables.notes
    assert "layers of task 'task-002' are missing: head" in tables.notes
    store.task_path("task-000").write_text("damaged")
    assert system.history().tasks["task"].tolist() == ["task-001", "task-002"]


def test_reading_needs_neither_torch_nor_pandas(made_up: munet.System):
    program = (
        "import sys, munet.analysis as a, munet.analysis.summary as s; "
        f"h = a.history({str(made_up.path)!r}); assert 'pandas' not in sys.modules; h.children; s.totals(h); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_reading_tells_how_far_it_is(system: munet.System):
    calls: list[tuple[int, int]] = []
    history(system, progress=lambda done, total: calls.append((done, total)))
    done, totals = zip(*calls, strict=True)
    assert list(done) == list(range(1, len(calls) + 1))
    assert set(totals) == {len(calls)}
