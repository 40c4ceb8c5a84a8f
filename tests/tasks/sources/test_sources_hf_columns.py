"""What columns of Hugging Face sets hold as labels and as images: read rightly, unusable rows, or one line."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from munet import tasks
from munet.errors import InputError
from munet.tasks import TaskOptions
from munet.tasks.images import decode_image
from munet.tasks.sources import open_source

PIXELS = np.random.default_rng(0).integers(2, 255, (40, 6, 6, 3), dtype=np.uint8)
LABELS = (np.arange(40) % 2).tolist()


def png(row: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(PIXELS[row]).save(held, "PNG")
    return held.getvalue()


def save(path: Path, **splits: dict[str, tuple[Any, list[Any]]]) -> str:
    """A set whose splits have columns of a type and values each; its address."""
    import datasets

    made = {}
    for split, columns in splits.items():
        rows = max(len(values) for _, values in columns.values())
        given = {"image": (datasets.Image(), [Image.fromarray(PIXELS[row]) for row in range(rows)])} | columns
        features = datasets.Features({name: feature for name, (feature, _) in given.items()})
        made[split] = datasets.Dataset.from_dict({name: values for name, (_, values) in given.items()}, features)
    datasets.DatasetDict(made).save_to_disk(path)
    return f"hf:{path}"


def refused(address: str, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        tasks.add("odd", address)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def pixels(address: str, row: int) -> np.ndarray:
    [item] = open_source(address).items("train", row, row + 1)
    assert isinstance(item, bytes | np.ndarray)
    return decode_image(item)


# labels


def test_splits_that_order_their_names_otherwise_are_joined_by_name(tmp_path: Path) -> None:
    import datasets

    train = {"label": (datasets.ClassLabel(names=["cat", "dog"]), LABELS)}
    test = {"label": (datasets.ClassLabel(names=["bird", "dog", "cat"]), [2, 1, 0])}
    source = open_source(save(tmp_path / "set", train=train, test=test))
    assert source.classes == ("cat", "dog", "bird")
    assert source.labels("train").tolist() == LABELS
    assert source.labels("test").tolist() == [0, 1, 2]
    assert any("joined by name" in note for note in source.notes())


def test_whole_numbers_are_numbered_by_value(tmp_path: Path) -> None:
    import datasets

    values = [(20_230_000, 2_900_000_000)[label] for label in LABELS]
    source = open_source(save(tmp_path / "set", train={"label": (datasets.Value("int64"), values)}))
    assert source.classes == ("20230000", "2900000000")
    assert source.labels("train").tolist() == LABELS
    floats = {"label": (datasets.Value("float32"), [float(value * 3) for value in LABELS])}
    assert open_source(save(tmp_path / "floats", train=floats)).classes == ("0", "3")


def test_numbers_with_gaps_in_an_older_record_stay_what_they_were(tmp_path: Path) -> None:
    import datasets

    values = [(1, 3)[label] for label in LABELS]
    address = save(tmp_path / "set", train={"label": (datasets.Value("int64"), values)})
    record = tasks.add("digits", address)
    assert record["classes"] == ["1", "3"]
    before = record | {"classes": ["0", "1", "2", "3"]}
    loaded = tasks.load(before, "train", allow_changed=True)  # type: ignore[arg-type]
    assert set(loaded.labels.tolist()) == {1, 3}
    with pytest.raises(InputError, match="no longer those"):
        tasks.load(record | {"classes": ["0", "1", "2"]}, "train")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", ["cat" if label else "dog" for label in LABELS]),
        ("int64", LABELS),
        ("names", LABELS),
        ("float64", [float(label) for label in LABELS]),
    ],
)
@pytest.mark.parametrize("row", [0, 20])
def test_rows_without_a_label_are_unusable_and_counted(tmp_path: Path, kind: str, values: list[Any], row: int) -> None:
    import datasets

    feature = datasets.ClassLabel(names=["a", "b"]) if kind == "names" else datasets.Value(kind)
    lacking = [*values[:row], None, *values[row + 1 :]]
    address = save(tmp_path / "set", train={"label": (feature, lacking)})
    refused(address, f"train[{row}]: no label", "--skip-bad")
    record = tasks.add("odd", address, TaskOptions(skip_bad=True))
    assert record["skipped"] == 1
    assert sum(split["examples"] for split in record["splits"].values()) == 39
    assert len(record["classes"]) == 2
    assert len(tasks.load(record, "train").labels) == record["splits"]["train"]["examples"]


def test_an_empty_name_is_no_class(tmp_path: Path) -> None:
    import datasets

    values = ["", *("cat" if label else "dog" for label in LABELS[1:])]
    source = open_source(save(tmp_path / "set", train={"label": (datasets.Value("string"), values)}))
    assert source.classes == ("cat", "dog")


def test_labels_that_are_no_class(tmp_path: Path) -> None:
    import datasets

    names = datasets.ClassLabel(names=["a", "b"])
    refused(
        save(tmp_path / "several", train={"label": (datasets.List(names), [[0, 1]] * 40)}), "several labels", "[0, 1]"
    )
    refused(
        save(tmp_path / "measures", train={"label": (datasets.Value("float32"), [0.5] * 40)}),
        "train[0]", "measures such as 0.5",
    )  # fmt: skip
    objects = {"label": ({"x": datasets.Value("int64")}, [{"x": 1}] * 40)}
    refused(save(tmp_path / "objects", train=objects), "objects (x), not one class")
    mixed = {"train": {"label": (names, LABELS)}, "test": {"label": (datasets.Value("int64"), LABELS)}}
    refused(save(tmp_path / "mixed", **mixed), "such as 'a', and numbers, such as 0")
    singles = save(tmp_path / "singles", train={"label": (datasets.List(names), [[label] for label in LABELS])})
    assert open_source(singles).labels("train").tolist() == LABELS


def test_a_label_outside_the_names_is_refused_when_it_is_added(tmp_path: Path) -> None:
    import datasets

    address = save(tmp_path / "set", train={"label": (datasets.Value("int64"), [*LABELS[:-1], 7])})
    stored = datasets.load_from_disk(address[3:])
    stored["train"].info.features["label"] = datasets.ClassLabel(names=["a", "b"])  # type: ignore[index]
    stored.save_to_disk(tmp_path / "lying")
    refused(f"hf:{tmp_path / 'lying'}", "train[39]: label 7, but there are 2 class names: 0 to 1")


# images


def test_images_as_arrays_lists_of_one_and_base64(tmp_path: Path) -> None:
    import datasets

    label = datasets.Value("int64"), LABELS
    arrays = datasets.Array3D((6, 6, 3), "uint8"), PIXELS.tolist()
    lists = datasets.List(datasets.Image()), [[Image.fromarray(image)] for image in PIXELS]
    for name, column in {"arrays": arrays, "lists": lists}.items():
        address = save(tmp_path / name, train={"image": column, "label": label})
        np.testing.assert_array_equal(pixels(address, 7), PIXELS[7])
    big = np.random.default_rng(1).integers(0, 255, (40, 20, 20, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(big[3]).save(held, "PNG")
    text = datasets.Value("string"), [base64.b64encode(held.getvalue()).decode()] * 40
    np.testing.assert_array_equal(pixels(save(tmp_path / "text", train={"image": text, "label": label}), 3), big[3])


def test_a_column_of_paths_says_what_reads_it(tmp_path: Path) -> None:
    import datasets

    for row in range(40):
        (tmp_path / f"{row}.png").write_bytes(png(row))
    columns = {"image": [f"{row}.png" for row in range(40)], "label": [("cat", "dog")[label] for label in LABELS]}
    datasets.Dataset.from_dict(columns).to_parquet(tmp_path / "table.parquet")
    refused(f"hf:{tmp_path}/table.parquet", "paths such as '0.png'", f"csv:{tmp_path}/table.parquet reads them")
    assert open_source(f"csv:{tmp_path}/table.parquet").classes == ("cat", "dog")
    numbered = {**columns, "label": list(LABELS)}
    features = datasets.Features({"image": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    datasets.Dataset.from_dict(numbered, features=features).to_parquet(tmp_path / "numbered.parquet")
    assert open_source(f"csv:{tmp_path}/numbered.parquet").classes == ("no", "yes")
    (tmp_path / "lines").mkdir()
    datasets.Dataset.from_dict(columns).to_json(tmp_path / "lines" / "train.jsonl")
    refused(f"hf:{tmp_path}/lines", f"csv:{tmp_path}/lines/train.jsonl reads them")


def test_several_images_for_an_example(tmp_path: Path) -> None:
    import datasets

    pairs = datasets.List(datasets.Image()), [[Image.fromarray(PIXELS[0])] * 2] * 40
    address = save(tmp_path / "set", train={"image": pairs, "label": (datasets.Value("int64"), LABELS)})
    refused(address, "'image' holds 2 images for an example")


def test_flat_numbers_come_with_a_conversion_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    flat = datasets.List(datasets.Value("uint8")), PIXELS[..., 0].reshape(40, 36).tolist()
    address = save(tmp_path / "set", train={"pixels": flat, "label": (datasets.Value("int64"), LABELS)})
    with pytest.raises(InputError) as caught:
        open_source(f"{address}?image=pixels")
    found = re.search(r'python -c "(.*)", and (npz:\S+) reads them', str(caught.value))
    assert found is not None
    subprocess.run([sys.executable, "-c", found[1]], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(pixels(found[2], 5), PIXELS[5, ..., :1])


def test_shards_of_webdataset_have_a_scheme_of_their_own(tmp_path: Path) -> None:
    import datasets

    text = datasets.Value("string")
    columns = {"png": (datasets.Image(), [Image.fromarray(PIXELS[0])] * 2), "__key__": (text, ["a", "b"])}
    refused(save(tmp_path / "set", train=columns), f"WebDataset shards: wds:{tmp_path / 'set'} reads them")
