"""Immutable objects named by content."""

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.fs.tree import Tree
from munet.store.layer_file import id_of_bytes
from munet.store.objects import Objects, is_id
from store_tools import Faults, layer_bytes


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    folder = tmp_path / "layers"
    folder.mkdir()
    return Objects(folder, "layer", ".safetensors", id_of_bytes)


def test_put_get(objects: Objects):
    data = layer_bytes("one", 100)
    id = objects.put(data)
    assert id == id_of_bytes(data)
    assert objects.get(id) == data
    assert objects.has(id)
    assert list(objects.ids()) == [id]


def test_id_is_of_content_not_of_the_file(objects: Objects):
    """The same tensors in another order of the header are the same layer."""
    from store_tools import safetensors_bytes

    a = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
    b = {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}
    first = safetensors_bytes({"a": a, "b": b}, b"123")
    swapped = safetensors_bytes({"b": {**b, "data_offsets": [0, 2]}, "a": {**a, "data_offsets": [2, 3]}}, b"231")
    assert first != swapped
    assert objects.put(first) == objects.put(swapped)
    assert len(list(objects.ids())) == 1


def test_second_put_writes_nothing(objects: Objects):
    data = layer_bytes("one")
    before = objects.path(objects.put(data)).stat()
    after = objects.path(objects.put(data)).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_second_put_flushes_the_name(objects: Objects, monkeypatch: pytest.MonkeyPatch):
    """The process that wrote it may not have come that far, and we are about to acknowledge it."""
    data = layer_bytes("one")
    objects.put(data)
    flushed = []
    monkeypatch.setattr(Tree, "flush_folder", lambda self, path: flushed.append(path))
    id = objects.put(data)
    assert flushed == [objects.path(id).parent]


@pytest.mark.parametrize("damage", [b"", b"garbage", layer_bytes("another")])
def test_put_heals_what_is_damaged(objects: Objects, damage: bytes):
    data = layer_bytes("one")
    id = objects.put(data)
    objects.path(id).write_bytes(damage)
    with pytest.raises(DamagedError):
        objects.get(id)
    assert objects.put(data) == id
    assert objects.get(id) == data


def test_reading_unverified_is_asked_for(objects: Objects):
    id = objects.put(layer_bytes("one"))
    objects.path(id).write_bytes(b"other")
    assert objects.get(id, verify=False) == b"other"
    with pytest.raises(DamagedError, match="munet fsck"):
        objects.get(id)


def test_missing_object(objects: Objects):
    id = hashlib.sha256(b"").hexdigest()
    assert not objects.has(id)
    for verify in (True, False):
        with pytest.raises(DamagedError, match=f"{id[2:]}.safetensors is missing; `munet fsck"):
            objects.get(id, verify)


@pytest.mark.parametrize("id", ["", "ab", "../../etc/passwd", "G" * 64, "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_id_never_becomes_a_path(objects: Objects, id: str):
    assert not is_id(id)
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        objects.path(id)


def test_bytes_that_are_no_object_are_refused(objects: Objects):
    with pytest.raises(ValueError, match="too few"):
        objects.put(b"x")
    assert list(objects.ids()) == []


def test_unreadable_medium_is_damage_and_permission_is_not(objects: Objects, monkeypatch: pytest.MonkeyPatch):
    id = objects.put(layer_bytes("one"))

    def fail(number: int):
        def read(self: Tree, path: Path) -> bytes:
            raise OSError(number, os.strerror(number), str(path))

        return read

    monkeypatch.setattr(Tree, "read", fail(errno.EIO))
    with pytest.raises(DamagedError, match="cannot be read"):
        objects.get(id)
    monkeypatch.setattr(Tree, "read", fail(errno.EACCES))
    with pytest.raises(StoreError, match="no permission"):
        objects.get(id)


def test_strangers_are_told_from_objects(objects: Objects):
    id = objects.put(layer_bytes("one"))
    shard = objects.path(id).parent
    (shard / ".tmp-1-abc").write_bytes(b"")
    (shard / "notes.txt").write_bytes(b"")
    (objects.folder / "README").write_bytes(b"")
    assert list(objects.ids()) == [id]
    assert {path.name for path in objects.strangers()} == {".tmp-1-abc", "notes.txt", "README"}


def test_prefixes(objects: Objects):
    ids = sorted(objects.put(layer_bytes(str(number))) for number in range(40))
    for id in ids:
        assert objects.starting_with(id[:5]) == [other for other in ids if other.startswith(id[:5])]
    assert objects.starting_with("zz") == []


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_put_that_fails_anywhere_can_be_repeated(objects: Objects, error: int):
    data = layer_bytes("one", 50)
    id = id_of_bytes(data)
    k = 1
    while True:
        faults = Faults(k, error)
        with faults.injected(), suppress(StoreError):
            objects.put(data)
        if not faults.fired:
            break
        assert objects.fault(id) in (None, "is missing")
        assert objects.put(data) == id
        assert objects.get(id) == data
        objects.path(id).unlink()
        objects.path(id).parent.rmdir()
        objects._durable.clear()
        k += 1
    assert k > 6
