"""Systems of all three published formats become munet systems that compute what the published code computes."""

from pathlib import Path

import numpy as np
import pytest
import torch

import munet
from munet.analysis import model_history
from munet.analysis.model_history import Sampled
from munet.importing import import_published
from published_tools import (
    DIM,
    Published,
    forward,
    size_of,
    small_system,
    write_message,
    write_mu2net,
    write_mu3net,
    write_munet,
)

WRITERS = {"munet": write_munet, "mu2net": write_mu2net, "mu3net": write_mu3net}
NAMES = {"emnist/digits": "emnist-digits", "cmaterdb/bangla": "cmaterdb-bangla", "mnist": "mnist"}


@pytest.fixture(scope="module")
def published() -> Published:
    return small_system()


@pytest.fixture(scope="module", params=list(WRITERS))
def imported(request: pytest.FixtureRequest, published: Published, tmp_path_factory: pytest.TempPathFactory):
    """(format, summary, system); tests only read it."""
    folder = tmp_path_factory.mktemp(request.param)
    summary = import_published(WRITERS[request.param](published, folder / "published"), folder / "fleet")
    return request.param, summary, munet.System.open(folder / "fleet")


def logits(system: munet.System, task: str, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return system.model(task)(torch.from_numpy(images).permute(0, 3, 1, 2).float()).numpy()


def test_every_task_computes_what_was_published(imported, published: Published):
    _, _, system = imported
    rng = np.random.default_rng(1)
    for task, name in NAMES.items():
        size = 48 if task == "mnist" else 32
        images = rng.uniform(-1, 1, (4, size, size, 3))
        expected = forward(published.tree(task), images)
        np.testing.assert_allclose(logits(system, name, images), expected, rtol=0, atol=2e-5)
        assert expected.std() > 0.1


def test_predict_scales_pixels_to_minus_one_and_one(imported, published: Published):
    _, _, system = imported
    images = np.random.default_rng(2).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    expected = forward(published.tree("emnist/digits"), images / 127.5 - 1)
    np.testing.assert_allclose(system.predict("emnist-digits", images).logits.numpy(), expected, rtol=0, atol=2e-5)


def test_status_tells_what_the_tables_told(imported, published: Published):
    _, summary, system = imported
    status = system.status()
    assert [row["name"] for row in status["tasks"]] in (list(NAMES.values()), sorted(NAMES.values()))
    rows = {row["name"]: row for row in status["tasks"]}
    for task, name in NAMES.items():
        path, row = published.path(task), rows[name]
        assert (row["validation_accuracy"], row["test_accuracy"]) == (
            path.metrics["quality"],
            path.metrics["test_quality"],
        )
        assert row["accounted_parameters"] == pytest.approx(path.accounted)
        assert row["classes"] == path.settings["num_classes"]
        assert row["parameters"] == sum(size_of(tree) for tree in published.tree(task).values())
    assert (rows["mnist"]["num_blocks"], rows["mnist"]["image_size"]) == (1, 48)
    assert summary["tasks"] == 3
    assert summary["mean_test_accuracy"] == pytest.approx((0.68 + 0.88) / 2)
    assert summary["without_data"] == [row["name"] for row in status["tasks"]]
    assert status["unfinished_run"] is None


def test_layers_are_shared_as_components_were(imported):
    _, summary, system = imported
    layers = {name: system.manifest(name)["layers"] for name in NAMES.values()}
    root = system.manifest("root")["layers"]
    assert layers["emnist-digits"]["block.0"] == layers["cmaterdb-bangla"]["block.0"] == root["block.0"]
    assert layers["emnist-digits"]["block.1"] == layers["cmaterdb-bangla"]["block.1"] != root["block.1"]
    assert layers["mnist"]["posembed"] != root["posembed"]
    assert system.show("cmaterdb-bangla")["layers"][5]["trained_by"] == "emnist-digits"
    assert summary["layers"] == 6 + 9
    assert system.fsck().ok


def test_dead_blocks_of_the_root_are_left_out_and_said_so(imported):
    _, summary, system = imported
    assert [slot for slot in system.manifest("root")["layers"] if slot.startswith("block")] == ["block.0", "block.1"]
    assert any("2 blocks above the 2 that its children use" in note for note in summary["notes"])
    assert summary["components_left_out"] == 3  # with the root's head


def test_private_tasks_stay_private_and_lineage_is_kept(imported):
    _, _, system = imported
    assert [system.task(name)["private"] for name in NAMES.values()] == [False, True, False]
    log = system.log("cmaterdb-bangla")
    assert [entry["task"] for entry in log] == ["cmaterdb-bangla", "emnist-digits", None]
    assert [entry["generation"] for entry in log] == [2, 1, 0]
    assert {"kind": "insert_adapter", "slot": "adapter.0"} in log[0]["mutations"]
    assert {"kind": "set", "name": "learning_rate", "old": 0.02, "new": 0.05} in log[0]["mutations"]
    assert {"kind": "clone", "slot": "block.1"} in log[1]["mutations"]
    removed = system.manifest("mnist")["mutations"]
    assert {"kind": "remove_block", "slot": "block.1"} in removed


def test_hyperparameters_take_our_names_and_stay_verbatim(imported):
    kind, _, system = imported
    manifest = system.manifest("cmaterdb-bangla")
    settings = manifest["hyperparameters"]
    assert settings["learning_rate"] == 0.05
    assert (settings["schedule"], settings["flip"], settings["contrast"]) == ("cosine", True, 0.01)
    assert (settings["image_size"], settings["adapter_dim"]) == (32, DIM)
    assert system.manifest("mnist")["hyperparameters"]["momentum"] == 0.0
    assert manifest["imported"]["hparams"]["opt_lr"] == 0.05
    assert not any("time" in name for name in manifest["imported"]["metrics"])
    expected = {
        "munet": {},
        "mu2net": {"mu": 0.2},
        "mu3net": {
            "clone:block.1": 0.3,
            "hyperparameter:learning_rate": 0.06,
            "insert:adapter.0": 0.02,
            "remove:block": 0.12,
        },
    }
    assert manifest["mutation_probabilities"] == expected[kind]
    assert ("crop" in settings) == (kind == "mu2net")
    assert settings.get("jpeg_quality") == (0.05 if kind == "mu3net" else None)
    assert manifest["method"] == kind


def test_the_kept_cycle_follows_the_rule_of_each_code(imported):
    kind, _, system = imported
    metrics = system.manifest("emnist-digits")["metrics"]
    assert metrics["accuracies"] == [0.5, 0.7, 0.7]
    assert metrics["cycle"] == (1 if kind == "munet" else 2)


def test_momentum_comes_along_in_bfloat16(imported, published: Published):
    kind, _, system = imported
    momentum = system.manifest("cmaterdb-bangla")["momentum"]
    if kind == "munet":
        assert momentum == {}
        return
    assert set(momentum) == {"adapter.0", "block.1", "norm", "head"}
    layer = system.models.layer(momentum["adapter.0"])
    assert layer["down.weight"].dtype == torch.bfloat16
    expected = np.asarray(published.momentum[20]["Dense_0"]["kernel"], np.float32).T
    np.testing.assert_array_equal(layer["down.weight"].float().numpy(), expected)


def number_of(child: Sampled) -> str:
    """What the published key of a child ends in."""
    return child.get("path", "").rpartition(":")[2]


def test_every_sampled_model_is_in_the_history(imported):
    _, summary, system = imported
    children = list(model_history.children(system.store))
    assert summary["children"] == len(children) == 6
    by_path = {number_of(child): child for child in children}
    assert str(by_path["5"].get("parent_path")).endswith("4")
    assert by_path["5"]["parent"] is None  # its weights are gone
    assert by_path["5"]["model"] == system.resolve("cmaterdb-bangla")
    assert by_path["6"]["parent"] == system.root
    assert by_path["4"]["model"] is None
    assert by_path["4"]["seconds"] == {"train": 12.5, "validation": 1.5, "other": 0.0}
    assert [number_of(child) for child in model_history.children(system.store, "emnist-digits")] == [
        "1",
        "2",
        "3",
    ]
    assert [child["generation"] for child in model_history.children(system.store, "emnist-digits")] == [0, 0, 1]
    assert system.task("emnist-digits")["iterations"] == 1


def test_selections_are_counted_on(imported):
    kind, _, system = imported
    if kind == "mu2net":
        digits = system.resolve("emnist-digits")
        assert system.task("emnist-digits")["selections"] == {digits: 2}
        assert system.task("cmaterdb-bangla")["selections"] == {digits: 1}


def test_the_same_system_gets_the_same_ids(published: Published, tmp_path: Path):
    first, second = (write_mu2net(published, tmp_path / name) for name in ("a", "b"))
    one = import_published(first, tmp_path / "one")
    import_published(second / "state_4_0", tmp_path / "two")
    other = munet.System.open(tmp_path / "two")
    assert one["root"] == other.root
    for name in NAMES.values():
        assert munet.System.open(tmp_path / "one").resolve(name) == other.resolve(name)


def test_chunked_arrays_and_scalars(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from flax import serialization

    whole = write_mu2net(published, tmp_path / "whole")
    monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 100)
    chunked = write_mu2net(published, tmp_path / "chunked")
    entries = {f"{name}:{id}": tree for id, (name, tree) in published.components.items()}
    entries |= {
        "step:99": {"count": np.int32(7), "rate": np.float32(0.5), "big": 3 + 4j, "note": "a", "list": [1, 2.5, None]}
    }
    write_message(chunked / "state_4_0" / "checkpoint_4_0", entries)
    size = (chunked / "state_4_0" / "checkpoint_4_0").read_bytes()
    assert size.count(b"__msgpack_chunked_array__") > 20
    import_published(whole, tmp_path / "one")
    import_published(chunked, tmp_path / "two")
    one, two = munet.System.open(tmp_path / "one"), munet.System.open(tmp_path / "two")
    for name in NAMES.values():
        assert one.manifest(name)["layers"] == two.manifest(name)["layers"]
