"""The synthetic system of the bookkeeping benchmark is a whole one, and what reads less of it reads the same."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

import munet
from munet.analysis import model_history
from munet.errors import InputError
from munet.store import derived
from munet.store.derived import owners, owners_of, retained
from munet.store.fsck import fsck
from munet.store.gc import collect, gc
from repo import REPO
from store_tools import model_of, parent_of

TASKS = 6


@pytest.fixture(scope="module")
def synthetic() -> ModuleType:
    path = REPO / "benchmarks" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def system(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> munet.System:
    """Only to be read."""
    return munet.System.open(synthetic.build(tmp_path_factory.mktemp("synthetic") / "s", TASKS))


def test_it_is_whole_and_as_large_as_it_says(system: munet.System, synthetic: ModuleType) -> None:
    report = fsck(system.store)
    assert report.ok, report.damaged
    root_layers = len(system.manifest("root")["layers"]) + 1
    assert report.tasks == TASKS
    assert report.models == TASKS * synthetic.MODELS + 1
    assert report.layers == TASKS * synthetic.MODELS * synthetic.LAYERS + root_layers
    assert gc(system.store, dry_run=True).models == 0
    assert gc(system.store, dry_run=True).layers > 0


def test_it_is_built_once(system: munet.System, synthetic: ModuleType) -> None:
    marker = system.path / "munet.json"
    before = marker.stat().st_mtime_ns
    assert synthetic.build(system.path, TASKS) == system.path
    assert marker.stat().st_mtime_ns == before
    done = json.loads((system.path.parent / "s-synthetic.json").read_text())
    assert done["tasks"] == TASKS


def test_a_local_collection_of_everything_ends_where_gc_does(synthetic: ModuleType, tmp_path: Path) -> None:
    stores = [munet.System.open(synthetic.build(tmp_path / name, 3)).store for name in ("local", "whole")]
    local, whole = stores
    report = collect(local, list(local.models.ids()))
    assert report.layers == gc(whole).layers > 0
    assert set(local.layers.ids()) == set(whole.layers.ids())
    assert set(local.models.ids()) == set(whole.models.ids())


def test_owners_are_the_same_from_ids_and_from_manifests(system: munet.System) -> None:
    models = {record["name"]: str(record["model"]) for record in system.store.task_records()}
    paths = {task: manifest["layers"] for task, manifest in retained(system.store).items()}
    assert owners_of(system.store, models) == owners(paths)
    del models["task-0002"]
    assert owners_of(system.store, models) == owners(paths, without="task-0002")


def test_the_living_lineage_is_the_lineage_without_the_dead(system: munet.System) -> None:
    alive = {str(record["model"]) for record in system.store.task_records()} | {system.root}
    for model in alive:
        whole = derived.lineage(system.store, model)
        living = derived.living_lineage(system.store, model, alive)
        assert living == [(identity, manifest) for identity, manifest in whole if identity in alive]
        assert living[-1][0] == system.root
    dead = parent_of(system.store, system.resolve("task-0004"))
    assert dead not in [identity for identity, _ in derived.living_lineage(system.store, dead, alive)]


def test_children_of_one_task_are_those_among_all(system: munet.System, synthetic: ModuleType) -> None:
    every = list(model_history.children(system.store))
    assert len(every) == TASKS * synthetic.MODELS
    assert list(model_history.children(system.store, "task-0003")) == [
        child for child in every if child["task"] == "task-0003"
    ]
    assert list(model_history.children(system.store, "nothing")) == []


def test_a_model_is_resolved_without_reading_other_tasks(system: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(system.store, "task-0001")
    read: list[str] = []
    read_task = type(system.store).read_task
    monkeypatch.setattr(type(system.store), "read_task", lambda s, name: (read.append(name), read_task(s, name))[1])
    assert system.resolve("task-0001") == system.resolve(model) == system.resolve(model[:12]) == model
    assert system.resolve("root") == system.root
    assert read == ["task-0001"]
    with pytest.raises(InputError, match="task-0001"):
        system.resolve("task-001")


def test_records_are_found_without_listing(system: munet.System) -> None:
    store = system.store
    assert [store.has_task(name) for name in ("task-0000", "task-9999", "../munet", "")] == [True, False, False, False]
    assert [record["name"] for record in store.task_records()] == store.tasks()
    assert store.next_added() == TASKS + 1
    assert store.is_finished("0001")
    assert store.has_run_file("0001", "task-0000-0000-0000")
    assert not store.has_run_file("0001", "task-0001-0000-0000.json")
    with pytest.raises(InputError, match="no run"):
        store.is_finished("0099")


def test_the_benchmark_prints_its_table(
    synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "synthetic", synthetic)
    path = REPO / "benchmarks" / "bookkeeping.py"
    spec = importlib.util.spec_from_file_location("bookkeeping", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.table({10: {"open": [1.0, 2.0, 3.0], "memory": [9.0]}, 1000: {"open": [5.0, 5.0], "memory": [501.0]}})
    first, second = text.splitlines()[1:]
    assert "2.00      [1.50, 2.50]" in first
    assert "2.50  500, ratio 2  MISSED" in first
    assert "55.67  500  MISSED" in second
