"""What follows from the refs: names, lineage, owners, totals."""

from pathlib import Path
from typing import Any

import pytest

from munet.errors import InputError
from munet.store import Store, derived
from munet.store.derived import Weight, mean_of_known, owners, owners_of, resolve, retained, totals, totals_of
from store_tools import grown_store, make_store, put_child, task_record


def line(store: Store, length: int) -> list[str]:
    """Ids from the root to the model that task `t` retains, each the parent of the next."""
    store.create_task(task_record("t"))
    ids = [store.root]
    for number in range(length):
        ids.append(put_child(store, "t", ids[-1], str(number)))
    store.write_task(task_record("t", model=ids[-1]))
    return ids


def test_a_model_is_named_by_task_root_or_beginning_of_its_id(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    model = store.read_task("a")["model"]
    assert model is not None
    assert resolve(store, "a") == resolve(store, model) == resolve(store, model[:10]) == model
    assert resolve(store, "root") == store.root


def test_four_digits_are_an_id_and_three_are_a_name(tmp_path: Path):
    store = make_store(tmp_path / "s")
    assert resolve(store, store.root[:4]) == store.root
    with pytest.raises(InputError, match=f"no task or model '{store.root[:3]}'"):
        resolve(store, store.root[:3])


def test_a_task_without_a_model_is_told_what_makes_one(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    with pytest.raises(InputError) as caught:
        resolve(store, "b")
    assert str(caught.value) == f"task 'b' has no model yet: run `munet evolve {store.path} b`"
    assert caught.value.kind == "no-model"


def test_an_unknown_name_is_told_its_neighbour_and_all_tasks(tmp_path: Path):
    store = make_store(tmp_path / "s")
    for added, name in enumerate(("mnist", "fashion")):
        store.create_task(task_record(name, added))
    with pytest.raises(InputError) as caught:
        resolve(store, "minst")
    said = f"no task or model 'minst' in {store.path} (did you mean 'mnist'?); tasks: mnist, fashion"
    assert str(caught.value) == said
    assert caught.value.kind == "unknown-model"
    with pytest.raises(InputError, match=r"did you mean 'root'"):
        resolve(store, "rooot")


def test_a_lineage_leads_to_the_root_and_stops_where_history_is_gone(tmp_path: Path):
    store = make_store(tmp_path / "s")
    ids = line(store, 3)
    assert derived.lineage(store, ids[3]) == [(id, store.get_model(id)) for id in reversed(ids)]
    store.models.path(ids[1]).unlink()
    assert [id for id, _ in derived.lineage(store, ids[3])] == [ids[3], ids[2]]


def test_a_living_lineage_leaps_over_the_dead(tmp_path: Path):
    store = make_store(tmp_path / "s")
    ids = line(store, 3)
    alive = {ids[0], ids[2]}
    assert derived.living_lineage(store, ids[3], alive) == [(id, store.get_model(id)) for id in (ids[2], ids[0])]
    store.models.path(ids[1]).unlink()
    assert [id for id, _ in derived.living_lineage(store, ids[3], alive)] == [ids[2]]


def test_retained_leaves_out_tasks_without_a_model(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    model = store.read_task("a")["model"]
    assert model is not None
    assert retained(store) == {"a": store.get_model(model)}


def test_a_layer_has_all_the_tasks_that_use_it_as_owners(tmp_path: Path):
    paths = {"a": {"stem": "1", "head": "2"}, "b": {"stem": "1", "head": "3"}, "c": {"head": "3"}}
    assert owners(paths) == {"1": {"a", "b"}, "2": {"a"}, "3": {"b", "c"}}
    assert owners(paths, without="a") == {"1": {"b"}, "3": {"b", "c"}}
    store = grown_store(tmp_path / "s")
    models = {"a": store.read_task("a")["model"] or "", "r": store.root}
    assert owners_of(store, models) == owners(
        {task: store.get_model(model)["layers"] for task, model in models.items()}
    )


def test_totals_count_a_shared_layer_once():
    def model(head: str, size: int, accuracy: float | None, flops: float | None) -> Any:
        layers, sizes = {"stem": "stem", "head": head}, {"stem": 100, "head": size}
        return {"layers": layers, "sizes": sizes, "metrics": {"validation_accuracy": accuracy, "flops": flops}}

    manifests = {"a": model("h1", 10, 0.5, 1e6), "b": model("h2", 30, 1.0, 3e6), "c": model("h2", 30, None, None)}
    assert totals(manifests, {"a": 0.25, "b": 0.75}) == {
        "mean_validation_accuracy": 0.75,
        "mean_test_accuracy": 0.5,
        "unique_parameters": 140,
        "parameters_per_task": 140 / 3,
        "flops_per_task": 2e6,
    }


def test_totals_of_nothing():
    assert totals_of([], []) == {
        "mean_validation_accuracy": None,
        "mean_test_accuracy": None,
        "unique_parameters": 0,
        "parameters_per_task": None,
        "flops_per_task": None,
    }
    assert totals_of([Weight({}, {}, None, 0.0)], [0.0])["flops_per_task"] == 0.0


@pytest.mark.parametrize(("values", "mean"), [([0.0, None, 1.0], 0.5), ([0.0], 0.0), ([None, None], None), ([], None)])
def test_a_mean_is_over_what_is_known(values: list[float | None], mean: float | None):
    assert mean_of_known(values) == mean
