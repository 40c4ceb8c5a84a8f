"""Whatever happens to a file is found by fsck, refused on reading, and reported with its name and whom it hurts."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.errors import DamagedError, MunetError, StoreError
from munet.store import Store
from munet.store.fsck import Damage, fsck
from munet.store.gc import gc
from munet.store.task_list import vanished
from store_tools import (
    files_of,
    generation,
    grown_store,
    layer_bytes,
    make_store,
    model_of,
    native_layer,
    put_child,
    task_record,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Shared: each test puts back what it has damaged."""
    return grown_store(tmp_path_factory.mktemp("damage") / "s")


def objects_and_records(store: Store) -> list[Path]:
    return [path for path in files_of(store) if path.suffix in (".json", ".safetensors")]


def read_everything(store: Store) -> None:
    for id in store.models.ids():
        store.get_model(id)
    for id in store.layers.ids():
        store.get_layer_bytes(id)
    for name in store.tasks():
        store.read_task(name)
    vanished(store)
    for run in store.runs():
        for file in store.run_files(run):
            store.read_run(run, file)


def found(path: Path, store: Store) -> bool:
    """Whether both a reader and fsck notice, and fsck points at the file (at the root when it is the marker)."""
    try:
        opened = Store.open(store.path)
    except StoreError as error:
        return path.name == "munet.json" and "munet.json" in str(error)
    report = fsck(opened)
    if path.name == "munet.json":
        return any(damage.root or damage.path == path.name for damage in report.damaged)
    with pytest.raises(DamagedError):
        read_everything(opened)
    return str(path.relative_to(store.path)) in [damage.path for damage in report.damaged]


def every_damage(store: Store, path: Path, variants: list[bytes]) -> None:
    whole = path.read_bytes()
    try:
        for wrong in variants:
            path.write_bytes(wrong)
            assert found(path, store), (path.name, wrong)
    finally:
        path.write_bytes(whole)


def test_a_whole_system_has_no_damage(store: Store):
    calls: list[tuple[int, int]] = []
    report = fsck(store, lambda done, total: calls.append((done, total)))
    assert report.ok
    assert report.damaged == report.strays == report.hurt == []
    assert (report.tasks, report.models, report.layers) == (2, 4, 10)
    assert report.bytes == sum(
        path.stat().st_size
        for path in files_of(store)
        if path.parent.parent.parent == store.path and path.parent.parent.name in ("layers", "models")
    )
    assert calls == [(number, 14) for number in range(1, 15)]
    assert report.to_json()["ok"] is True


def test_every_byte_of_every_file_is_watched(store: Store):
    """One bit of each byte of the whole system is flipped: layers, manifests, refs, run records, the marker."""
    for path in objects_and_records(store):
        whole = path.read_bytes()
        step = 1 if path.name == "munet.json" or path.suffix == ".safetensors" else 3
        variants = [_flipped(whole, position, position % 8) for position in range(0, len(whole), step)]
        every_damage(store, path, variants[:: max(1, len(variants) // 25)])
    assert fsck(store).ok


def test_a_marker_that_says_the_same_otherwise_is_told(store: Store):
    marker = store.path / "munet.json"
    every_damage(store, marker, [marker.read_bytes().rstrip(), marker.read_bytes().replace(b",", b", ")])
    assert fsck(store).ok


def _flipped(data: bytes, position: int, bit: int) -> bytes:
    wrong = bytearray(data)
    wrong[position] ^= 1 << bit
    return bytes(wrong)


def test_every_bit_of_a_layer_and_every_byte_of_a_manifest(store: Store):
    """No flip in a file can pass for the object."""
    for objects in (store.layers, store.models):
        id = next(objects.ids())
        path = objects.path(id)
        whole = path.read_bytes()
        try:
            for position in range(len(whole)):
                for bit in range(8) if objects is store.layers else [position % 8]:
                    path.write_bytes(_flipped(whole, position, bit))
                    assert objects.fault(id) is not None, (position, bit)
        finally:
            path.write_bytes(whole)


def test_every_truncation(store: Store):
    seen = set()
    for path in objects_and_records(store):
        kind = path.relative_to(store.path).parts[0]
        whole = path.read_bytes()
        lengths = range(len(whole))
        if kind in seen or kind == "munet.json":
            lengths = range(0, len(whole), 41)  # of one file of each kind, every length
        seen.add(kind)
        every_damage(store, path, [whole[:length] for length in lengths])
    assert seen == {"layers", "models", "tasks", "tasks.json", "runs", "munet.json"}
    assert fsck(store).ok


@pytest.mark.parametrize(
    "change",
    [lambda data: data + b"\0", lambda data: data + data, lambda data: bytes(len(data)), lambda data: b"x" + data],
    ids=["tail", "twice", "zeros", "head"],
)
def test_other_damage_of_any_file(store: Store, change: Callable[[bytes], bytes]):
    for path in objects_and_records(store):
        every_damage(store, path, [change(path.read_bytes())])


def test_swapped_files(store: Store):
    """Each is whole, and in the wrong place."""
    for objects in (store.layers, store.models):
        first, second = [objects.path(id) for id in list(objects.ids())[:2]]
        a, b = first.read_bytes(), second.read_bytes()
        first.write_bytes(b)
        second.write_bytes(a)
        damaged = {damage.path for damage in fsck(store).damaged}
        first.write_bytes(a)
        second.write_bytes(b)
        assert damaged == {str(path.relative_to(store.path)) for path in (first, second)}
    first, second = store.task_path("a"), store.task_path("b")
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    with pytest.raises(DamagedError, match="is the record of task 'b'"):
        store.read_task("a")
    report = fsck(store)
    first.write_bytes(a)
    assert [damage.path for damage in report.damaged] == ["tasks/a.json"]


def test_a_folder_in_the_place_of_an_object(store: Store):
    path = store.layer_path(store.get_model(store.root)["layers"]["norm"])
    whole = path.read_bytes()
    path.unlink()
    path.mkdir()
    try:
        report = fsck(store)
        assert [damage.reason for damage in report.damaged] == ["is a folder where a file belongs"]
    finally:
        path.rmdir()
        path.write_bytes(whole)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_in_any_file_raise_only_our_errors(store: Store, garbage: bytes):
    for path in (store.path / "munet.json", store.task_path("a"), store.models.path(store.root)):
        whole = path.read_bytes()
        path.write_bytes(garbage)
        try:
            with pytest.raises(MunetError) as caught:
                read_everything(Store.open(store.path))
            assert str(path) in str(caught.value)
            assert "\n" not in str(caught.value)
        finally:
            path.write_bytes(whole)


# -- who is hurt ----------------------------------------------------------------------------------------------------


def damage_of(store: Store, path: Path, remove: bool) -> list[Damage]:
    whole = path.read_bytes()
    path.unlink() if remove else path.write_bytes(whole[:-1])
    try:
        report = fsck(store)
        assert not report.ok
        assert report.to_json()["damaged"]
        return report.damaged
    finally:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(whole)


@pytest.mark.parametrize("remove", [True, False], ids=["missing", "cut"])
def test_a_layer_hurts_all_who_use_it(store: Store, remove: bool):
    a, root = store.get_model(model_of(store, "a")), store.get_model(store.root)
    shared = damage_of(store, store.layer_path(root["layers"]["block.0"]), remove)
    assert [(d.id, d.tasks, d.root, d.weights) for d in shared] == [(root["layers"]["block.0"], ("a", "b"), True, True)]
    assert "hurts task a, task b, the root" in str(shared[0])
    head = damage_of(store, store.layer_path(a["layers"]["head"]), remove)
    assert [(d.tasks, d.root) for d in head] == [(("a",), False)]
    assert ("is missing" if remove else "cut short") in str(head[0])
    momentum = damage_of(store, store.layer_path(a["momentum"]["head"]), remove)
    assert [(d.id, d.tasks) for d in momentum] == [(a["momentum"]["head"], ("a",))]
    native = damage_of(store, store.layer_path(native_layer(root)), remove)
    assert [(d.tasks, d.root) for d in native] == [((), True)]


@pytest.mark.parametrize("remove", [True, False], ids=["missing", "cut"])
def test_a_manifest_hurts_its_task_and_the_history_of_others(store: Store, remove: bool):
    model = model_of(store, "a")
    (damage,) = damage_of(store, store.models.path(model), remove)
    assert (damage.kind, damage.id, damage.tasks, damage.weights) == ("model", model, ("a", "b"), True)
    (root,) = damage_of(store, store.models.path(store.root), remove)
    assert (root.id, root.tasks, root.root) == (store.root, ("a", "b"), True)


def test_an_ancestor_that_no_ref_keeps_is_history(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    old = put_child(store, "a", store.root, "old")
    store.write_task(task_record("a", model=put_child(store, "a", old, "new")))
    (damage,) = damage_of(store, store.models.path(old), remove=True)
    assert (damage.id, damage.tasks, damage.weights) == (old, ("a",), False)
    assert str(damage).endswith("is missing; hurts only the history of task a")
    # Its weights are not needed by anyone.
    head = store.get_model(old)["layers"]["head"]
    store.layer_path(head).unlink()
    assert fsck(store).ok


def test_a_ref_and_run_records(store: Store):
    (ref,) = damage_of(store, store.task_path("a"), remove=False)
    assert (ref.kind, ref.id, ref.tasks) == ("task", "a", ("a",))
    run = store.runs()[-1]
    (waiting,) = damage_of(store, store.run_path(run, "b-0000-0000"), remove=False)
    assert (waiting.kind, waiting.id, waiting.tasks) == ("run", f"{run}/b-0000-0000.json", ("b",))
    (config,) = damage_of(store, store.run_path(run, "run.json"), remove=False)
    assert (config.id, config.tasks) == (f"{run}/run.json", ())
    assert str(config).endswith("hurts no task")


def test_what_no_one_needs_is_reported_and_hurts_no_one(store: Store):
    id = store.put_layer_bytes(layer_bytes("garbage"))
    (damage,) = damage_of(store, store.layer_path(id), remove=False)
    assert damage.tasks == ()
    store.layer_path(id).unlink()


def test_the_collection_that_is_named_works(store: Store):
    id = store.put_layer_bytes(layer_bytes("garbage"))
    changed_file, list_file = store.layer_path(id), store.path / "tasks.json"
    changed_file.write_bytes(b"x")
    whole = list_file.read_bytes()
    list_file.write_bytes(whole[:20])
    line, of_list = fsck(store).lines("my system")
    assert line.endswith("hurts no task (`munet gc 'my system'` removes it, when the other damage is mended)")
    assert of_list.endswith("hurts no task")
    list_file.write_bytes(whole)
    (line,) = fsck(store).lines("my system")
    assert line.endswith("hurts no task (`munet gc 'my system'` removes it)")
    gc(store)
    assert fsck(store).ok


def test_all_damage_at_once_is_listed(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    paths = [path for path in objects_and_records(store) if path.name not in ("munet.json", "run.json")]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-2])
    report = fsck(store)
    assert {damage.path for damage in report.damaged} == {str(path.relative_to(store.path)) for path in paths}
    assert report.hurt == ["a", "b"]


def test_strays_are_reported_and_no_damage(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    shard = store.layer_path(next(store.layers.ids())).parent
    strays = [
        store.path / "tasks" / "a (conflicted copy).json",
        store.path / "tasks" / "~a.json",
        store.path / "tasks" / "notes.txt",
        shard / ".tmp-1-a",
        store.path / "tasks" / ".tmp-2-b",
        store.path / ".tmp-3-c",
        shard / "note.txt",
        store.path / "runs" / store.runs()[0] / ".tmp-4-d",
        store.path / "models" / "README",
    ]
    for stray in strays:
        stray.write_bytes(b"half")
    report = fsck(store)
    assert report.ok
    assert report.strays == sorted(str(stray.relative_to(store.path)) for stray in strays)
    assert report.layers == 10


def test_fsck_changes_nothing(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    path = store.layer_path(store.get_model(store.root)["layers"]["norm"])
    path.write_bytes(b"x")
    before = {file: (file.read_bytes(), os.stat(file).st_mtime_ns) for file in files_of(store)}
    assert not fsck(store).ok
    assert {file: (file.read_bytes(), os.stat(file).st_mtime_ns) for file in files_of(store)} == before


def test_finished_runs_hurt_no_one(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    run = store.new_run({})
    store.write_run(run, "a-0000-0000", generation(("a", 0, 0), [put_child(store, "a", store.root, "x")]))
    store.write_run(run, "finished", {})
    (damage,) = damage_of(store, store.run_path(run, "a-0000-0000"), remove=False)
    assert damage.tasks == ()
    for id in list(store.layers.ids()):
        if id not in store.get_model(store.root)["layers"].values() and id != native_layer(store.get_model(store.root)):
            store.layer_path(id).unlink()
    assert fsck(store).ok


def test_whole_bytes_that_are_no_manifest_are_damage_when_needed(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    id = store.models.put(b'{"format":1}')
    store.write_task(task_record("a", model=id))
    (damage,) = fsck(store).damaged
    assert (damage.id, damage.tasks) == (id, ("a",))
    assert "is no model manifest" in damage.reason
