"""Models that cannot be used are refused when they are put, found by fsck, and refused when they are loaded."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import munet
from munet.errors import DamagedError, InputError
from munet.model.pools.architecture import PoolsArchitecture
from munet.model.pools.module_json import built
from munet.model.pools.network import PathNetwork
from munet.model.validation import check_stored
from munet.model.vit import ViTArchitecture
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.schema import Manifest, task_data, task_record

Change = Mapping[str, Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system of one task whose model is the root with a head and with momentum for it."""
    path = tmp_path_factory.mktemp("whole") / "s"
    system = munet.System.create(path, root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    store = system.store
    store.create_task(
        task_record(task_data("t", "none:", private=False, classes="ab", splits={}, fingerprint=""), added=1)
    )
    store.write_task({**store.read_task("t"), "model": put(store, child(store))})
    return path


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Store:
    return Store.open(shutil.copytree(whole, tmp_path / "s"))


def put(store: Store, manifest: Manifest, checked: bool = True) -> str:
    return store.put_model(manifest, check_stored if checked else None)


def child(store: Store, **tensors: torch.Tensor) -> Manifest:
    """A model of the task `t`: the root's layers and a head."""
    root = store.get_model(store.root)
    head = {"weight": torch.zeros(2, 192), "bias": torch.zeros(2)} | tensors
    momentum = {name: tensor.bfloat16() for name, tensor in head.items()}
    layers = {**root["layers"], "head": store.put_layer(head)}
    sizes = {**root["sizes"], "head": sum(tensor.numel() for tensor in head.values())}
    made: Any = {**root, "task": "t", "parent": store.root, "layers": layers, "sizes": sizes}
    made["momentum"] = {"head": store.put_layer(momentum)}
    del made["root"]
    return made


def without(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


def changes(store: Store) -> list[tuple[Change, str]]:
    """What to change of a model, and what is said of it."""
    good = child(store)
    a, layers, sizes = good["architecture"], good["layers"], good["sizes"]
    return [
        ({"layers": without(layers, "head"), "sizes": without(sizes, "head"), "momentum": {}}, "there is no head"),
        ({"layers": without(layers, "norm"), "sizes": without(sizes, "norm")}, "missing or too many are norm"),
        ({"layers": {**layers, "hat": layers["head"]}}, "missing or too many are hat"),
        ({"layers": {**layers, "norm": layers["cls"]}, "sizes": {}}, "slot norm does not fit"),
        ({"layers": {**layers, "head": layers["norm"]}, "momentum": {}, "sizes": {}}, "slot head"),
        ({"layers": {**layers, "block.7": layers["block.0"]}}, "do not follow one another"),
        ({"sizes": {**sizes, "head": 7}}, "'sizes' says 7 of slot head"),
        ({"momentum": {"norm": good["momentum"]["head"]}}, "momentum of slot norm"),
        ({"momentum": {"hat": layers["head"]}}, "momentum of slot hat"),
        ({"architecture": {**a, "patch_size": 0}}, "patch_size cannot be 0"),
        ({"architecture": {**a, "patch_size": "16"}}, "patch_size cannot be '16'"),
        ({"architecture": {**a, "patch_size": 10**12}}, "patch_size cannot be"),
        ({"architecture": {**a, "heads": 0}}, "heads cannot be 0"),
        ({"architecture": {**a, "norm_eps": 1e300}}, "norm_eps cannot be"),
        ({"architecture": {**a, "std": [0, 1, 1]}}, "no std of 0"),
        ({"architecture": without(a, "width")}, "no network can be made of it"),
        ({"hyperparameters": {"image_size": 33}}, "multiple of the patch size"),
        ({"hyperparameters": {"image_size": 10**12}}, "image size|does not fit|no network"),
        ({"hyperparameters": {}}, "no network can be made of it"),
    ]


CHANGES = range(19)


@pytest.mark.parametrize("number", CHANGES)
def test_what_cannot_be_used_is_refused_found_and_not_loaded(store: Store, number: int):
    assert len(changes(store)) == len(CHANGES)
    change, says = changes(store)[number]
    bad: Any = {**child(store), **change}
    with pytest.raises(InputError, match=says):
        put(store, bad)
    store.write_task({**store.read_task("t"), "model": put(store, bad, checked=False)})
    found = fsck(store, check=check_stored)
    assert [damage.tasks for damage in found.damaged] == [("t",)]
    if not set(change) <= {"momentum", "sizes"}:  # which only training and counting read
        with pytest.raises(DamagedError, match="cannot be used"):
            munet.System(store).models.network(bad_id(store))


def bad_id(store: Store) -> str:
    return store.read_task("t")["model"] or ""


def test_a_good_model_passes(store: Store):
    assert fsck(store, check=check_stored).ok
    assert munet.System(store).models.network(bad_id(store)) is not None


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_weights_of_whole_numbers_are_refused(store: Store, dtype: torch.dtype):
    with pytest.raises(InputError, match="it should be F32"):
        put(store, child(store, bias=torch.zeros(2, dtype=dtype)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_values_that_are_not_finite_are_refused_and_found(store: Store, value: float, dtype: torch.dtype):
    tensors = {"weight": torch.ones(70_000, dtype=dtype), "b": torch.ones(3, dtype=dtype)}
    store.put_layer(tensors)
    tensors["weight"][69_999] = value
    with pytest.raises(InputError, match="weight holds infinite values"):
        store.put_layer(tensors)
    from munet.store.layer_file import serialize

    id = store.layers.put(serialize(tensors))
    assert [(damage.id, "cannot be used" in damage.reason) for damage in fsck(store).damaged] == [(id, True)]


def test_the_largest_numbers_of_each_type_are_finite(store: Store):
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        limits = torch.finfo(dtype)
        store.put_layer({"x": torch.tensor([limits.max, limits.min, limits.tiny, 0.0], dtype=dtype)})


def test_a_description_of_a_module_asks_for_nothing_but_what_it_is_made_of():
    with pytest.raises(InputError, match="asks for 'device'"):
        built({"type": "Linear", "in_features": 2, "out_features": 2, "bias": True, "device": "cuda"})
    with pytest.raises(InputError, match="asks for 'dtype'"):
        built({"type": "Conv2d", "in_channels": 1, "out_channels": 1, "kernel_size": [1, 1], "dtype": "float64"})
    with pytest.raises(InputError, match="at most"):
        built({"type": "Linear", "in_features": 10**12, "out_features": 2, "bias": True})


def test_an_empty_pool_passes_on_no_more_than_fits():
    pool = {"type": "Pool", "names": [], "components": [], "shape": [1 << 20, 1 << 20]}
    head = {"type": "Linear", "in_features": 1, "out_features": 2, "bias": True}
    architecture = PoolsArchitecture((1, 8, 8), (0.0,), (1.0,), "mean", "zeros", [pool], head)
    with pytest.raises(InputError, match="too large"):
        PathNetwork(architecture, {"head": {"weight": torch.zeros(2, 1), "bias": torch.zeros(2)}})


def test_an_architecture_of_a_newer_munet_is_kept_and_not_damage(store: Store):
    newer: Any = {**child(store), "architecture": {"kind": "dreams"}}
    store.write_task({**store.read_task("t"), "model": put(store, newer, checked=False)})
    assert fsck(store, check=check_stored).ok
    with pytest.raises(InputError, match="update it") as caught:
        munet.System(store).models.network(bad_id(store))
    assert caught.value.kind == "newer-format"


def test_an_architecture_comes_back():
    made = ViTArchitecture(patch_size=4, width=8, heads=2, mlp_hidden=16, channels=1, mean=(0.5,), std=(0.5,))
    assert ViTArchitecture.from_json(made.to_json()) == made
