"""The sources: layouts, order, columns, and one line for whatever they cannot use."""

import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.sources import open_source
from munet.tasks.sources.base import split_address

GREY = np.random.default_rng(0).integers(2, 255, (40, 6, 6), dtype=np.uint8)
LABELS = np.arange(40) % 2


def read_all(address: str) -> None:
    source = open_source(address)
    for split, count in source.counts().items():
        source.labels(split)
        list(source.items(split, 0, count))


def refused(address: str, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        read_all(address)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    for word in words:
        assert word in message, message
    return message


# addresses


def test_addresses() -> None:
    assert split_address("a/b?order=shuffled&label=x y") == ("a/b", {"order": "shuffled", "label": "x y"})
    assert split_address("what?.npz") == ("what?.npz", {})
    assert split_address("a?b?order=stored") == ("a?b", {"order": "stored"})
    refused("flowers", "did you mean 'folder:flowers'")
    refused("nzp:a", "did you mean 'npz'", "folder:, npz:, csv:, hf:, tfds:, idx:, cifar:, wds:")
    refused("npz:", "LOCATION")
    refused("npz:a?ordre=stored", "did you mean 'order'")
    refused("folder:a?order=shufled", "did you mean 'shuffled'")


def test_address_is_absolute(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_npz.parent)
    assert open_source(f"npz:{tiny_npz.name}").address == f"npz:{tiny_npz}"
    assert open_source(f"npz:{tiny_npz.name}?order=shuffled").address == f"npz:{tiny_npz}?order=shuffled"


# folder:


def make_folder(root: Path, splits: tuple[str, ...] = ("",), classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for split in splits:
        for label, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for row in range(5):
                Image.fromarray(GREY[row] // 2 + label * 100).save(folder / f"{row}.png")
    return root


def test_folder_of_classes(tiny_folder: Path) -> None:
    source = open_source(f"folder:{tiny_folder}")
    assert source.classes == ("disc", "horizontal", "vertical")
    assert source.counts() == {"train": 150}
    labels = source.labels("train")
    assert Counter(labels.tolist()) == {0: 50, 1: 50, 2: 50}
    for index in (0, 70, 149):
        file = Path(source.name("train", index))
        assert file.parent.name == source.classes[labels[index]]
        assert list(source.items("train", index, index + 1)) == [file.read_bytes()]


def test_folder_order_mixes_the_classes_and_depends_on_paths_only(tiny_folder: Path, tmp_path: Path) -> None:
    first = open_source(f"folder:{tiny_folder}").labels("train")
    assert len(set(first[:15].tolist())) == 3
    assert Counter(first[:60].tolist()).most_common()[-1][1] >= 10
    copy = shutil.copytree(tiny_folder, tmp_path / "elsewhere")
    np.testing.assert_array_equal(open_source(f"folder:{copy}").labels("train"), first)
    stored = open_source(f"folder:{tiny_folder}?order=stored").labels("train")
    assert stored.tolist() == sorted(stored.tolist())


def test_folder_with_splits(tmp_path: Path) -> None:
    source = open_source(f"folder:{make_folder(tmp_path, ('train', 'val', 'test', 'extra'))}")
    assert list(source.counts()) == ["train", "validation", "test", "extra"]
    assert source.classes == ("cat", "dog")
    assert source.name("validation", 0).startswith(f"{tmp_path}/val/")


def test_a_class_called_train_is_no_split(tmp_path: Path) -> None:
    source = open_source(f"folder:{make_folder(tmp_path, classes=('bus', 'train'))}")
    assert source.classes == ("bus", "train")
    assert source.counts() == {"train": 10}


def test_folder_leaves_other_files_out_and_looks_deep(tmp_path: Path) -> None:
    make_folder(tmp_path)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "cat" / "._0.png").write_text("left by another system")
    deeper = tmp_path / "cat" / "2024" / "may"
    deeper.mkdir(parents=True)
    Image.fromarray(GREY[0]).save(deeper / "X.PNG")
    assert open_source(f"folder:{tmp_path}").counts() == {"train": 11}


def test_folder_refusals(tmp_path: Path) -> None:
    refused(f"folder:{tmp_path / 'none'}", "there is no such folder")
    refused(f"folder:{tmp_path}", "no sub-folders")
    (tmp_path / "file").write_bytes(b"")
    refused(f"folder:{tmp_path / 'file'}", "this is a file; give the folder that holds")
    (tmp_path / "a").mkdir()
    refused(f"folder:{tmp_path}", str(tmp_path), "no image file")
    make_folder(tmp_path / "some", classes=("x", "y"))
    (tmp_path / "some" / "empty").mkdir()
    refused(f"folder:{tmp_path / 'some'}", "some/empty", "class 'empty'")
    make_folder(tmp_path / "twice", ("train", "val", "validation"))
    refused(f"folder:{tmp_path / 'twice'}", "val and validation are the same split")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_folder_without_permission(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for path in (tmp_path / "cat" / "1.png", tmp_path / "cat", tmp_path):
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            refused(f"folder:{tmp_path}", str(path), "Permission denied")
        finally:
            path.chmod(mode)


def test_a_read_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path)

    def fail(*path: Any, **how: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("munet.tasks.images.os.read", fail)
    refused(f"folder:{tmp_path}", f"{tmp_path}/", ".png: cannot be read: Permission denied")


def test_a_broken_link_is_an_unusable_image(tmp_path: Path) -> None:
    from munet.tasks.sources.base import Unusable

    (make_folder(tmp_path) / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    items = open_source(f"folder:{tmp_path}").items("train", 0, 11)
    assert [item.reason for item in items if isinstance(item, Unusable)] == [
        f"{tmp_path}/cat/gone.png: there is no such file"
    ]


# npz:


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_npz_folder(tiny_npz: Path, tmp_path: Path) -> None:
    source = open_source(f"npz:{tiny_npz}")
    assert source.counts() == {"train": 90, "validation": 30, "test": 30}
    assert source.classes == ("0", "1", "2")
    with np.load(tiny_npz / "train.npz") as stored:
        np.testing.assert_array_equal(source.labels("train"), stored["label"])
        [pixels] = source.items("train", 7, 8)
        np.testing.assert_array_equal(pixels, stored["image"][7][..., None])
    assert source.name("test", 3) == f"{tiny_npz}/test.npz image[3]"
    save(tmp_path / "train.npz", images=GREY, labels=LABELS)
    save(tmp_path / "val.npz", images=GREY[:9], labels=LABELS[:9, None])
    save(tmp_path / "statistics.npz", mean=np.zeros(3))
    (tmp_path / "meta.json").write_text(json.dumps({"classes": ["no", "yes", "never"]}))
    source = open_source(f"npz:{tmp_path}")
    assert source.counts() == {"train": 40, "validation": 9}
    assert source.classes == ("no", "yes", "never")


def test_npz_shuffled_order_is_a_fixed_permutation(tiny_npz: Path) -> None:
    stored, shuffled = (open_source(f"npz:{tiny_npz}?order={order}") for order in ("stored", "shuffled"))
    order = shuffled.order("train")
    assert sorted(order.tolist()) == list(range(90))
    assert order.tolist() != list(range(90))
    np.testing.assert_array_equal(shuffled.labels("train"), stored.labels("train")[order])
    [pixels], [same] = shuffled.items("train", 4, 5), stored.items("train", order[4], order[4] + 1)
    np.testing.assert_array_equal(pixels, same)
    assert order[:3].tolist() == [15, 39, 42], "the order is part of the format: records of tasks rely on it"


def test_npz_file(tmp_path: Path) -> None:
    arrays = {"train_images": GREY, "train_labels": LABELS, "val_images": GREY[:4], "val_labels": LABELS[:4]}
    source = open_source(f"npz:{save(tmp_path / 'a.npz', classes=np.array(['x', 'y']), **arrays)}")
    assert source.counts() == {"train": 40, "validation": 4}
    assert source.classes == ("x", "y")
    assert open_source(f"npz:{save(tmp_path / 'b.npz', image=GREY, label=LABELS)}").counts() == {"train": 40}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_npz_without_permission(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = save(tmp_path / "in" / "train.npz", image=GREY, label=LABELS)
    for path in (file, file.parent, tmp_path):
        mode = path.stat().st_mode
        path.chmod(0)
        try:
            refused(f"npz:{file.parent}", "Permission denied")
            refused(f"npz:{file}", "Permission denied")
        finally:
            path.chmod(mode)


def test_a_name_that_is_too_long() -> None:
    for scheme in ("folder", "npz", "hf"):
        refused(f"{scheme}:/{'x' * 400}", "name too long")


def test_npz_refusals(tmp_path: Path) -> None:
    file = tmp_path / "train.npz"
    refused(f"npz:{file}", "no such folder or .npz file")
    refused(f"npz:{tmp_path}", "no split found")
    for arrays, words in [
        ({"image": GREY}, ("needs the arrays image and label", "holds image")),
        ({"image": GREY, "label": LABELS[:39]}, ("40 images in 'image' but 39 labels",)),
        ({"image": GREY, "label": np.eye(2)[LABELS]}, ("argmax",)),
        ({"image": GREY[:0], "label": LABELS[:0]}, ("'label' is empty",)),
        ({"image": np.array([object()] * 40), "label": LABELS}, ("pickled objects", "'image'")),
        ({"image": GREY, "label": np.array([None] * 40)}, ("pickled objects", "'label'")),
        ({"image": GREY[:, 0], "label": LABELS}, ("(N, H, W)",)),
        ({"image": GREY[:, None], "label": LABELS}, ("channels come first",)),
        ({"image": np.ones_like(GREY), "label": LABELS}, ("holds only 0 and 1",)),
        ({"image": GREY - 500.0, "label": LABELS}, ("normalised",)),
    ]:
        assert str(file) in refused(f"npz:{save(file, **arrays).parent}", *words)
    save(file, image=GREY, label=LABELS)
    (tmp_path / "meta.json").write_text('{"classes": ["one"]}')
    refused(f"npz:{tmp_path}", "1 class names, but a label 1")
    (tmp_path / "meta.json").write_text("{")
    refused(f"npz:{tmp_path}", "meta.json", "JSON")
    save(tmp_path / "lonely.npz", train_image=GREY)
    refused(f"npz:{tmp_path / 'lonely.npz'}", "has no train_label beside it")


@pytest.mark.parametrize("length", [0, 10, 300, 900, -30])
def test_truncated_npz(tmp_path: Path, length: int) -> None:
    file = save(tmp_path / "train.npz", image=GREY, label=LABELS)
    file.write_bytes(file.read_bytes()[:length])
    refused(f"npz:{tmp_path}", str(file))


def test_damaged_npz_and_a_plain_pickle(tmp_path: Path) -> None:
    file = save(tmp_path / "train.npz", image=GREY, label=LABELS)
    content = bytearray(file.read_bytes())
    content[700] ^= 255  # in the pixels: the archive's checksum tells
    file.write_bytes(content)
    refused(f"npz:{tmp_path}", str(file), "damaged")
    file.write_bytes(b"\x80\x04N.")
    refused(f"npz:{tmp_path}", str(file), "not a numpy archive")


# hf:


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)  # pyright: ignore[reportAttributeAccessIssue]
    return datasets


def table(datasets: Any, rows: int, **columns: Any) -> Any:
    given = {"image": (datasets.Image(), [Image.fromarray(GREY[row]) for row in range(rows)])} | columns
    features = datasets.Features({name: feature for name, (feature, _) in given.items()})
    return datasets.Dataset.from_dict({name: values for name, (_, values) in given.items()}, features=features)


def test_hf_parquet(hub: Any, tmp_path: Path) -> None:
    label = hub.ClassLabel(names=["no", "yes"])
    for split, rows in {"train": 40, "test": 8}.items():
        file = tmp_path / "set" / "data" / f"{split}-00000-of-00001.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        table(hub, rows, label=(label, LABELS[:rows].tolist())).to_parquet(file)
    source = open_source(f"hf:{tmp_path / 'set'}")
    assert source.counts() == {"train": 40, "test": 8}
    assert source.classes == ("no", "yes")
    np.testing.assert_array_equal(source.labels("train"), LABELS)
    from munet.tasks.images import decode_image

    for row, item in enumerate(source.items("train", 0, 40)):
        np.testing.assert_array_equal(decode_image(item), GREY[row][..., None])
    assert open_source(f"hf:{file}").counts() == {"train": 8}  # pyright: ignore[reportPossiblyUnboundVariable]
    refused(f"hf:{tmp_path / 'set'}?label=labl", "no column 'labl'", "did you mean 'label'")


def test_hf_saved_to_disk_with_two_kinds_of_label(hub: Any, tmp_path: Path) -> None:
    names = hub.ClassLabel(names=["a", "b"])
    columns = {"fine": (names, LABELS.tolist()), "coarse": (names, (1 - LABELS).tolist())}
    hub.DatasetDict({"train": table(hub, 40, **columns)}).save_to_disk(tmp_path / "two")
    refused(f"hf:{tmp_path / 'two'}", "several columns could be the label: fine, coarse", "?label=COLUMN")
    source = open_source(f"hf:{tmp_path / 'two'}?label=coarse&image=image")
    np.testing.assert_array_equal(source.labels("train"), 1 - LABELS)


def test_hf_names_as_labels_and_hidden_labels(hub: Any, tmp_path: Path) -> None:
    words = table(hub, 40, label=(hub.Value("string"), [("dog", "cat")[value] for value in LABELS]))
    hub.DatasetDict({"train": words}).save_to_disk(tmp_path / "words")
    source = open_source(f"hf:{tmp_path / 'words'}")
    assert source.classes == ("cat", "dog")
    np.testing.assert_array_equal(source.labels("train"), 1 - LABELS)
    whole = hub.Value("int64")
    hidden = {"train": table(hub, 40, label=(whole, LABELS.tolist())), "test": table(hub, 4, label=(whole, [-1] * 4))}
    hub.DatasetDict(hidden).save_to_disk(tmp_path / "hidden")
    refused(f"hf:{tmp_path / 'hidden'}", "test[0]: no label", "--test 'train[:10%]'")


def test_hf_image_folder(hub: Any, tiny_folder: Path) -> None:
    source = open_source(f"hf:{tiny_folder}")
    assert source.classes == ("disc", "horizontal", "vertical")
    assert source.counts() == {"train": 150}
    [item] = source.items("train", 149, 150)
    assert item in {path.read_bytes() for path in (tiny_folder / "vertical").iterdir()}


def test_hf_refusals(hub: Any, tmp_path: Path) -> None:
    refused(f"hf:{tmp_path / 'none'}", "no such file or folder")
    refused("hf:nobody/nothing", "the hub cannot be reached", "hf:nobody/nothing")
    (tmp_path / "set").mkdir()
    refused(f"hf:{tmp_path / 'set'}", "cannot be read", "data file")
    (tmp_path / "set" / "set.py").write_text("import datasets\n")
    refused(f"hf:{tmp_path / 'set'}", "dataset script", "Parquet", "convert_to_parquet")
    hub.Dataset.from_dict({"text": ["a", "b"]}).save_to_disk(tmp_path / "text")
    refused(f"hf:{tmp_path / 'text'}", "no column is the image", "one of text")


def test_hf_row_without_image(hub: Any, tmp_path: Path) -> None:
    from munet.tasks.sources.base import Unusable

    images = (hub.Image(), [Image.fromarray(GREY[0]), None])
    hub.DatasetDict({"train": table(hub, 2, image=images, label=(hub.Value("int64"), [0, 1]))}).save_to_disk(
        tmp_path / "x"
    )
    first, second = open_source(f"hf:{tmp_path / 'x'}").items("train", 0, 2)
    assert isinstance(first, bytes)
    assert isinstance(second, Unusable)
    assert "train[1]" in second.reason


# tfds:


def test_tfds_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    refused("tfds:mnist", "munet-ml[tfds]")


class StandIn:
    """As much of a TFDS builder as the source uses; `counts` is the number of prepared examples of each split."""

    def __init__(self, counts: dict[str, int], **features: Any) -> None:
        given = features or {"image": None, "label": SimpleNamespace(names=["no", "yes"])}
        splits = {name: SimpleNamespace(num_examples=count) for name, count in counts.items()}
        self.info = SimpleNamespace(features=given, splits=splits, supervised_keys=("image", "label"))
        self.data_dir = "/prepared"

    def as_data_source(self, split: str, decoders: dict[str, Any]) -> list[dict[str, Any]]:
        if split == "broken":
            raise NotImplementedError("Random access\nis not supported for file format tfrecord")
        assert list(decoders) == ["image"]
        return [{"image": b"picture %d" % row, "label": np.int64(row % 2)} for row in range(6)]


def stand_in(monkeypatch: pytest.MonkeyPatch, builder: StandIn | Exception) -> None:
    def open_builder(name: str, **options: Any) -> StandIn:
        if isinstance(builder, Exception):
            raise builder
        return builder

    module = SimpleNamespace(builder=open_builder, decode=SimpleNamespace(SkipDecoding=object))
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)


def test_tfds_with_a_stand_in_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, StandIn({"test": 6, "train": 6, "empty": 0}))
    source = open_source("tfds:digits")
    assert source.counts() == {"train": 6, "test": 6}
    assert source.classes == ("no", "yes")
    assert source.labels("train").tolist() == [0, 1, 0, 1, 0, 1]
    assert list(source.items("test", 2, 4)) == [b"picture 2", b"picture 3"]
    assert source.name("test", 2) == "tfds:digits test[2]"
    refused("tfds:digits?label=labl", "no feature 'labl'", "did you mean 'label'")


def test_tfds_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, StandIn({"train": 0}))
    refused("tfds:digits", "no prepared data in /prepared", "tfds build digits --file_format=array_record")
    stand_in(monkeypatch, StandIn({"broken": 3}))
    refused("tfds:digits", "cannot be read at random", "file_format=array_record")
    stand_in(monkeypatch, ValueError("Dataset digits\nnot found"))
    refused("tfds:digits", "cannot be opened: Dataset digits not found")
    stand_in(monkeypatch, StandIn({"train": 6}, image=None, label=SimpleNamespace()))
    with pytest.raises(InputError, match="no class label"):
        _ = open_source("tfds:digits").classes
    stand_in(monkeypatch, StandIn({"train": 6}, image=None, label=SimpleNamespace(names=["only"])))
    refused("tfds:digits", "tfds:digits train[1]: label 1, but there are 1 classes")


def test_tfds_reads_prepared_data(tmp_path: Path) -> None:
    """A real prepared set, written and read by TFDS; runs where the extra `tfds` is installed."""
    tfds = pytest.importorskip("tensorflow_datasets", reason="the extra 'tfds' is not installed")
    import io

    def png(row: int) -> io.BytesIO:
        buffer = io.BytesIO()
        Image.fromarray(GREY[row]).save(buffer, "PNG")
        buffer.seek(0)
        return buffer

    class Digits(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> Any:
            features = {
                "image": tfds.features.Image(shape=(None, None, 1)),
                "label": tfds.features.ClassLabel(names=["no", "yes"]),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=("image", "label")
            )

        def _split_generators(self, dl_manager: Any) -> Any:
            return {"train": self._generate_examples(30), "test": self._generate_examples(10)}

        def _generate_examples(self, count: int) -> Any:
            for row in range(count):
                yield row, {"image": png(row), "label": int(LABELS[row])}

    Digits(data_dir=str(tmp_path), file_format="array_record").download_and_prepare()
    assert "tensorflow" not in sys.modules
    from munet.tasks.images import decode_image

    for address in (f"tfds:{tmp_path}/digits/1.0.0", f"tfds:digits?data_dir={tmp_path}"):
        source = open_source(address)
        assert source.counts() == {"train": 30, "test": 10}
        assert source.classes == ("no", "yes")
        seen = {}
        for item, label in zip(source.items("train", 0, 30), source.labels("train"), strict=True):
            seen[decode_image(item).tobytes()] = int(label)
        assert seen == {GREY[row].tobytes(): int(LABELS[row]) for row in range(30)}
    shutil.rmtree(tmp_path / "digits" / "1.0.0")
