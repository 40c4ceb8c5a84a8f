"""`hf:` and `tfds:`, data sets that a library reads: splits, columns, and one line for whatever cannot be used."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.sources import open_source
from sources_tools import GREY, LABELS, refused

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
