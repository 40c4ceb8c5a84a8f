"""The clusters: super-classes of CIFAR-100 from every form of it, sets without one class, who is held out."""

import pickle
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from allocation_data_tools import fake_cifar100, fake_set, noise
from munet.allocation.data import Batches, cifar100, load
from munet.allocation.data.cifar100 import SUPER_CLASSES, read_cifar100
from munet.allocation.data.pickled import read_pickled
from munet.allocation.data.resizing import bilinear
from munet.errors import InputError
from munet.tasks.sources.huggingface import loading

PARTS = ("train", "validation", "test")
CIFAR = {"train": fake_cifar100(0, 10), "test": fake_cifar100(1, 2)}


def python_2_pickle(content: dict[str, Any]) -> bytes:
    """As Python 2 wrote CIFAR-100: protocol 2, texts as bytes, an old numpy's names."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def array(value: np.ndarray) -> bytes:
        kind = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
        kind += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
        empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"\x87R"
        shape = number(value.shape[0]) + number(value.shape[1]) + b"\x86"
        return empty + b"(" + number(1) + shape + kind + b"\x89" + text(value.tobytes()) + b"tb"

    def written(value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            return array(value)
        if isinstance(value, list):
            return b"](" + b"".join(map(number, value)) + b"e"
        return text(value)

    pairs = b"".join(text(name.encode()) + written(value) for name, value in content.items())
    return b"\x80\x02}(" + pairs + b"u."


def python_3_pickle(protocol: int) -> Callable[[dict[str, Any]], bytes]:
    return lambda content: pickle.dumps(content, protocol=protocol)


def plain(part: str) -> dict[str, Any]:
    images, fine, coarse = CIFAR[part]
    data = images.transpose(0, 3, 1, 2).reshape(len(images), 3072)
    data = np.ascontiguousarray(data)
    return {"batch_label": b"1 of 1", "data": data, "fine_labels": fine.tolist(), "coarse_labels": coarse.tolist()}


def write_pickles(root: Path, write: Callable[[dict[str, Any]], bytes] = python_2_pickle) -> Path:
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        (folder / part).write_bytes(write(plain(part)))
    return folder


def write_archives(root: Path) -> None:
    (root / "cifar100").mkdir(parents=True)
    for part, (images, fine, coarse) in CIFAR.items():
        np.savez(root / "cifar100" / f"{part}.npz", image=images, fine_label=fine, coarse_label=coarse)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets")
    write_pickles(root)
    for name, shape in (("mnist", (28, 28)), ("fashion_mnist", (28, 28)), ("cifar10_small", (32, 32, 3))):
        fake_set(root / name, shape=shape)
    return root


def check_cifar(root: Path | None) -> None:
    read = read_cifar100(root)
    assert read.tests == 200
    for array, parts in zip(read[:3], zip(*CIFAR.values(), strict=True), strict=True):
        np.testing.assert_array_equal(array, np.concatenate(parts))


def test_the_pickle_that_tests_write_is_a_pickle():
    read = pickle.loads(python_2_pickle(plain("test")), encoding="bytes")  # noqa: S301 - our own
    np.testing.assert_array_equal(read[b"data"], plain("test")["data"])
    assert read[b"fine_labels"] == plain("test")["fine_labels"]


@pytest.mark.parametrize("write", [python_2_pickle, *map(python_3_pickle, (2, 3, 4))])
def test_cifar_from_pickles(tmp_path: Path, write: Callable[[dict[str, Any]], bytes]):
    write_pickles(tmp_path, write)
    check_cifar(tmp_path)


def test_cifar_from_archives(tmp_path: Path):
    write_archives(tmp_path)
    check_cifar(tmp_path)


def test_cifar_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    features = datasets.Features(
        {
            "img": datasets.Image(),
            "fine_label": datasets.ClassLabel(num_classes=100),
            "coarse_label": datasets.ClassLabel(num_classes=20),
        }
    )
    splits = {
        part: datasets.Dataset.from_dict(
            {"img": list(images), "fine_label": fine, "coarse_label": coarse}, features=features
        )
        for part, (images, fine, coarse) in CIFAR.items()
    }
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "hub"))  # pyright: ignore[reportArgumentType, reportCallIssue]
    monkeypatch.setattr(cifar100, "_HUB", f"hf:{tmp_path / 'hub'}")
    check_cifar(tmp_path)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_run(tmp_path: Path):
    folder = write_pickles(tmp_path)
    (folder / "train").write_bytes(pickle.dumps({"data": Evil(tmp_path / "touched")}))
    with pytest.raises(InputError, match=r"train: names .*, which plain data never does; it was not run"):
        read_cifar100(tmp_path)
    assert not (tmp_path / "touched").exists()
    (folder / "train").write_bytes(b"cbuiltins\neval\n(V1+1\ntR.")
    with pytest.raises(InputError, match=r"names builtins\.eval"):
        read_cifar100(tmp_path)


@pytest.mark.parametrize(
    "pickled", [b"Nr\xff\xff\xff\x7f.", b"B\xff\xff\xff\xff.", b"\x8b\xff\xff\xff\x7f.", b"Np999999999\n."]
)
def test_a_few_bytes_do_not_make_gigabytes(tmp_path: Path, pickled: bytes):
    file = tmp_path / "train"
    file.write_bytes(pickled)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="damaged"):
        read_pickled(file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < most + (64 << 10), "KiB"


def test_pickles_that_are_damaged_or_something_else(tmp_path: Path):
    file = tmp_path / "train"
    whole = python_2_pickle(plain("test"))
    floats = pickle.dumps({"data": np.zeros((2, 3072))}, protocol=2)
    objects = pickle.dumps({"data": np.array([{}, {}])}, protocol=2)
    short = whole.replace(struct.pack("<i", 200) + b"J", struct.pack("<i", 201) + b"J", 1)
    assert short != whole
    cases = [(whole[:size], "damaged") for size in (0, 1, 40, 5000, len(whole) - 1)]
    cases += [(floats, "not of bytes"), (objects, "not of bytes"), (short, "with other content")]
    cases += [(pickle.dumps([1, 2]), "holds a list, not a dictionary"), (b"\x80\x02}(U\xff", "damaged")]
    for content, said in cases:
        file.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_pickled(file)
        assert said in str(caught.value)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def _changed(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    def write(content: dict[str, Any]) -> bytes:
        changed = content | {name: change(content[name]) for name, change in changes.items()}
        return python_3_pickle(4)({name: value for name, value in changed.items() if value is not None})

    return write


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (_changed(coarse_labels=lambda _: None), "coarse_labels missing; it holds batch_label, data, fine_labels"),
        (_changed(data=lambda data: data[:, :1024]), "'data' must be an array of bytes (N, 3072)"),
        (_changed(data=lambda data: data[:-1]), "fine labels of shape"),
        (_changed(fine_labels=lambda labels: [label % 99 for label in labels]), "99 fine classes"),
        (_changed(coarse_labels=lambda labels: [label % 19 for label in labels]), "19 coarse classes"),
        (_changed(coarse_labels=lambda labels: [*labels[1:], labels[0]]), "each of the 20 must have its own 5"),
        (_changed(fine_labels=lambda labels: [str(label) for label in labels]), "a list of whole numbers"),
    ],
)
def test_what_is_not_cifar_100_is_refused(tmp_path: Path, write: Callable[[dict[str, Any]], bytes], said: str):
    write_pickles(tmp_path, write)
    with pytest.raises(InputError) as caught:
        read_cifar100(tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_cifar_100_one_line_names_the_other_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def unreachable(*_: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.delenv("MUNET_DATA", raising=False)
    monkeypatch.setattr(loading, "_load_hub", unreachable)
    for folder, said in ((tmp_path, f"there is no {tmp_path}/cifar-100-python/train"), (None, "no folder of image")):
        with pytest.raises(InputError) as caught:
            load("clusters40", folder)
        message = str(caught.value)
        assert message.startswith("CIFAR-100 cannot be had: ")
        assert said in message
        assert "the experiment 'clusters-local' does without it" in message
        assert "\n" not in message
    with pytest.raises(InputError, match=r"cifar10_small cannot be had: there is no .*cifar10_small/train\.npz"):
        load("clusters-local", tmp_path)


def test_forty_tasks(data: Path):
    tasks = load("clusters40", data)
    assert [task.classes for task in tasks] == [5] * 20 + [9] * 20
    assert [task.cluster for task in tasks] == ["cifar100"] * 20 + ["mnist"] * 10 + ["fashion_mnist"] * 10
    assert tasks[19].name == "cifar100-vehicles_2"
    assert (tasks[23].name, tasks[39].name) == ("mnist-without-3", "fashion_mnist-without-9")
    assert len({task.name for task in tasks}) == 40
    assert {task.splits["train"].input_shape for task in tasks} == {(3, 32, 32)}
    assert len({id(examples.inputs) for task in tasks for examples in task.splits.values()}) == 3
    assert {task.splits[part].augmentation for task in tasks for part in PARTS[1:]} == {""}
    assert {task.splits["train"].augmentation for task in tasks} == {"crop"}


def test_super_classes_number_their_five_classes(data: Path):
    for coarse, task in enumerate(load("clusters40", data, tasks=20)[:20]):
        fine = [label for label in range(100) if 7 * label % 20 == coarse]
        assert task.name == f"cifar100-{SUPER_CLASSES[coarse]}"
        for part, each in (("train", 9), ("validation", 1), ("test", 2)):
            assert np.bincount(task.splits[part].targets).tolist() == [each] * 5
        examples = task.splits["test"]
        images, labels, _ = CIFAR["test"]
        label = {image.tobytes(): own for image, own in zip(images, labels, strict=True)}
        assert examples.rows is not None
        assert [fine[target] for target in examples.targets] == [
            label[examples.inputs[row].tobytes()] for row in examples.rows
        ]


def test_labels_above_the_missing_class_shift_down(data: Path):
    tasks = load("clusters-local", data)
    with np.load(data / "mnist" / "test.npz") as stored:
        labels = stored["label"]
    for left_out in (0, 4, 9):
        task = tasks[10 + left_out]
        kept = labels[labels != left_out]
        assert task.name == f"mnist-without-{left_out}"
        wanted = [label - 1 if label > left_out else label for label in kept.tolist()]
        assert task.splits["test"].targets.tolist() == wanted
        assert set(wanted) == set(range(9))


def test_grey_images_are_enlarged_and_repeated(data: Path):
    task = load("clusters-local", data, tasks=1)[1]
    with np.load(data / "mnist" / "test.npz") as stored:
        kept = stored["image"][stored["label"] != 0]
    inputs, _ = task.splits["test"].batch(range(len(kept)))
    larger = torch.nn.functional.interpolate(torch.from_numpy(kept)[:, None].float(), (32, 32), mode="bilinear") / 255
    assert torch.equal(inputs[:, 0], inputs[:, 1])
    assert torch.equal(inputs[:, 0], inputs[:, 2])
    np.testing.assert_allclose(inputs[:, :1].numpy(), larger.numpy(), atol=0.51 / 255)


def test_bilinear_keeps_constants_and_sizes():
    images = np.full((3, 28, 28, 1), 77, np.uint8)
    assert (bilinear(images, 32) == 77).all()
    colours = noise(np.random.default_rng(0), 2, 32, 32, 3)
    np.testing.assert_array_equal(bilinear(colours, 32), colours)


def test_thirty_local_tasks_with_and_without_validation(data: Path):
    clean, paper = (load("clusters-local", data, splits=splits) for splits in ("clean", "paper"))
    assert [task.cluster for task in clean] == ["cifar10_small"] * 10 + ["mnist"] * 10 + ["fashion_mnist"] * 10
    assert {task.classes for task in clean} == {9}
    for task in clean:
        assert {part: len(task.splits[part]) for part in PARTS} == {"train": 99, "validation": 9, "test": 45}
    for task in paper:
        assert {part: len(examples) for part, examples in task.splits.items()} == {"train": 108, "test": 45}


def test_published_splits_of_clusters40(data: Path):
    tasks = load("clusters40", data, splits="paper", tasks=1)
    sizes = [{part: len(examples) for part, examples in task.splits.items()} for task in tasks]
    assert sizes == [{"train": 40, "validation": 10, "test": 10}, *[{"train": 108, "test": 45}] * 2]


def test_no_task_trains_on_what_another_of_its_set_is_validated_on(data: Path):
    for cluster in ("cifar10_small", "mnist", "fashion_mnist"):
        tasks = [task for task in load("clusters-local", data) if task.cluster == cluster]
        rows = {
            part: set(np.concatenate([task.splits[part].rows for task in tasks if task.splits[part].rows is not None]))  # pyright: ignore[reportArgumentType, reportCallIssue]
            for part in PARTS
        }
        assert len(rows["train"]) == 110
        assert len(rows["validation"]) == 10
        assert not rows["train"] & rows["validation"]
        assert not (rows["train"] | rows["validation"]) & rows["test"]


def test_training_batches_are_crops_of_what_the_rows_hold(data: Path):
    examples = load("clusters-local", data, tasks=1)[0].splits["train"]
    batches = Batches(examples, 32, (0, "task"))
    crops, targets = batches.of_round(5)
    images, labels = examples.batch(batches.indices(5))
    assert torch.equal(targets, labels)
    padded = torch.nn.functional.pad(images, (4, 4, 4, 4))
    for image, crop in zip(padded, crops, strict=True):
        assert any(torch.equal(image[:, y : y + 32, x : x + 32], crop) for y in range(9) for x in range(9))


def test_values_that_cannot_be(data: Path):
    with pytest.raises(InputError, match="tasks 0: keep at least 1"):
        load("clusters-local", data, tasks=0)
    with pytest.raises(InputError, match="did you mean 'clean'"):
        load("clusters40", data, splits="clear")


@pytest.mark.real_data
def test_real_local_clusters(real_data: Path):
    tasks = load("clusters-local", real_data)
    assert len(tasks) == 30
    sizes = {task.name: [len(task.splits[part]) for part in PARTS] for task in tasks}
    assert sizes["cifar10_small-without-0"] == [2_430, 270, 720]
    # 60,000 digits, 5,923 of them a 0; 980 of the 10,000 of the test
    assert sizes["mnist-without-0"] == [60_000 - 5_923 - 5_407, 5_407, 9_020]
    assert sizes["fashion_mnist-without-7"] == [48_600, 5_400, 9_000]
    for task in tasks:
        assert {int(task.splits[part].targets.max()) for part in PARTS} == {8}


@pytest.mark.real_data
def test_real_cifar_100(real_data: Path):
    if (
        not (real_data / "cifar-100-python" / "train").is_file()
        and not (real_data / "cifar100" / "train.npz").is_file()
    ):
        pytest.skip(f"no CIFAR-100 in {real_data}")
    for task in load("clusters40", real_data)[:20]:
        for part, each in zip(PARTS, (450, 50, 100), strict=True):
            assert np.bincount(task.splits[part].targets).tolist() == [each] * 5
