"""What users and programs are told: whole messages with a way out, the kind of each error, reports as JSON."""

from pathlib import Path
from typing import Any

import pytest

from munet.errors import DamagedError, InputError, MunetError, StoreError
from munet.fs.tree import Tree
from munet.store import Store, manifests
from munet.store.derived import resolve_model
from munet.store.fsck import Damage, fsck
from munet.store.gc import gc
from munet.store.layer_file import LayerFormatError, id_of_bytes, layer_id, layer_size, read_header
from store_tools import generation, grown_store, layer_bytes, make_store, manifest, safetensors_bytes, task_record


def said_by(call: Any, *arguments: Any) -> tuple[str, str]:
    """Message and kind of the error of a call."""
    with pytest.raises(MunetError) as caught:
        call(*arguments)
    return str(caught.value), caught.value.kind


# -- a place that is no system, or is taken ---------------------------------------------------------------------------


def test_open(tmp_path: Path):
    no_system = (f"{tmp_path} is no munet system: `munet init {tmp_path}` makes one", "no-system")
    assert said_by(Store.open, tmp_path) == no_system
    marker = tmp_path / "munet.json"
    marker.write_text('{"format":2,"root":""}')
    assert said_by(Store.open, tmp_path) == (
        f"{marker} has format 2, this munet reads up to 1: update munet",
        "newer-format",
    )
    marker.write_text("[]")
    assert said_by(Store.open, tmp_path) == (f"{marker} holds no JSON object: take it from a backup", "damaged")
    damaged = f"{marker} should hold format 1 and a root id, and does not: take it from a backup"
    for text in ('{"format":1,"root":"12"}', f'{{"format":0,"root":"{"1" * 64}"}}'):
        marker.write_text(text)
        assert said_by(Store.open, tmp_path) == (damaged, "damaged")


def test_create(tmp_path: Path):
    system = make_store(tmp_path / "s").path
    assert said_by(make_store, system) == (
        f"{system} is already a munet system: add tasks to it, or choose another path",
        "exists",
    )
    file = tmp_path / "file"
    file.touch()
    assert said_by(make_store, file) == (f"{file} is a file: choose another path for the system", "exists")
    assert said_by(make_store, tmp_path) == (f"{tmp_path} is not empty: choose another path for the system", "exists")


@pytest.mark.parametrize("folder", ["tasks", "runs"])
def test_create_where_only_the_marker_is_lost(tmp_path: Path, folder: str):
    make_store(tmp_path)
    (tmp_path / "munet.json").unlink()
    (tmp_path / folder / "something").touch()
    said, _ = said_by(make_store, tmp_path)
    assert said == f"{tmp_path} holds {folder} but no munet.json: take munet.json from a backup"
    assert (tmp_path / folder / "something").exists()


# -- models, tasks, runs ----------------------------------------------------------------------------------------------


def test_models(tmp_path: Path):
    store = make_store(tmp_path / "s")
    ghost = "5" * 64
    said, _ = said_by(store.put_model, manifest({"head": ghost}))
    assert said == f"layers of head is layer {ghost}, which {store.path} does not hold: put the layer first"
    said, _ = said_by(store.put_model, manifest({}, parent=ghost))
    assert said == f"the parent {ghost} is not in {store.path}: put the parent first"
    said, kind = said_by(resolve_model, store, "xyz")
    assert said == (
        f"'xyz' is no model id: give 4 or more of its hexadecimal digits; `munet log {store.path} TASK` lists ids"
    )
    assert kind == "unknown-model"
    wanted = "0000" if store.root[:4] != "0000" else "1111"
    said, kind = said_by(resolve_model, store, wanted)
    assert (said, kind) == (
        f"no model id in {store.path} starts with '{wanted}': `munet log {store.path} TASK` lists them",
        "unknown-model",
    )
    said, _ = said_by(store.get_model, ghost)
    lists = f"`munet fsck {store.path}` lists all damage and the tasks that it hurts"
    assert said == f"{store.models.path(ghost)} is missing; {lists}"
    assert said_by(store.get_model, "5")[0] == (
        "'5' is no model id: it takes 64 hexadecimal digits, as `munet log` prints them"
    )


def test_at_most_four_models_of_one_beginning_are_named(tmp_path: Path):
    store = make_store(tmp_path / "s")
    twins = [store.root[:5] + digit * 59 for digit in "01234567"]
    for twin in twins:
        store.models.path(twin).write_bytes(b"{}")
    first = sorted([*twins, store.root])[:4]
    said, _ = said_by(resolve_model, store, store.root[:5])
    names = ", ".join(id[:11] + "…" for id in first)
    assert said == f"'{store.root[:5]}' is the start of 9 model ids ({names}): give more digits"


def test_manifests():
    assert said_by(manifests.encode, {"format": 3})[0] == "a model manifest takes 'format': 1, not 3"
    assert said_by(manifests.encode, {"format": 1})[0] == "'layers' should map slots to layer ids"
    assert said_by(manifests.encode, manifest({"head": "7"}))[0] == "layers of head should be a layer id, not '7'"
    assert said_by(manifests.encode, manifest({}, momentum={"head": 7}))[0] == (
        "momentum of head should be a layer id, not 7"
    )
    assert said_by(manifests.encode, manifest({}, parent="p"))[0] == "'parent' should be a model id or null, not 'p'"
    native: Any = {"native_posembed": {"layer": None}}
    assert said_by(manifests.encode, manifest({}, root=native))[0] == (
        "native position embedding should be a layer id, not None"
    )
    assert said_by(manifests.encode, manifest({}, momentum=[1]))[0].startswith(
        "'momentum' or 'root' has a wrong shape (AttributeError("
    )


def test_only_a_root_has_an_origin(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    root = store.get_model(store.root)
    assert manifests.origin_of(root)["source"] == "test"
    assert manifests.native_posembed_of(root)["image_size"] == 224
    child = store.get_model(store.read_task("a")["model"] or "")
    assert said_by(manifests.origin_of, child)[0] == "the model of task 'a' is no root"
    plain: Any = manifest({}, root={"source": "test"})
    assert said_by(manifests.native_posembed_of, plain)[0] == (
        "the root has no position embeddings: its models are no vision transformers"
    )


def test_tasks(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("mnist"))
    unknown = (f"{store.path} has no task 'minst' (did you mean 'mnist'?)", "unknown-task")
    assert said_by(store.read_task, "minst") == unknown
    assert said_by(store.write_task, task_record("minst")) == unknown
    said, _ = said_by(store.create_task, task_record("mnist"))
    assert said == f"{store.path} already has a task 'mnist': choose another name"
    said, _ = said_by(store.read_task, ".x")
    assert said == "'.x' is no task name: use letters, digits, '-', '_', and '.' but not first"
    store.create_task(task_record("x" * 100))
    said, _ = said_by(store.read_task, "x" * 101)
    assert said == f"the task name '{'x' * 20}'… takes 101 bytes: use at most 100"
    store.task_path("copy").write_bytes(store.task_path("mnist").read_bytes())
    assert "copy.json is the record of task 'mnist'; `munet fsck" in said_by(store.read_task, "copy")[0]


def test_hidden_files_are_no_tasks(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    (store.path / "tasks" / ".a.json").touch()
    assert store.task_names() == store.tasks() == ["a"]


def test_the_next_task_comes_after_all_others(tmp_path: Path):
    store = make_store(tmp_path / "s")
    assert store.next_added() == 1
    for name, added in (("a", 7), ("b", 3)):
        store.create_task(task_record(name, added))
    assert store.next_added() == 8


def test_a_record_that_has_not_changed_is_read_once_for_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store, other = make_store(tmp_path / "s"), Store.open(tmp_path / "s")
    for added, name in enumerate("abc", 1):
        store.create_task(task_record(name, added))
    read, read_task = list[str](), Store.read_task
    monkeypatch.setattr(Store, "read_task", lambda self, name: (read.append(name), read_task(self, name))[1])
    assert (store.next_added(), read) == (4, ["a", "b", "c"])
    assert (store.next_added(), read) == (4, ["a", "b", "c"])
    other.remove_task("c")
    assert store.next_added() == 3
    other.create_task(task_record("c", 9))  # under the same name, by somebody else
    read.clear()
    assert (store.next_added(), read) == (10, ["c"])
    store.task_path("b").write_bytes(b'{"active":' + b"\0")
    with pytest.raises(DamagedError, match=r"b\.json"):
        store.next_added()


def test_runs(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    store.write_run(run, "a-0000-0000", generation(("a", 0, 0), []))
    said, _ = said_by(store.read_run, run, "a-0000-0001.json")
    missing = f"run '0001' of {store.path} has no record 'a-0000-0001.json' (did you mean 'a-0000-0000.json'?)"
    assert said == missing
    said, _ = said_by(store.write_run, run, ".x", {})
    assert said == "'.x' is no name for a run record: use a plain file name"
    ghost = "5" * 64
    said, _ = said_by(store.write_run, run, "a-0000-0001", generation(("a", 0, 1), [ghost]))
    assert said == f"model {ghost} is not in {store.path}: put the model before the record that names it"
    said, _ = said_by(store.write_run, run, "a-0000-0001", {"when": object()})
    assert said.startswith("the run record 'a-0000-0001' cannot be stored as JSON: ")
    said, _ = said_by(store.create_task, task_record("t", when=object()))
    assert said.startswith("the record of task 't' cannot be stored as JSON: ")


# -- layers -----------------------------------------------------------------------------------------------------------


def header_of(*spans: tuple[int, int]) -> dict[str, Any]:
    return {f"t{k}": {"dtype": "U8", "shape": [1], "data_offsets": span} for k, span in enumerate(spans)}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"1234567", "7 bytes are too few for a safetensors file"),
        (b"\1" + b"\0" * 7, "the header should hold 1 bytes, the file holds 8"),
        (b"\xff" * 8, f"the header should hold {2**64 - 1} bytes, the file holds 8"),
        (safetensors_bytes(header_of((0, 2), (3, 4)), b"1234"), "the tensors do not follow one another at byte 2"),
        (safetensors_bytes(header_of((0, 2), (1, 4)), b"1234"), "the tensors do not follow one another at byte 2"),
        (safetensors_bytes(header_of((0, 2), (2, 1)), b"12"), "the tensors do not follow one another at byte 2"),
        (safetensors_bytes(header_of((1, 2)), b"12"), "the tensors do not follow one another at byte 0"),
    ],
)
def test_bytes_that_are_no_layer(data: bytes, said: str):
    with pytest.raises(LayerFormatError) as caught:
        read_header(data)
    assert str(caught.value) == said


@pytest.mark.parametrize("data", [b"1", b"123"])
def test_bytes_behind_or_missing_from_the_last_tensor(data: bytes):
    whole = safetensors_bytes(header_of((0, 2)), b"12")
    with pytest.raises(LayerFormatError) as caught:
        read_header(safetensors_bytes(header_of((0, 2)), data))
    length = len(whole) - 2 + len(data)
    assert str(caught.value) == f"the tensors should end at byte {len(whole)}, the file holds {length}"


@pytest.mark.parametrize(
    "change", [{"shape": [1.5]}, {"data_offsets": [0]}, {"data_offsets": ["0", "2"]}, {"shape": 1}]
)
def test_a_header_of_other_types(change: dict[str, Any]):
    header = {"t": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]} | change}
    with pytest.raises(LayerFormatError, match=r"^the header is not that of a safetensors file "):
        read_header(safetensors_bytes(header, b"12"))


def test_a_layer_without_tensors_is_a_layer():
    assert read_header(b"\2" + b"\0" * 7 + b"{}") == {}
    metadata = safetensors_bytes({"__metadata__": {"who": "me"}}, b"")
    assert read_header(metadata) == {}
    assert id_of_bytes(metadata) == id_of_bytes(b"\2" + b"\0" * 7 + b"{}")


def test_a_layer_held_as_tensors():
    import torch

    tensors = {"w": torch.zeros(2, 3), "b": torch.zeros(4)}
    assert layer_size(tensors) == 10
    assert layer_id({"w": torch.tensor([1], dtype=torch.uint8)}) == id_of_bytes(
        safetensors_bytes({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"\1")
    )


def test_layers_of_several_models_are_kept_at_once(tmp_path: Path):
    store = make_store(tmp_path / "s")
    groups = [{"stem": layer_bytes("stem"), "head": layer_bytes("one")}, {"head": layer_bytes("two")}, {}]
    ids = store.put_layer_files(groups)
    assert ids == [{slot: id_of_bytes(data) for slot, data in group.items()} for group in groups]
    assert all(
        store.get_layer_bytes(id) == groups[k][slot] for k, group in enumerate(ids) for slot, id in group.items()
    )
    with pytest.raises(InputError, match=r"^these 2 bytes are no layer: 2 bytes are too few"):
        store.put_layer_files([{"head": b"no"}])


# -- fsck and gc ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks": ("a", "b"), "weights": True}, "p is missing; hurts task a, task b"),
        ({"tasks": ("a",), "root": True, "weights": True}, "p is missing; hurts task a, the root"),
        ({"tasks": ("a",)}, "p is missing; hurts only the history of task a"),
        ({}, "p is missing; hurts no task"),
        ({"kind": "run"}, "p is missing; hurts no task"),
    ],
)
def test_damage_says_whom_it_hurts(changes: dict[str, Any], said: str):
    whole = {"kind": "layer", "id": "1", "reason": "is missing", "tasks": (), "root": False, "weights": False}
    assert str(Damage("p", **(whole | changes))) == said


def test_a_check_counts_what_it_reads(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    gone = store.get_model(store.read_task("a")["model"] or "")["layers"]["head"]
    store.layer_path(gone).unlink()
    steps: list[tuple[int, int]] = []
    report = fsck(store, lambda done, of_all: steps.append((done, of_all)))
    objects = [*store.models.ids(), *store.layers.ids()]
    assert steps == [(number, len(objects) + 1) for number in range(1, len(objects) + 2)]
    assert (report.tasks, report.models, report.layers) == (
        2,
        len(list(store.models.ids())),
        len(list(store.layers.ids())),
    )
    files = [*(store.path / "models").rglob("*.json"), *(store.path / "layers").rglob("*.safetensors")]
    assert report.bytes == sum(file.stat().st_size for file in files)
    path = str(store.layer_path(gone).relative_to(store.path))
    damage = {"path": path, "kind": "layer", "id": gone, "reason": "is missing", "tasks": ("a",)}
    assert report.to_json() == {
        "ok": False,
        "hurt": ["a"],
        "tasks": report.tasks,
        "models": report.models,
        "layers": report.layers,
        "listings": 0,
        "bytes": report.bytes,
        "damaged": [damage | {"root": False, "weights": True}],
        "elsewhere": 0,
        "strays": [],
    }


def test_what_gc_would_remove_it_removes(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    before = {path for path in store.path.rglob("*") if path.is_file()}
    store.put_layer_bytes(layer_bytes("lost"))
    for folder in (store.path, store.path / "tasks", store.path / "runs" / "0001", store.path / "layers" / "00"):
        folder.mkdir(exist_ok=True)
        (folder / ".tmp-1-a").write_bytes(b"12")
    (store.path / "runs" / "a file").touch()
    would = gc(store, dry_run=True).to_json()
    freed = len(layer_bytes("lost")) + 4 * 2
    assert would == {"models": 0, "layers": 1, "listings": 0, "temporary": 4, "bytes": freed, "dry_run": True}
    assert gc(store).to_json() == would | {"dry_run": False}
    after = {path for path in store.path.rglob("*") if path.is_file()}
    assert after == before | {store.path / "runs" / "a file"}


def test_gc_that_cannot_know_says_what_to_do(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    record = store.task_path("a")
    record.write_bytes(b"garbage")
    with pytest.raises(DamagedError) as caught:
        gc(store)
    assert str(caught.value) == (
        f"{record} is cut short or was not written by munet; nothing was removed, for what it needs is not known: "
        f"`munet fsck {store.path}` lists all damage, and what helps"
    )


def test_what_cannot_be_read_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))

    def refuse(self: Tree, path: Path, most: int | None = None) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Tree, "read", refuse)
    for call, path in (
        (lambda: store.get_model(store.root), store.models.path(store.root)),
        (lambda: store.read_task("a"), store.task_path("a")),
        (lambda: Store.open(store.path), store.path / "munet.json"),
    ):
        with pytest.raises(StoreError, match=rf"^cannot read {path}: .*; have its owner run this$"):
            call()
