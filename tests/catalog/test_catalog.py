"""The catalog: what the papers print, where every value comes from, and what can be had here."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from munet import catalog
from munet.catalog import Task, benchmark_names, find_tasks, load_benchmark, published
from munet.errors import InputError
from munet.tasks.names import check_name
from munet.tasks.sources import open_source
from munet.tasks.splits import PARTS, parse, resolve, size

EVERY = [(name, task) for name in benchmark_names() for task in load_benchmark(name).tasks]
ALL = load_benchmark("all").tasks
MCCB_TABLE_3 = {  # muNet Table 3, as printed
    "emnist-digits": (10, "228k", "12k", "40k"),
    "emnist-letters": (37, "84.4k", "4.4k", "14.8k"),
    "kmnist": (10, "57k", "3k", "10k"),
    "mnist": (10, "57k", "3k", "10k"),
    "omniglot": (1623, "19.3k", "2.7k", "3.1k"),
    "cmaterdb-bangla": (10, "4.75k", "250", "1k"),
    "cmaterdb-devanagari": (10, "2.38k", "125", "500"),
    "cmaterdb-telugu": (10, "2.38k", "125", "500"),
    "vdd-aircraft": (100, "3.33k", "1.67k", "1.67k"),
    "vdd-daimlerpedcls": (2, "23.5k", "2.9k", "2.9k"),
    "vdd-dtd": (47, "1.9k", "940", "940"),
    "vdd-gtsrb": (43, "31.4k", "3.9k", "3.9k"),
    "vdd-imagenet12": (1000, "1.23M", "24.5k", "24.5k"),
    "vdd-omniglot": (1623, "17.8k", "3.2k", "3.2k"),
    "vdd-svhn": (10, "47.2k", "13k", "13k"),
    "vdd-ucf101": (101, "7.6k", "976", "976"),
    "vdd-vgg-flowers": (102, "1k", "510", "510"),
}


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUNET_DATA", raising=False)
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)


def test_the_papers_tasks_are_there_once_and_in_order():
    names = [task.name for task in ALL]
    assert len(set(names)) == len(names) == 124
    a, b = load_benchmark("set-a").tasks, load_benchmark("set-b").tasks
    assert (len(a), len(b)) == (69, 55)
    assert (*a, *b) == ALL
    groups = list(dict.fromkeys(task.group for task in a))
    assert groups == ["vit", "vtab-full", "vdd", "characters", "vtab-1k"]
    sizes = [sum(task.group == group for task in a) for group in groups]
    assert sizes == [3, 23, 10, 8, 25]
    assert names[:4] == ["imagenet2012", "cifar100", "cifar10", "vtab-caltech101"]
    assert (names[69], names[-1]) == ("beans", "uc-merced")


def test_the_two_benchmarks_of_munet_have_its_splits_and_sizes():
    assert len(load_benchmark("mccb").tasks) == 8
    assert len(load_benchmark("vddb").tasks) == 10
    found = {task.name: task for name in ("mccb", "vddb") for task in load_benchmark(name).tasks}
    for name, (classes, *printed) in MCCB_TABLE_3.items():
        task = found[name]
        assert task.classes == classes
        assert task.sizes is not None
        for part, text in zip(PARTS, printed, strict=True):
            assert _agrees(task.sizes[part], text), (name, part)
    assert found["cmaterdb-bangla"].splits["train"] == "train[5%:]"
    large = {task.name: task for task in load_benchmark("set-a").tasks}
    assert large["cmaterdb-bangla"].splits["train"] == "train[20%:]"
    assert large["cmaterdb-bangla"].sizes == {"train": 4000, "validation": 1000, "test": 1000}


def _agrees(count: int, printed: str) -> bool:
    """Rounded or cut off, as the table has both."""
    scale = {"k": 1e3, "M": 1e6}.get(printed[-1], 1)
    digits = printed.rstrip("kM")
    unit = scale / 10 ** len(digits.partition(".")[2])
    return abs(count - float(digits) * scale) < unit


@pytest.mark.parametrize(("benchmark", "task"), EVERY, ids=[f"{name}-{task.name}" for name, task in EVERY])
def test_every_task_is_sound_and_every_value_has_a_source(benchmark: str, task: Task):
    assert check_name(task.name) == task.name
    assert task.classes >= 2
    for splits in (task.splits, task.hf_splits or task.splits):
        assert tuple(splits) == PARTS
        for expression in splits.values():
            parse(expression)
    for accuracy in task.reference.values():
        assert accuracy is None or 0 <= accuracy <= 1
    local = task.group == "local"
    expected = {"splits", "classes"} | (set(task.addresses) if local else {"tfds"})
    expected |= {"hf"} if "hf" in task.addresses else set()
    expected |= {key for key in ("sizes", "reference", "note", "needs", "about", "stands_for") if getattr(task, key)}
    assert set(task.sources) >= expected
    assert all(len(text) > 10 for text in task.sources.values())
    assert all("{data}" not in address for scheme, address in task.addresses.items() if scheme in ("tfds", "hf"))


def test_sizes_are_what_the_expressions_select():
    """Sets with one train split: each part adds up to the same whole, so a slip in one of them shows."""
    for task in ALL:
        if task.sizes is None or task.validation_from or set(task.splits.values()) != {
            "train[10%:]", "train[5%:10%]", "train[:5%]"
        }:  # fmt: skip
            continue
        whole = sum(task.sizes.values())
        assert {part: size(resolve(task.splits[part], {"train": whole})) for part in PARTS} == task.sizes, task.name
    for task in load_benchmark("vtab-1k").tasks:
        assert task.sizes is not None
        assert (task.sizes["train"], task.sizes["validation"]) == (800, 200)


@pytest.mark.parametrize("task", ALL, ids=[task.name for task in ALL])
def test_the_papers_test_accuracies_are_whole_numbers_of_images(task: Task):
    """k of n images right, in percent and to two digits: a wrong n, or a wrongly read accuracy, would not fit."""
    accuracy = task.reference.get("test")
    if accuracy is None or task.sizes is None or task.sizes["test"] >= 4000:
        return
    count = task.sizes["test"]
    near = [k / count for k in range(math.floor(accuracy * count) - 1, math.ceil(accuracy * count) + 2)]
    assert any(abs(value - accuracy) <= 1e-4 for value in near)


def test_reported_means_are_those_of_the_tasks():
    rows = published()
    assert {row.benchmark for row in rows} == {"mccb", "vddb"}
    with_tasks = [row for row in rows if row.tasks]
    assert len(with_tasks) == 13
    for row in with_tasks:
        count = len(load_benchmark(row.benchmark).tasks)
        assert {len(values) for values in (*row.tasks.values(), *row.deviations.values())} == {count}
        assert sum(row.tasks["test"]) / count == pytest.approx(row.mean, abs=6e-4), row.method
    for row in rows:
        assert 0 < row.mean <= row.max <= 1
        assert len(row.source) > 10
    munet = {row.benchmark: row for row in rows if row.method == "munet"}
    assert (munet["mccb"].mean, munet["mccb"].core_hours, munet["vddb"].max) == (0.9141, 5.02, 0.8358)
    for benchmark, row in munet.items():
        reference = [task.reference["test"] for task in load_benchmark(benchmark).tasks]
        assert reference == pytest.approx(row.tasks["test"])


def test_the_published_methods_are_ordered_as_the_papers_say():
    rows = {row.method: row for row in published("mccb")}
    assert rows["mu2net-plus"].mean > rows["munet"].mean > rows["finetune-full"].mean
    assert rows["munet+scale=0.3"].parameters_per_task < 0.14 * rows["finetune-full"].parameters_per_task


def test_benchmarks_say_what_they_grow_from():
    for name in benchmark_names():
        one = load_benchmark(name)
        assert one.family in ("characters", "decathlon", "large", "photographs")
        assert one.image_size % (14 if one.family == "photographs" else 16) == 0, "what the root's patches divide"
        assert len(one.source) > 10
    mccb, large = load_benchmark("mccb"), load_benchmark("all")
    assert (mccb.depth, mccb.image_size, large.depth, large.image_size) == (3, 32, 24, 384)
    assert catalog.root_address(load_benchmark("vddb")) == "timm:vit_base_patch16_224.augreg_in21k"


def test_a_root_in_the_data_folder_is_found_or_missed(tmp_path: Path):
    mccb = load_benchmark("mccb")
    with pytest.raises(InputError, match="say --data DIR"):
        catalog.root_address(mccb)
    with pytest.raises(InputError, match=r"Ti_16.*is not there"):
        catalog.root_address(mccb, tmp_path)
    file = tmp_path / "Ti_16-i21k-300ep-lr_0.001-aug_light1-wd_0.1-do_0.0-sd_0.0.npz"
    file.touch()
    assert catalog.root_address(mccb, tmp_path) == f"npz:{file}"


def test_an_unknown_benchmark_is_one_line():
    with pytest.raises(InputError, match="did you mean 'mccb-local'"):
        load_benchmark("mccb-locl")


def test_tasks_are_found_by_word_benchmark_and_set():
    assert len(find_tasks(task_set="a")) == 69
    assert len(find_tasks(task_set="B")) == 55
    assert [task.name for task in find_tasks("CMATERDB", benchmark="mccb")] == [
        "cmaterdb-bangla", "cmaterdb-devanagari", "cmaterdb-telugu"
    ]  # fmt: skip
    assert {"mnist", "fashion_mnist", "emnist-digits", "kmnist10k"} <= {task.name for task in find_tasks("mnist")}
    assert find_tasks("nothing like it") == []
    with pytest.raises(InputError, match="a has 69 tasks, b has 55"):
        find_tasks(task_set="c")


def test_omniglot_says_that_it_leaks():
    for name in ("mccb", "set-a", "omniglot-forms"):
        notes = {task.name: task.note for task in load_benchmark(name).tasks}
        leaky = notes.get("omniglot") or notes["omniglot-paper"]
        assert leaky is not None
        assert leaky.startswith("LEAK: every validation and test image is in train")
    assert {t.name: t.note for t in load_benchmark("omniglot-forms").tasks}["omniglot-clean"] is None


def test_a_prepared_folder_comes_first_and_is_read_whole(tmp_path: Path):
    task = load_benchmark("mccb").tasks[3]
    (tmp_path / "mnist").mkdir()
    assert catalog.address(task, tmp_path) == "hf:ylecun/mnist"
    (tmp_path / "mnist" / "train.npz").touch()
    found = catalog.place(task, tmp_path)
    assert found.address == f"npz:{tmp_path}/mnist"
    assert found.splits == {part: part for part in PARTS}
    assert catalog.place(task, tmp_path, "hf").splits["train"] == "train[5%:]"
    with pytest.raises(InputError, match="one of tfds, hf"):
        catalog.address(task, tmp_path, "npz")


def test_the_hub_may_have_other_splits():
    task = next(task for task in load_benchmark("vtab-full").tasks if task.name == "vtab-eurosat")
    assert task.splits_at("tfds:eurosat/rgb")["test"] == "train[21600:]"
    assert task.splits_at("hf:timm/eurosat-rgb")["test"] == "test"


def test_prepared_tfds_data_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from munet.catalog import places as catalog_places

    task = load_benchmark("mccb").tasks[0]
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(catalog_places, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'munet-ml\[tfds\]'"):
        catalog.address(task)
    monkeypatch.setattr(catalog_places, "find_spec", lambda name: object())
    with pytest.raises(InputError, match="tfds build emnist/digits --file_format=array_record"):
        catalog.address(task)
    (tmp_path / "emnist" / "digits" / "3.1.0").mkdir(parents=True)
    (tmp_path / "emnist" / "digits" / "3.1.0" / "dataset_info.json").touch()
    assert catalog.address(task) == "tfds:emnist/digits"


def test_what_cannot_be_had_is_said_for_each_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    local = load_benchmark("mccb-local")
    assert [task for task, _ in catalog.unavailable(local)] == list(local.tasks)
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train.npz").touch()
    missing = {task.name: reason for task, reason in catalog.unavailable(local, tmp_path)}
    assert "mnist" not in missing
    assert missing["kmnist10k"] == f"there is no {tmp_path}/kmnist10k/train.npz"
    monkeypatch.setenv("MUNET_DATA", str(tmp_path))
    assert {task.name for task, _ in catalog.unavailable(local)} == set(missing)
    computed = {task.name: reason for task, reason in catalog.unavailable(load_benchmark("vtab-full"))}
    assert computed["vtab-clevr-count"].startswith("labels are computed: the number of objects, less 3; or prepare")
    with pytest.raises(InputError, match="there is no such folder"):
        catalog.unavailable(local, tmp_path / "nowhere")


def test_tasks_that_munet_cannot_read_say_so():
    needs = {task.name for task in ALL if task.needs}
    computed = {f"{kind}-{name}" for kind in ("vtab", "vtab1k") for name in (
        "clevr-cylinders", "clevr-count", "clevr-distance", "dsprites-x", "dsprites-orientation",
        "kitti-object-distance", "kitti-vehicles", "kitti-vehicle-distance",
    )}  # fmt: skip
    assert needs == computed | {"imagenet2012", "cifar10", "cyclegan-cityscapes"}


def test_importing_the_catalog_is_light():
    code = (
        "import sys, munet.catalog as c; c.find_tasks('a')\n"
        "assert not {'torch', 'numpy', 'datasets'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mccb-local", "decathlon-local", "omniglot-forms"])
def test_local_sets_are_what_the_catalog_says(name: str, real_data: Path):
    one = load_benchmark(name)
    assert catalog.unavailable(one, real_data) == []
    for task in one.tasks:
        source = open_source(catalog.address(task, real_data))
        assert {part: source.counts()[part] for part in PARTS} == task.sizes, task.name
        assert len(source.classes) == task.classes, task.name


@pytest.mark.real_data
def test_photographs_are_what_the_catalog_says(photos: Path):
    one = load_benchmark("photos-local")
    assert catalog.unavailable(one, photos) == []
    assert catalog.weights_file(one, photos) == photos / "dinov2_small_6blocks_fp16.safetensors"
    for task in one.tasks:
        source = open_source(catalog.address(task, photos))
        assert {part: source.counts()[part] for part in PARTS} == task.sizes, task.name
        assert len(source.classes) == task.classes, task.name


def test_weights_that_are_not_there_are_named(tmp_path: Path):
    one = load_benchmark("photos-local")
    assert catalog.weights_file(load_benchmark("mccb-local")) is None
    with pytest.raises(InputError, match=r"dinov2_small_6blocks_fp16\.safetensors: say --data DIR"):
        catalog.weights_file(one)
    with pytest.raises(InputError, match=r"is not there; docs/catalog\.md says where to get it"):
        catalog.weights_file(one, tmp_path)
    missing = {task.name: reason for task, reason in catalog.unavailable(one, tmp_path)}
    assert missing["tf_flowers"] == f"there is no {tmp_path}/tf_flowers"
    assert missing["blood_cells"] == f"there is no {tmp_path}/blood_cells/labels.csv"
