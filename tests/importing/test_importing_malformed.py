"""Whatever is wrong with a published system is said in one line, before anything is written."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import munet
from munet.errors import InputError, MunetError
from munet.importing import import_published, prepare
from munet.importing.flax_checkpoint import read_index
from published_tools import (
    DIM,
    WIDTH,
    Draws,
    Published,
    Tree,
    edit_rows,
    momentum_like,
    small_system,
    write_message,
    write_mu2net,
    write_mu3net,
    write_munet,
)

Change = Callable[[Published], None]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole system in each format; tests change copies."""
    folder, system = tmp_path_factory.mktemp("whole"), small_system()
    writers = {"munet": write_munet, "mu2net": write_mu2net, "mu3net": write_mu3net}
    return {name: write(system, folder / name) for name, write in writers.items()}


def refusal(folder: Path) -> str:
    """The one line that an import of `folder` ends with; nothing is left."""
    target = folder.parent / "fleet"
    with pytest.raises(MunetError) as caught:
        import_published(folder, target)
    assert not target.exists()
    assert not list(folder.parent.glob(".*"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(tmp_path: Path, change: Change) -> str:
    system = small_system()
    change(system)
    return refusal(write_mu2net(system, tmp_path / "published"))


def set_tree(id: int, tree: Tree, name: str | None = None) -> Change:
    def change(system: Published) -> None:
        system.components[id] = (name or system.components[id][0], tree)

    return change


def set_path(task: str, **values: object) -> Change:
    def change(system: Published) -> None:
        for key, value in values.items():
            setattr(system.path(task), key, value)

    return change


def set_setting(task: str, **values: object) -> Change:
    return lambda system: system.path(task).settings.update(values)


def set_metric(**values: object) -> Change:
    return lambda system: system.path("mnist").metrics.update(values)


def without(id: int) -> Change:
    def change(system: Published) -> None:
        del system.components[id]
        system.momentum.pop(id, None)

    return change


DRAW = Draws(5)
HALF_BLOCK = {key: value for key, value in DRAW.block().items() if key != "LayerNorm_1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            without(10),
            r"path 3 of task emnist/digits .*population\.csv, line 3.*component 10.* is not in .*checkpoint_4_0",
        ),
        (without(1), r"its component 1 .*is not in"),
        (set_tree(10, HALF_BLOCK), r"encoderblock_1:10 has no LayerNorm_1/bias"),
        (set_tree(11, DRAW.norm() | {"gain": DRAW.array(WIDTH)}), r"encoder_norm:11 has an unknown gain"),
        (
            set_tree(11, {"scale": DRAW.array(9), "bias": DRAW.array(WIDTH)}),
            r"scale is \(9,\), path 3 .* needs \(16,\)",
        ),
        (
            set_tree(30, DRAW.posembed(64)),
            r"pos_embedding is \(1, 17, 16\), path 6 of task mnist.* needs \(1, 10, 16\)",
        ),
        (set_tree(12, DRAW.dense(WIDTH, 6)), r"hparams\.num_classes is 5, but its tensors have 6 outputs of its head"),
        (set_tree(20, DRAW.adapter(7)), rf"hparams\.adapter_dim is {DIM}, but its tensors have 7"),
        (set_tree(11, {k: v.astype(np.float64) for k, v in DRAW.norm().items()}), r"encoder_norm:11: \w+ is float64"),
        (set_tree(11, {k: v.astype(np.int32) for k, v in DRAW.norm().items()}), r"is int32: float32, bfloat16"),
        (set_tree(11, {"scale": 3, "bias": DRAW.array(WIDTH)}), r"encoder_norm:11 has scale, which is no array"),
        (set_tree(1, 1.5), r"cls:1 has a value, which is no array"),
        (set_tree(0, {"kernel": DRAW.array(3, 3), "bias": DRAW.array(3)}), r"embedding:0 has no proper kernel"),
        (set_tree(3, {"LayerNorm_0": DRAW.norm()}), r"encoderblock_0:3 has no proper MultiHead"),
        (set_tree(11, DRAW.norm(), "squeeze_0"), r"uses 'squeeze_0', which is no component of a plain ViT"),
        (set_tree(11, DRAW.norm(), "cls"), r"has two components cls"),
        (set_path("emnist/digits", components=[0, 1, 2, 3, 10, 12]), r"has no component for the slot norm"),
        (set_path("emnist/digits", components=[0, 1, 2, 10, 11, 12]), r"blocks \[1\] do not follow"),
        (set_setting("mnist", num_layers=2), r"hparams\.num_layers is 2, but its tensors have 1 encoder blocks"),
        (set_setting("mnist", ds_image_size=50), r"image size 50 is not a multiple of the patch size 16"),
        (set_setting("mnist", opt_lr=-1), r"line 5: hparams\.opt_lr is '-1', it should be a number above 0"),
        (set_setting("mnist", opt_lr_schedule="cosin"), r"hparams\.opt_lr_schedule is 'cosin', it should be one of"),
        (set_setting("mnist", opt_nesterov="maybe"), r"hparams\.opt_nesterov is 'maybe', it should be True or False"),
        (set_setting("mnist", _mu_=7), r"hparams\._mu_ is '7', it should be a probability"),
        (set_path("mnist", parent=77), r"path 6 of task mnist.*its ancestor 77 is neither in population\.csv nor"),
        (set_path("mnist", parent=6), r"goes in a circle at 6"),
        (lambda s: (set_path("mnist", parent=3)(s), set_path("emnist/digits", parent=6)(s)), r"goes in a circle"),
        (set_path("mnist", id=3), r"path 3 of task mnist.*is there twice"),
        (lambda s: s.population.pop(0), r"has no root model"),
        (lambda s: s.population.__delitem__(slice(1, None)), r"has a root but no task"),
        (lambda s: s.momentum.__setitem__(11, {"scale": DRAW.array(WIDTH)}), r"opt_state:encoder_norm:11 has no bias"),
        (set_metric(quality=1.5), r"metrics\.quality is '1\.5', it should be the validation accuracy"),
        (set_metric(quality="high"), r"metrics\.quality is 'high', it should be a number"),
        (set_metric(evals="[0.1"), r"metrics\.evals is '\[0\.1', it should be JSON"),
        (set_metric(offsprings_per_task='{"a": "b"}'), r"offsprings_per_task is .* count"),
    ],
)
def test_content(tmp_path: Path, change: Change, message: str):
    assert re.search(message, changed(tmp_path, change))


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        (
            "checkpoint_4_0",
            lambda data: data[:-700],
            r"checkpoint_4_0 is cut short inside 'residual_adapter_0:20': it ends at byte \d+: copy or",
        ),
        ("checkpoint_4_0", lambda data: data[:1], r"is cut short"),
        ("checkpoint_4_0", lambda data: b"", r"is empty"),
        ("checkpoint_4_0", lambda data: data + b"more", r"has 4 bytes more than the message that it holds"),
        ("checkpoint_4_0", lambda data: b"PK\x03\x04" + data, r"is no flax checkpoint: it holds no map"),
        ("checkpoint_4_0", lambda data: data.replace(b"float32", b"float64", 1), r"bytes for float64 values of shape"),
        ("checkpoint_4_0", lambda data: data.replace(b"embedding:0", b"embedding:\xff", 1), r"a name is no UTF-8"),
        (
            "checkpoint_4_0",
            lambda data: data.replace(b"embedding:0", b"embeddingX0", 1),
            r"'embeddingX0', which is not name:",
        ),
        ("checkpoint_4_0", lambda data: data.replace(b"head:12", b"head:22", 1), r"holds component 'head:22' twice"),
        ("checkpoint_4_0", lambda data: b"\xdf\xff\xff\xff\xff" + data[3:], r"is cut short"),
        ("checkpoint_4_0", lambda data: data[:3] + b"\xc1" + data[4:], r"begins nothing"),
        ("population.csv", None, r"no population\.csv"),
        ("paths.csv", None, r"no paths\.csv"),
        ("components.csv", None, r"no components\.csv"),
        ("checkpoint_4_0", None, r"no checkpoint_4_0"),
        ("population.csv", lambda data: b"", r"population\.csv is empty"),
        ("population.csv", lambda data: data.replace(b"parent_id", b"parentid"), r"no column 'parent_id'"),
        ("population.csv", lambda data: data.replace(b"components", b"parts"), r"no column 'components'"),
        (
            "population.csv",
            lambda data: data.replace(b"metrics.quality", b"metrics.qualities"),
            r"no column 'metrics\.quality'",
        ),
        ("population.csv", lambda data: data[:-30], r"population\.csv, line 5: \d+ cells under \d+ columns"),
        (
            "population.csv",
            lambda data: data.replace(b"0_1_30", b"0_x_30"),
            r"components is '0_x_30_3_31_32', it should be numbers",
        ),
        ("population.csv", lambda data: data + b"\xff\xfe", r"population\.csv is no CSV table"),
        ("components.csv", lambda data: data + b"12,cls,1,\r\n", r"name is 'cls', it should be head, as component 12"),
        (
            "components.csv",
            lambda data: data.replace(b"12,head", b"12,cls"),
            r"component 12 is head in .* and cls in the table",
        ),
    ],
)
def test_files(
    folders: dict[str, Path], tmp_path: Path, file: str, damage: Callable[[bytes], bytes] | None, message: str
):
    copy = tmp_path / "published"
    shutil.copytree(folders["mu2net"], copy)
    path = copy / "state_4_0" / file
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    assert re.search(message, refusal(copy))


def test_places(folders: dict[str, Path], tmp_path: Path):
    assert "is not there" in refusal(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    assert "holds no published system: there is no state_*/" in refusal(tmp_path / "empty")
    shutil.copytree(folders["mu2net"], tmp_path / "above" / "inner")
    assert f"but {tmp_path / 'above' / 'inner'} does: give that folder" in refusal(tmp_path / "above")
    agents = tmp_path / "agents"
    shutil.copytree(folders["mu3net"], agents)
    assert f"give the folder above them, {agents}" in refusal(agents / "Vit~mnist")
    assert f"give the folder above them, {agents}" in refusal(agents / "Vit~mnist" / "state_2_0")
    (agents / "Vit~mnist" / "state_2_0" / "published.csv").unlink()
    (agents / "Vit~mnist" / "state_2_0").rename(agents / "Vit~mnist" / "state_2_1")
    assert prepare(agents).family.tasks == ["cmaterdb/bangla", "emnist/digits"]


def test_the_newest_whole_state_is_taken(folders: dict[str, Path], tmp_path: Path):
    copy = tmp_path / "published"
    shutil.copytree(folders["mu2net"], copy)
    for name in ("state_10_0", "state_9_0", "state_11_0_tmp", "state_12_0"):
        shutil.copytree(copy / "state_4_0", copy / name)
        (copy / name / "checkpoint_4_0").rename(copy / name / f"checkpoint_{name.removeprefix('state_')}")
    (copy / "state_12_0" / "paths.csv").unlink()
    found = prepare(copy)
    assert found.state.folder.name == "state_10_0"
    assert found.notes[0] == "state_12_0 is not whole, it has no paths.csv: an older state is imported"


def test_a_component_in_two_shards(folders: dict[str, Path], tmp_path: Path):
    copy = tmp_path / "published"
    shutil.copytree(folders["mu3net"], copy)
    shard = copy / "Vit~mnist" / "state_2_0" / "checkpoint_2_0"
    write_message(shard, {"head:Vit~emnist~digits:12": Draws(1).dense(WIDTH, 5)})
    assert "component Vit~emnist~digits:12 is there twice" in refusal(copy)


def test_an_agent_whose_parent_is_gone_descends_from_the_root(folders: dict[str, Path], tmp_path: Path):
    copy = tmp_path / "published"
    shutil.copytree(folders["mu3net"], copy)
    table = copy / "Vit~mnist" / "state_2_0" / "published.csv"
    edit_rows(table, lambda row: row.update(parent_agent_id="Vit~retired", parent_id="9"))
    summary = import_published(copy, tmp_path / "fleet")
    assert "parent Vit~retired:9 of task mnist is gone: the root takes its place" in summary["notes"]
    assert munet.System.open(tmp_path / "fleet").manifest("mnist")["parent"] == summary["root"]


def test_a_parent_without_weights_is_passed_over(tmp_path: Path):
    system = small_system()
    system.path("cmaterdb/bangla").parent = 4  # a child of 2, which is a child of the root
    import_published(write_mu2net(system, tmp_path / "published"), tmp_path / "fleet")
    fleet = munet.System.open(tmp_path / "fleet")
    assert fleet.manifest("cmaterdb-bangla")["parent"] == fleet.root


def test_of_an_unfinished_iteration_the_best_model_is_taken(tmp_path: Path):
    from dataclasses import replace

    system = small_system()
    worse = replace(system.path("mnist"), id=8, score=0.1, components=[0, 1, 30, 3, 31, 32])
    system.population.append(worse)
    found = prepare(write_mu2net(system, tmp_path / "published", (4, 2)))
    assert found.notes[0] == "of mnist the population has several models: the best is imported"
    assert [model.key[1] for model in found.family.retained if model.task == "mnist"] == [6]


def test_other_sizes_than_those_saved_are_noted(tmp_path: Path):
    system = small_system()
    system.path("mnist").accounted = 1234.0
    notes = prepare(write_mu2net(system, tmp_path / "published")).notes
    assert any("accounted parameters differ from those saved with mnist 1,234" in note for note in notes)
    assert not any("differ" in note for note in prepare(write_munet(small_system(), tmp_path / "same")).notes)


def test_values_that_are_not_finite_are_refused(tmp_path: Path):
    system = small_system()
    system.components[11][1]["scale"][3] = np.nan
    with pytest.raises(InputError, match="encoder_norm:11 holds values that are infinite or no numbers"):
        import_published(write_mu2net(system, tmp_path / "published"), tmp_path / "fleet")
    assert not (tmp_path / "fleet").exists()


def test_a_row_of_history_that_cannot_be_read_costs_only_itself(tmp_path: Path):
    system = small_system()
    system.paths[1].metrics = system.paths[1].metrics | {"evals": "nothing"}
    summary = import_published(write_mu2net(system, tmp_path / "published"), tmp_path / "fleet")
    assert summary["children"] == 5
    assert "of the history 1 models are left out, the first because of" in summary["notes"][-1]


def test_names_that_our_tasks_cannot_have(tmp_path: Path):
    system = small_system()
    for path, task in zip(system.population[1:], ["private:a/b", "a b", ".a/b"], strict=True):
        path.task = task
    found = prepare(write_mu2net(system, tmp_path / "published"))
    assert list(found.names.values())[:3] == ["a-b", "a-b-2", "a-b-3"]
    assert [found.data[task]["private"] for task in ("private:a/b", "a b", ".a/b")] == [True, True, False]


def test_the_index_reads_every_kind_of_value(tmp_path: Path):
    from ml_dtypes import bfloat16

    values = {
        "a:1": {"x": np.zeros((2, 3), bfloat16), "y": np.float32(2), "z": {"n": np.zeros((0, 4), np.float32)}},
        "b:2": {"int": -70000, "big": 2**60, "small": -3, "float": 0.5, "yes": True, "no": None, "c": 1 + 2j},
        "c:3": {"list": [1, [2, "x"]], "bytes": b"abc", "text": "é" * 300, "u8": np.zeros(4, np.uint8)},
    }
    write_message(tmp_path / "file", values)
    index = read_index(tmp_path / "file")
    assert {key: sorted(arrays) for key, arrays in index.items()} == {
        "a:1": ["x", "y", "z/n"],
        "b:2": sorted(values["b:2"]),
        "c:3": ["bytes", "list", "text", "u8"],
    }
    entries = {name: (array.shape, array.dtype, array.bytes) for name, array in index["a:1"].items() if array}
    assert entries == {"x": ((2, 3), "bfloat16", 12), "y": ((), "float32", 4), "z/n": ((0, 4), "float32", 0)}
    assert all(array is None for array in index["b:2"].values())
    assert index["c:3"]["u8"] is not None


def test_momentum_without_its_component(tmp_path: Path):
    folder = write_mu2net(small_system(), tmp_path / "published")
    norm = Draws(2).norm()
    write_message(folder / "state_4_0" / "checkpoint_4_0", {"opt_state:encoder_norm:11": momentum_like(norm, 1)})
    assert "has opt_state:encoder_norm:11 but not the component that it belongs to" in refusal(folder)


def test_any_cut_is_refused_as_one(folders: dict[str, Path], tmp_path: Path):
    data = (folders["munet"] / "checkpoint_3").read_bytes()
    path = tmp_path / "checkpoint"
    for end in np.random.default_rng(3).integers(1, len(data), 60):
        path.write_bytes(data[:end])
        with pytest.raises(InputError, match="is cut short"):
            read_index(path)


def test_damage_anywhere_never_escapes_as_another_error(folders: dict[str, Path], tmp_path: Path):
    data = bytearray((folders["munet"] / "checkpoint_3").read_bytes())
    rng, refused = np.random.default_rng(4), 0
    path = tmp_path / "checkpoint"
    names = [position for position in range(len(data) - 8) if data[position : position + 7] == b"float32"]
    for position in rng.choice(names, 40):
        spoiled = bytearray(data)
        spoiled[position - int(rng.integers(0, 30))] = int(rng.integers(0, 256))
        path.write_bytes(spoiled)
        try:
            read_index(path)
        except InputError:
            refused += 1
    assert refused > 10
