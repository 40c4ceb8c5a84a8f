"""Layers and models as users of a store see them."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from munet.errors import DamagedError, InputError, StoreError
from munet.store.derived import resolve_model
from munet.store.schema import Manifest
from store_tools import (
    changed,
    layer_bytes,
    make_store,
    manifest,
)


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
