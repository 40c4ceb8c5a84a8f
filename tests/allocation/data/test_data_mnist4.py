"""MNIST-4, and how whole sets are read and held out."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocation_data_tools import fake_set, noise
from munet.allocation.data import Batches, load, sets
from munet.allocation.data.sets import hold_out, read_set
from munet.errors import InputError
from munet.tasks.sources.huggingface import loading


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets")
    fake_set(root / "mnist")
    return root


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the hub cannot be reached."""

    def unreachable(*_: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.delenv("MUNET_DATA", raising=False)
    monkeypatch.setattr(loading, "_load_hub", unreachable)


def test_four_tasks_of_one_array(data: Path):
    tasks = load("mnist4", data)
    assert [task.name for task in tasks] == ["mnist", "mnist-2", "mnist-rot", "mnist-rot-2"]
    assert [task.cluster for task in tasks] == ["mnist", "mnist", "mnist-rot", "mnist-rot"]
    assert {task.classes for task in tasks} == {10}
    assert len({id(examples.inputs) for task in tasks for examples in task.splits.values()}) == 1
    assert [len(tasks[0].splits[part]) for part in ("train", "validation", "test")] == [100, 20, 50]


def test_images_and_labels_are_those_of_the_files(data: Path):
    plain, again, turned, turned_again = load("mnist4", data)
    for part in ("train", "validation", "test"):
        with np.load(data / "mnist" / f"{part}.npz") as stored:
            pixels, labels = stored["image"].astype(np.float32) / 255, stored["label"]
        for task, wanted in ((plain, pixels), (again, pixels), (turned, np.rot90(pixels, 1, axes=(1, 2)))):
            inputs, targets = task.splits[part].batch(range(len(labels)))
            np.testing.assert_array_equal(inputs[:, 0].numpy(), wanted)
            np.testing.assert_array_equal(targets.numpy(), labels)
    assert turned_again.splits["test"].transform == "rot90"


def test_duplicates_are_visited_in_orders_of_their_own(data: Path):
    tasks = load("mnist4", data)
    orders = [Batches(task.splits["train"], 100, (0, task.name)).indices(0).tolist() for task in tasks]
    assert len({tuple(order) for order in orders}) == 4


def test_paper_splits_train_on_the_validation_split_too(data: Path):
    for task in load("mnist4", data, splits="paper"):
        assert {part: len(examples) for part, examples in task.splits.items()} == {"train": 120, "test": 50}
    clean, paper = (load("mnist4", data, splits=splits)[0] for splits in ("clean", "paper"))
    both = np.concatenate([clean.splits[part].targets for part in ("train", "validation")])
    np.testing.assert_array_equal(paper.splits["train"].targets, both)


def test_the_seed_changes_nothing(data: Path):
    one, other = (load("mnist4", data, seed=seed)[1].splits["train"] for seed in (0, 1))
    np.testing.assert_array_equal(one.rows, other.rows)


def test_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    rng = np.random.default_rng(0)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)})
    pixels = {"train": noise(rng, 200, 28, 28), "test": noise(rng, 20, 28, 28)}
    splits = {
        name: datasets.Dataset.from_dict(
            {"image": list(images), "label": [row % 10 for row in range(len(images))]}, features=features
        )
        for name, images in pixels.items()
    }
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "hub"))  # pyright: ignore[reportArgumentType, reportCallIssue]
    monkeypatch.setitem(sets.HUB, "mnist", f"hf:{tmp_path / 'hub'}")
    monkeypatch.delenv("MUNET_DATA", raising=False)
    task = load("mnist4")[0]
    assert [len(task.splits[part]) for part in ("train", "validation", "test")] == [190, 10, 20]
    held, _ = task.splits["validation"].batch(range(10))
    np.testing.assert_array_equal(held[:, 0].numpy(), pixels["train"][:10].astype(np.float32) / 255)


@pytest.mark.usefixtures("offline")
def test_data_that_cannot_be_had(tmp_path: Path):
    with pytest.raises(InputError) as caught:
        load("mnist4")
    assert "--data DIR or MUNET_DATA" in str(caught.value)
    assert "hub cannot be reached" in str(caught.value)
    with pytest.raises(InputError) as caught:
        load("mnist4", tmp_path)
    assert f"there is no {tmp_path / 'mnist' / 'train.npz'}" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="there is no such folder"):
        load("mnist4", tmp_path / "nowhere")


def test_the_environment_names_the_folder(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MUNET_DATA", str(data))
    assert len(load("mnist4")) == 4


def test_sets_that_are_not_what_they_should_be(tmp_path: Path):
    fake_set(tmp_path / "few" / "mnist", classes=9)
    fake_set(tmp_path / "large" / "mnist", shape=(32, 32))
    folder = fake_set(tmp_path / "part" / "mnist")
    (folder / "test.npz").unlink()
    fake_set(tmp_path / "bad" / "mnist")
    (tmp_path / "bad" / "mnist" / "train.npz").write_bytes(b"PK\3\4 cut off")
    for name, said in (
        ("few", "train has 9 classes from 0 to 8, but mnist has 10, numbered from 0"),
        ("large", "train images of 32 x 32 x 1, but mnist has 28 x 28 x 1"),
        ("part", "there is no split 'test', only train, validation"),
        ("bad", "not a numpy archive"),
    ):
        with pytest.raises(InputError) as caught:
            load("mnist4", tmp_path / name)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_images_with_nan_are_refused(tmp_path: Path):
    folder = fake_set(tmp_path / "mnist")
    images = np.random.default_rng(0).random((50, 28, 28))
    images[7, 3, 3] = np.nan
    np.savez(folder / "test.npz", image=images, label=np.arange(50) % 10)
    with pytest.raises(InputError, match=r"image\[7\]: NaN"):
        load("mnist4", tmp_path)


def test_unknown_splits(data: Path):
    with pytest.raises(InputError, match=r"splits 'papers' \(did you mean 'paper'\?\): use one of clean, paper"):
        load("mnist4", data, splits="papers")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(0, 50))
def test_held_out_rows_are_a_share_of_each_class(labels: list[int], percent: int):
    values = np.array(labels)
    rows = 1000 + np.arange(len(values))
    train, held = hold_out(rows, values, percent, "set")
    assert sorted([*train, *held]) == rows.tolist()
    for label in range(5):
        assert np.sum(values[held - 1000] == label) == round(np.sum(values == label) * percent / 100)


def test_who_is_held_out_follows_from_the_name_of_the_set():
    rows, labels = np.arange(200), np.arange(200) % 4
    first, again, other = (hold_out(rows, labels, 10, name)[1].tolist() for name in ("a", "a", "b"))
    assert first == again != other


@pytest.mark.real_data
def test_real_mnist(real_data: Path):
    clean = load("mnist4", real_data)
    assert [len(clean[3].splits[part]) for part in ("train", "validation", "test")] == [57_000, 3_000, 10_000]
    assert clean[3].splits["train"].input_shape == (1, 28, 28)
    paper = load("mnist4", real_data, splits="paper")[0]
    counts = np.bincount(paper.splits["train"].targets)
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    images = read_set("mnist", real_data, classes=10, shape=(28, 28, 1))
    contents = {part: {image.tobytes() for image in images.images[rows]} for part, rows in images.rows.items()}
    assert not contents["train"] & contents["test"]
    assert not contents["validation"] & contents["test"]
