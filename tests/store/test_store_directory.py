"""A store as a directory: made, opened, refused, read without writing."""

import errno
import json
import os
from pathlib import Path

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.fs.tree import Tree
from munet.store import Store
from munet.store.fsck import fsck
from store_tools import (
    Faults,
    grown_store,
    layer_bytes,
    make_store,
    model_of,
)
from store_tools import write_root as root_writer


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
