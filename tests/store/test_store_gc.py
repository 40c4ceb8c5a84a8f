"""gc removes what no ref reaches, and nothing else."""

import errno
import os
import re
import threading
from pathlib import Path

import pytest

from munet.errors import DamagedError, StoreError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.reachability import reach
from store_tools import (
    Faults,
    files_of,
    generation,
    grown_store,
    layer_bytes,
    make_store,
    native_layer,
    parent_of,
    population_of,
    put_child,
    task_record,
    temporary_files_in,
)


def layers_in(store: Store, model: str) -> set[str]:
    manifest = store.get_model(model)
    return {*manifest["layers"].values(), *manifest["momentum"].values()}


def test_a_grown_system_has_no_garbage(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    before = files_of(store)
    report = gc(store)
    assert (report.models, report.layers, report.temporary, report.bytes) == (0, 0, 0, 0)
    assert files_of(store) == before
    assert not reach(store).unreadable


def test_garbage_goes_and_is_counted(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    before = files_of(store)
    lost = put_child(store, "a", store.root, "lost")
    loose = store.put_layer_bytes(layer_bytes("loose", 1000))
    garbage = set(files_of(store)) - set(before)
    size = sum(path.stat().st_size for path in garbage)
    dry = gc(store, dry_run=True)
    assert (dry.models, dry.layers, dry.bytes, dry.dry_run) == (1, 3, size, True)
    assert set(files_of(store)) - set(before) == garbage
    report = gc(store)
    assert report.to_json() == dry.to_json() | {"dry_run": False}
    assert files_of(store) == before
    assert not store.has_model(lost)
    assert not store.has_layer(loose)
    assert gc(store).bytes == 0
    assert fsck(store).ok


def test_ancestors_keep_their_manifests_and_lose_their_weights(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    line = [store.root]
    for number in range(5):
        line.append(put_child(store, "a", line[-1], f"generation {number}"))
    store.write_task(task_record("a", model=line[-1]))
    heads = [store.get_model(model)["layers"]["head"] for model in line[1:]]
    report = gc(store)
    assert (report.models, report.layers) == (0, 8)
    assert all(store.has_model(model) for model in line)
    assert [store.has_layer(head) for head in heads] == [False, False, False, False, True]
    assert fsck(store).ok


def test_the_root_stays_with_its_native_position_embedding(tmp_path: Path):
    store = make_store(tmp_path / "s")
    gc(store)
    assert store.has_layer(native_layer(store.get_model(store.root)))
    assert len(list(store.layers.ids())) == 4


def test_what_is_retained_for_one_task_stays_when_another_lets_go(tmp_path: Path):
    store = make_store(tmp_path / "s")
    for name in "ab":
        store.create_task(task_record(name))
    model = put_child(store, "a", store.root, "a")
    child = put_child(store, "b", model, "b")
    store.write_task(task_record("a", model=model))
    store.write_task(task_record("b", model=child))
    store.write_task(task_record("a", model=None))
    gc(store)
    assert all(store.has_layer(layer) for layer in layers_in(store, child))
    assert store.has_model(model)
    assert not store.has_layer(store.get_model(model)["layers"]["head"])


def test_the_active_population_stays_until_it_is_pruned(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    models = [put_child(store, "a", store.root, str(number)) for number in range(3)]
    store.write_task(task_record("a", active={"run": "0001", "iteration": 0, "population": models}))
    assert gc(store).models == 0
    store.write_task(task_record("a", model=models[1]))
    report = gc(store)
    assert (report.models, report.layers) == (2, 4)
    assert [store.has_model(model) for model in models] == [False, True, False]


def test_accepted_children_wait_for_the_end_of_their_iteration(tmp_path: Path):
    """They are in no ref yet: the run's record alone keeps them, and a rejected sibling is kept by nothing."""
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    run = store.new_run({})
    children = [put_child(store, "a", store.root, str(number)) for number in range(2)]
    rejected = put_child(store, "a", store.root, "rejected")
    record = generation(("a", 1, 0), [*children, None])
    record["children"][-1]["model"] = rejected
    store.write_run(run, "a-0001-0000", record)
    assert gc(store).models == 1
    assert not store.has_model(rejected)
    assert all(store.has_model(child) for child in children)

    last = {"run": run, "iteration": 0}  # an earlier iteration says nothing about this one
    store.write_task(task_record("a", last=last))
    assert gc(store).models == 0
    store.write_task(task_record("a", last={"run": "0000", "iteration": 5}))  # nor does another run
    assert gc(store).models == 0
    store.write_task(task_record("a", model=children[0], last={"run": run, "iteration": 1}))
    assert gc(store).models == 1
    assert store.has_model(children[0])


def test_a_finished_run_keeps_nothing(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    run = store.new_run({})
    store.write_run(run, "a-0000-0000", generation(("a", 0, 0), [put_child(store, "a", store.root, "x")]))
    store.write_run(run, "finished.json", {})
    assert gc(store).models == 1
    assert store.read_run(run, "a-0000-0000")["children"]  # what was tried stays on record
    assert fsck(store).ok


def test_temporary_files_go(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    shard = store.layer_path(next(store.layers.ids())).parent
    for folder in (shard, store.path, store.path / "tasks", store.path / "runs" / "0001", store.path / "models"):
        (folder / ".tmp-1-x").write_bytes(b"12345")
    (shard / "notes.txt").write_text("of someone else")
    report = gc(store)
    assert (report.temporary, report.bytes) == (5, 25)
    assert temporary_files_in(store.path) == []
    assert (shard / "notes.txt").exists()


@pytest.mark.parametrize("victim", ["task", "run", "model", "ancestor"])
def test_nothing_goes_while_a_ref_cannot_be_followed(tmp_path: Path, victim: str):
    store = grown_store(tmp_path / "s")
    model = population_of(store, "b")[0]
    path = {
        "task": store.task_path("a"),
        "run": store.run_path("0001", "b-0000-0000"),
        "model": store.models.path(model),
        "ancestor": store.models.path(parent_of(store, model)),
    }[victim]
    store.put_layer_bytes(layer_bytes("garbage"))
    before = files_of(store)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(DamagedError, match=r"nothing was removed, .*: `munet fsck .*` lists all damage") as caught:
        gc(store)
    assert str(path) in str(caught.value)
    assert files_of(store) == before
    path.write_bytes(whole)
    assert gc(store).layers == 1


def test_a_damaged_layer_does_not_stop_gc(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    store.layer_path(store.get_model(store.root)["layers"]["norm"]).write_bytes(b"x")
    store.put_layer_bytes(layer_bytes("garbage"))
    assert gc(store).layers == 1


def test_removal_that_is_not_permitted(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.put_layer_bytes(layer_bytes("garbage"))
    with Faults().injected() as faults:
        gc(store, dry_run=True)
    opens = faults.calls
    told = ""
    while not re.search("cannot remove .*no permission", told):  # on the way to the first removal other calls fail
        opens += 1
        with Faults(opens, errno.EACCES).injected() as faults, pytest.raises(StoreError) as failure:
            gc(store)
        told = str(failure.value)
    assert fsck(store).ok


def test_gc_waits_for_a_running_commit(tmp_path: Path):
    """What is put inside is reached by nothing until the ref is written, and has to be there then."""
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    done = threading.Event()

    def collect() -> None:
        gc(Store.open(store.path))
        done.set()

    thread = threading.Thread(target=collect)
    with store.commit():
        model = put_child(store, "a", store.root, "x")
        thread.start()
        assert not done.wait(0.2)
        assert all(store.has_layer(layer) for layer in layers_in(store, model))
        store.write_task(task_record("a", model=model))
    thread.join(30)
    assert done.is_set()
    assert store.has_model(model)
    assert fsck(store).ok


def test_a_kill_in_the_middle_of_gc_leaves_a_whole_system(tmp_path: Path):
    """Here: the removal fails at every k-th file; a kill is the same, for each removal is one system call."""
    k, fired = 1, True
    while fired:
        store = grown_store(tmp_path / str(k))
        put_child(store, "a", store.root, "lost")
        store.put_layer_bytes(layer_bytes("loose"))
        faults = Faults(k, errno.EIO, sticky=True)
        with faults.injected():
            try:
                gc(store)
            except StoreError as error:
                assert os.strerror(errno.EIO) in str(error)  # noqa: PT017
        assert fsck(store).ok
        gc(store)
        assert fsck(store).ok
        assert len(list(store.models.ids())) == 4
        fired, k = faults.fired, k + 1
    assert k > 5


def test_no_manifest_is_left_without_its_layers_wherever_gc_is_cut_off(tmp_path: Path):
    """Models go before the layers that they name."""
    k, fired = 1, True
    while fired:
        store = make_store(tmp_path / str(k))
        for number in range(3):
            put_child(store, "a", store.root, f"lost {number}")
        faults = Faults(k, errno.EIO, sticky=True)
        with faults.injected():
            try:
                gc(store)
            except StoreError:
                assert faults.fired
        for model in store.models.ids():
            assert all(store.has_layer(layer) for layer in layers_in(store, model)), (k, model)
        gc(store)
        assert list(store.models.ids()) == [store.root]
        fired, k = faults.fired, k + 1
    assert k > 9  # three manifests, six layers
