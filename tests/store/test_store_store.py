"""The Store as its users see it: directory, layers, models, tasks, runs, locks."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.fs.tree import Tree
from munet.store import Store
from munet.store.derived import resolve_model
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.schema import Manifest
from store_tools import (
    Faults,
    changed,
    generation,
    grown_store,
    layer_bytes,
    make_store,
    manifest,
    model_of,
    put_child,
    task_record,
)
from store_tools import write_root as root_writer

# -- the directory --------------------------------------------------------------------------------------------------


def test_create_and_open(tmp_path: Path):
    made = make_store(tmp_path / "deep" / "fleet")
    opened = Store.open(str(made.path))
    assert opened.root == made.root
    assert opened.path == made.path == tmp_path / "deep" / "fleet"
    assert opened.tasks() == opened.runs() == []
    assert json.loads((made.path / "munet.json").read_text()) == {"format": 1, "root": made.root}


def test_create_in_an_empty_folder(tmp_path: Path):
    assert Store.open(make_store(tmp_path).path).path == tmp_path


def test_create_refuses_a_system_and_leaves_it(tmp_path: Path):
    root = make_store(tmp_path / "s").root
    with pytest.raises(StoreError, match="already a munet system"):
        Store.create(tmp_path / "s", lambda store: pytest.fail("must not be called"))
    assert Store.open(tmp_path / "s").root == root


@pytest.mark.parametrize("name", ["letter.txt", "layers", ".lock", ".hidden"])
def test_create_refuses_a_folder_with_other_things(tmp_path: Path, name: str):
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match="not empty"):
        make_store(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_create_refuses_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="is a file"):
        make_store(tmp_path / "file")


def test_create_refuses_a_system_that_lost_its_marker(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    with store.evolving("a"):
        pass
    (store.path / "munet.json").unlink()
    with pytest.raises(StoreError, match=r"holds tasks but no munet.json: take munet.json from a backup"):
        make_store(store.path)
    assert store.tasks() == ["a", "b"]


@pytest.mark.parametrize("failure", [InputError("unknown root"), KeyboardInterrupt(), StoreError("disk full")])
def test_failed_root_leaves_nothing(tmp_path: Path, failure: BaseException):
    def fail(store: Store) -> str:
        root_writer(store)
        raise failure

    with pytest.raises(type(failure)):
        Store.create(tmp_path / "new", fail)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(type(failure)):
        Store.create(tmp_path / "empty", fail)
    assert list((tmp_path / "empty").iterdir()) == []


def test_root_has_to_be_stored(tmp_path: Path):
    with pytest.raises(DamagedError, match="is missing"):
        Store.create(tmp_path / "s", lambda store: "0" * 64)
    assert not (tmp_path / "s").exists()


def test_two_creators_at_once(tmp_path: Path):
    def second(store: Store) -> str:
        with pytest.raises(StoreError, match=f"process {os.getpid()} of .* is already making"):
            make_store(store.path)
        return root_writer(store)

    first = Store.create(tmp_path / "s", second)
    assert fsck(Store.open(first.path)).ok


def test_open_what_is_no_system(tmp_path: Path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(StoreError, match=r"is no munet system: `munet init .*` makes one"):
            Store.open(path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="no munet system"):
        Store.open(tmp_path / "file")


def test_open_a_newer_format(tmp_path: Path):
    store = make_store(tmp_path / "s")
    (store.path / "munet.json").write_text(json.dumps({"format": 2, "root": store.root, "more": []}))
    with pytest.raises(StoreError, match=r"munet.json has format 2, this munet reads up to 1: update munet"):
        Store.open(store.path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format":1}', '{"format":0,"root":"x"}', '{"format":1,"root":"x"}']
)
def test_open_a_damaged_marker(tmp_path: Path, text: str):
    store = make_store(tmp_path / "s")
    (store.path / "munet.json").write_text(text)
    with pytest.raises(StoreError, match=r"munet\.json"):
        Store.open(store.path)


def test_open_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = make_store(tmp_path / "s")

    def refuse(self: Tree, path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Tree, "read", refuse)
    with pytest.raises(StoreError, match="Permission denied; have its owner run this"):
        Store.open(store.path)


def test_reading_needs_no_writing(tmp_path: Path):
    """P8, and a system on a read-only disk: no system call that changes anything is made by a reader."""
    path = grown_store(tmp_path / "s").path
    with Faults(k=1, error=errno.EROFS, sticky=True, changing=True).injected():
        store = Store.open(path)
        model = model_of(store, "a")
        for layer in store.get_model(model)["layers"].values():
            assert store.get_layer_bytes(layer)
        assert [store.read_run(run, file) for run in store.runs() for file in store.run_files(run)]
        with pytest.raises(StoreError, match="the file system is read-only"):
            store.put_layer_bytes(layer_bytes("new"))


# -- layers ---------------------------------------------------------------------------------------------------------


def test_tensors_round_trip(tmp_path: Path):
    torch = pytest.importorskip("torch")
    store = make_store(tmp_path / "s")
    generator = torch.Generator().manual_seed(1)
    tensors = {
        "attn.qkv.weight": torch.randn(6, 4, generator=generator),
        "half": torch.randn(5, generator=generator).to(torch.bfloat16),
        "view": torch.randn(4, 4, generator=generator).t(),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
    }
    id = store.put_layer(tensors)
    loaded = store.get_layer(id)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)
    assert store.put_layer(dict(reversed(tensors.items()))) == id


def test_loaded_tensors_outlive_their_file(tmp_path: Path):
    """Another process may collect, or heal, what this one has loaded."""
    torch = pytest.importorskip("torch")
    store = make_store(tmp_path / "s")
    id = store.put_layer({"w": torch.arange(1000.0)})
    loaded = store.get_layer(id)["w"]
    with store.layer_path(id).open("r+b") as file:
        file.write(b"\xff" * 4000)
        file.truncate(10)
    assert torch.equal(loaded, torch.arange(1000.0))
    loaded[0] = 7.0  # and are no one else's


def test_unverified_garbage_is_damage_all_the_same(tmp_path: Path):
    pytest.importorskip("torch")
    store = make_store(tmp_path / "s")
    id = store.put_layer_bytes(layer_bytes("x"))
    store.layer_path(id).write_bytes(b"garbage garbage")
    with pytest.raises(DamagedError, match="is garbled"):
        store.get_layer(id, verify=False)


def test_bytes_that_are_no_layer(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with pytest.raises(InputError, match="these 5 bytes are no layer"):
        store.put_layer_bytes(b"hello")


# -- models ---------------------------------------------------------------------------------------------------------


def test_model_round_trip_and_canonical_file(tmp_path: Path):
    store = make_store(tmp_path / "s")
    whole = manifest(store.get_model(store.root)["layers"], hyperparameters={"learning_rate": 0.1}, task="ä")
    id = store.put_model(whole)
    assert store.get_model(id) == whole
    assert store.put_model(cast("Manifest", dict(reversed(whole.items())))) == id
    text = store.models.path(id).read_bytes()
    assert text == json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("part", ["layers", "momentum", "root"])
def test_model_with_a_layer_that_is_not_stored(tmp_path: Path, part: str):
    store = make_store(tmp_path / "s")
    missing = {"block.0": "5" * 64}
    value: Any = {"native_posembed": {"layer": "5" * 64}} if part == "root" else missing
    with pytest.raises(InputError, match="put the layer first"):
        store.put_model(changed(manifest({}), **{part: value}))
    assert list(store.models.ids()) == [store.root]


def test_model_with_a_parent_that_is_not_stored(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with pytest.raises(InputError, match="put the parent first"):
        store.put_model(manifest({}, parent="5" * 64))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"format": 2}, "'format': 1, not 2"),
        ({"format": None}, "not None"),
        ({"layers": None}, "map slots to layer ids"),
        ({"layers": {"head": "../x"}}, "layers of head should be a layer id"),
        ({"layers": {"head": 3}}, "layers of head should be a layer id"),
        ({"momentum": ["x"]}, "wrong shape"),
        ({"root": {"native_posembed": {}}}, "wrong shape"),
        ({"parent": "me"}, "'parent' should be a model id or null"),
        ({"metrics": {"score": float("nan")}}, "cannot be stored as JSON"),
    ],
)
def test_model_that_is_no_manifest(tmp_path: Path, wrong: dict[str, Any], says: str):
    store = make_store(tmp_path / "s")
    with pytest.raises(InputError, match=says):
        store.put_model(changed(manifest({}), **wrong))


def test_whole_json_that_is_no_manifest_is_damage(tmp_path: Path):
    """Its hash is right, so only its shape can tell."""
    store = make_store(tmp_path / "s")
    for text in (b"[]", b'{"format":1}', b'{"format":1,"layers":{"head":"x"}}', b"not json"):
        id = store.models.put(text)
        with pytest.raises(DamagedError, match="munet fsck"):
            store.get_model(id)


def test_model_of_a_newer_format(tmp_path: Path):
    store = make_store(tmp_path / "s")
    id = store.models.put(b'{"format":2,"layers":[]}')
    with pytest.raises(StoreError, match=r"\.json has format 2.*update munet"):
        store.get_model(id)


def test_resolve_model(tmp_path: Path):
    store = make_store(tmp_path / "s")
    assert resolve_model(store, store.root[:4]) == store.root
    assert resolve_model(store, store.root[:9].upper()) == store.root
    assert resolve_model(store, store.root) == store.root
    twins = [store.root[:6] + digit * 58 for digit in "01"]
    for twin in twins:
        store.models.path(twin).write_bytes(b"{}")
    with pytest.raises(InputError, match=r"start of 3 model ids .*give more digits"):
        resolve_model(store, store.root[:6])
    assert resolve_model(store, twins[0][:12]) == twins[0]
    for wrong in ("", "abc", "xyzw", "../..", store.root + "0"):
        with pytest.raises(InputError, match="4 or more of its hexadecimal digits"):
            resolve_model(store, wrong)
    unknown = "0000" if not store.root.startswith("0000") else "1111"
    with pytest.raises(InputError, match=r"no model id in .* starts with"):
        resolve_model(store, unknown)


# -- tasks ----------------------------------------------------------------------------------------------------------


def test_tasks_in_the_order_in_which_they_were_added(tmp_path: Path):
    store = make_store(tmp_path / "s")
    for added, name in enumerate(["zebra", "ant", "m.nist-2"]):
        store.create_task(task_record(name, added))
    assert store.tasks() == ["zebra", "ant", "m.nist-2"]
    assert store.task_names() == ["ant", "m.nist-2", "zebra"]


def test_task_record_is_replaced(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a", source="npz:/data/ä"))
    store.write_task(changed(store.read_task("a"), model=store.root))
    assert Store.open(store.path).read_task("a") == task_record("a", source="npz:/data/ä", model=store.root)


def test_task_names_are_taken_once(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a", classes=["first"]))
    with pytest.raises(InputError, match="already has a task 'a'"):
        store.create_task(task_record("a", classes=["second"]))
    assert store.read_task("a")["classes"] == ["first"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "a/b", "a\\b", "../x", "a\0b", "a\nb", "a:b", "x" * 101, "ä" * 60]
)
def test_task_names_that_are_no_file_names(tmp_path: Path, name: str):
    store = make_store(tmp_path / "s")
    for call in (
        store.read_task,
        lambda n: store.create_task(task_record(n)),
        lambda n: store.write_task(task_record(n)),
    ):
        with pytest.raises(InputError, match="task name"):
            call(name)
    assert store.tasks() == []


def test_unknown_task_says_which_there_are(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("mnist"))
    for call in (store.read_task, lambda n: store.write_task(task_record(n))):
        with pytest.raises(InputError, match=r"has no task 'minst' \(did you mean 'mnist'\?\)"):
            call("minst")


def test_record_that_names_a_model_that_is_not_stored(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    run = store.new_run({})
    ghost = "5" * 64
    for record in (task_record("a", model=ghost), task_record("a", active={"population": [ghost]})):
        with pytest.raises(InputError, match="put the model before the record"):
            store.write_task(record)
    with pytest.raises(InputError, match="put the model before the record"):
        store.create_task(task_record("b", model=ghost))
    with pytest.raises(InputError, match="put the model before the record"):
        store.write_run(run, "a-0000-0000", generation(("a", 0, 0), [ghost]))
    assert store.read_task("a") == task_record("a")
    assert store.run_files(run) == ["run.json"]


# -- runs -----------------------------------------------------------------------------------------------------------


def test_runs_are_numbered(tmp_path: Path):
    store = make_store(tmp_path / "s")
    names = [store.new_run({"number": number}) for number in range(3)]
    assert names == store.runs() == ["0001", "0002", "0003"]
    assert store.read_run("0002", "run.json") == {"number": 1}
    (store.path / "runs" / "9999").mkdir()  # killed before its config: it is no run, and its number stays taken
    assert store.runs() == names
    assert store.new_run({}) == "10000"
    assert store.runs()[-1] == "10000"


def test_run_records_in_order_of_counting(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    for number in (10, 9, 2):
        store.write_run(run, f"a-{number}-0", generation(("a", number, 0), []))
    store.write_run(run, "finished.json", {"ok": True})
    assert store.run_files(run) == ["a-2-0.json", "a-9-0.json", "a-10-0.json", "finished.json", "run.json"]
    assert store.read_run(run, "a-10-0") == store.read_run(run, "a-10-0.json") == generation(("a", 10, 0), [])


def test_unknown_runs_and_records(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    with pytest.raises(InputError, match=r"has no run '0007' \(did you mean '0001'\?\)"):
        store.read_run("0007", "run.json")
    for name in ("..", ".", "../runs/0001", ""):
        with pytest.raises(InputError, match="has no run"):
            store.run_files(name)
    with pytest.raises(InputError, match=r"has no record 'ran.json'"):
        store.read_run(run, "ran.json")
    for file in ("", "a/b", "../x", ".hidden"):
        with pytest.raises(InputError, match="no name for a run record"):
            store.write_run(run, file, {})


# -- locks ----------------------------------------------------------------------------------------------------------


def test_commits_nest_and_go_side_by_side(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with store.commit(), store.commit(), Store.open(store.path).commit():
        put_child(store, "a", store.root, "x")


@pytest.mark.parametrize("reader", ["fsck", "gc --dry-run"])
def test_readers_hold_no_lock(tmp_path: Path, reader: str):
    """A collection goes on while they read, and they read while it goes on."""
    store = make_store(tmp_path / "s")
    read = {"fsck": lambda: fsck(store), "gc --dry-run": lambda: gc(store, dry_run=True)}[reader]
    with store.collecting():
        read()
    identify, calls = store.models._identify, []

    def taken(data: bytes) -> str:
        with (store.path / ".lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        calls.append(data)
        return identify(data)

    store.models._identify = taken
    read()
    assert calls


def test_importing_the_store_needs_no_torch():
    """`munet status` runs through here and has a second; torch alone takes longer."""
    script = "import sys, munet.store, munet.store.fsck, munet.store.gc; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "munet.store.gc" in loaded
    assert not loaded & {"torch", "numpy", "safetensors", "timm", "pydantic", "rich"}
