"""The payload: its numbers are those of the system, and the network can be followed from it at every step."""

import json
from typing import Any

import pytest

import munet
from munet.analysis import model_history
from munet.analysis.growth import moments, paths_at
from munet.report.page import payload


def slots_of(made: dict[str, Any], path: int) -> dict[int, int]:
    """Slot -> layer of a path, as the page follows it."""
    if path < 0:
        return {}
    base, *changes = made["paths"][path]
    found = slots_of(made, base)
    for slot, layer in zip(changes[::2], changes[1::2], strict=True):
        found[slot] = layer
    return {slot: layer for slot, layer in found.items() if layer >= 0}


def test_the_numbers_of_tasks_and_totals_are_those_of_status(eight: munet.System, made: dict[str, Any]):
    status = eight.status()
    same = (
        *("name", "private", "classes", "iterations", "train_examples", "validation_examples", "test_examples"),
        *("validation_accuracy", "test_accuracy", "score", "parameters", "accounted_parameters", "flops"),
        *("image_size", "num_blocks", "active"),
    )
    for row, expected in zip(made["tasks"], status["tasks"], strict=True):
        assert {key: row[key] for key in same} == {key: expected[key] for key in same}
        assert row["model"] == expected["model"][:10]
    for key in ("mean_validation_accuracy", "mean_test_accuracy", "unique_parameters", "parameters_per_task",
                "flops_per_task"):  # fmt: skip
        assert made["totals"][key] == status[key]
    assert made["totals"]["children"] == len(list(model_history.children(eight.store))) == 256
    assert made["totals"]["accepted"] == sum(child["accepted"] for child in model_history.children(eight.store))
    assert made["root"] == {"model": eight.root[:10], "source": status["root"]["source"]}


def test_people_are_named_where_several_have_grown_the_system(copied: munet.System, made: dict[str, Any]):
    assert {row["by"] for row in made["tasks"]} == {None}
    for person, name in zip(("ada@lab", "bob@sea"), copied.tasks, strict=False):
        record = copied.task(name)
        known = {str(record["model"]): {"replaces": [], "by": [person], "test": None}}
        copied.store.write_task({**record, "retained": known})  # pyright: ignore[reportArgumentType]
    assert [row["by"] for row in payload(copied.history())["tasks"]][:3] == ["ada@lab", "bob@sea", None]


def test_the_last_network_is_that_of_the_store(eight: munet.System, made: dict[str, Any]):
    names = [row["name"] for row in made["tasks"]]
    for task, name in enumerate(names):
        layers = slots_of(made, made["retained"][task])
        expected = eight.show(name)["layers"]
        columns = made["layers"]
        found = {
            made["slots"][slot]: (columns["id"][layer], columns["parameters"][layer], columns["by"][layer])
            for slot, layer in layers.items()
        }
        by = {row["slot"]: -1 if row["trained_by"] == "root" else names.index(row["trained_by"]) for row in expected}
        assert found == {row["slot"]: (row["layer"][:10], row["parameters"], by[row["slot"]]) for row in expected}


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_network_at_any_step_is_that_of_the_analysis(eight: munet.System, made: dict[str, Any], part: float):
    history = eight.history()
    step = round(part * 255)
    names = [row["name"] for row in made["tasks"]]
    changes = zip(*(made["moments"][key] for key in ("step", "task", "path")), strict=True)
    best = {task: path for at, task, path in changes if at <= step}
    users: dict[int, set[str]] = {}
    for task, path in best.items():
        for layer in slots_of(made, path).values():
            users.setdefault(layer, set()).add(names[task])
    wanted: dict[str, set[str]] = {}
    for task, layers in paths_at(history, step).items():
        for layer in layers.values():
            wanted.setdefault(layer.id, set()).add(task)
    assert sorted(map(sorted, users.values())) == sorted(map(sorted, wanted.values()))
    assert len(made["moments"]["step"]) == len(moments(history))


def test_columns_of_children_have_one_value_a_step_and_name_what_there_is(eight: munet.System, made: dict[str, Any]):
    columns, words = made["children"], made["words"]
    assert {len(values) for values in columns.values()} == {256}
    for child, (task, model, score) in zip(
        model_history.children(eight.store),
        zip(columns["task"], columns["model"], columns["score"], strict=True),
        strict=True,
    ):
        assert made["tasks"][task]["name"] == child["task"]
        assert model == (child["model"] or "")[:10]
        assert score == (None if child["score"] is None else pytest.approx(child["score"], rel=1e-4))
    for step, parent in enumerate(columns["parent"]):
        assert -1 <= parent < step
        assert parent < 0 or columns["path"][parent] >= 0, "where a child came from is known"
    assert all(0 <= number < len(words["mutations"]) for made_of in columns["mutations"] for number in made_of)
    assert all((reason < 0) == (state > 0) for reason, state in zip(columns["reason"], columns["state"], strict=True))


def test_derived_tables_agree_with_each_other(made: dict[str, Any]):
    tasks = range(len(made["tasks"]))
    for task in tasks:
        assert made["sharing"][task][task] == len(slots_of(made, made["retained"][task]))
        assert sum(made["flow"][task]) == len(made["lineages"][task]) - 2, "all ancestors but itself and the root"
        assert made["lineages"][task][0]["model"] == made["tasks"][task]["model"]
        assert sum(made["rejected"]["by_task"][task]) == made["children"]["task"].count(task)
    assert sum(size for _, size in made["costs"]["parameters"]) == made["totals"]["unique_parameters"]
    assert sum(map(sum, made["costs"]["seconds"])) == pytest.approx(made["totals"]["seconds"], rel=1e-3)
    assert sorted(made["order"]) == list(tasks)
    last = made["progress"][-1]
    assert last["mean_test_accuracy"] == made["totals"]["mean_test_accuracy"]
    assert last["parameters_per_task"] == made["totals"]["parameters_per_task"]


def test_settings_tell_the_grid_the_start_and_what_was_retained(eight: munet.System, made: dict[str, Any]):
    rates = next(one for one in made["settings"]["distributions"] if one["name"] == "learning_rate")
    assert rates["values"][0] == "0.0001"
    assert len(rates["values"]) == 12
    assert rates["values"][rates["default"]] == "0.01"
    expected = [eight.show(name)["hyperparameters"]["learning_rate"] for name in eight.tasks]
    found = [float(v) for v, n in zip(rates["values"], rates["counts"], strict=True) for _ in range(n)]
    assert found == sorted(expected)
    lines = next(one for one in made["settings"]["schedules"] if one["name"] == "learning_rate")
    assert [float(lines["values"][line[-1][1]]) for line in lines["lines"]] == expected


def test_a_payload_is_json_and_the_same_again(eight: munet.System, made: dict[str, Any]):
    text = json.dumps(made, allow_nan=False)
    again = munet.System.open(eight.path)
    assert json.dumps(payload(again.history()), allow_nan=False) == text


def test_one_system_of_several_is_chosen_by_its_label(eight: munet.System):
    from munet.analysis import History
    from munet.errors import InputError

    both = History.of({"a": eight, "b": eight})
    assert len(payload(both, system="a")["tasks"]) == 8
    with pytest.raises(InputError, match="choose one"):
        payload(both)
