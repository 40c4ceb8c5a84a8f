"""A column that says which split each row is of: used, or told where it is not, in tables and in Parquet files."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.record import TaskOptions, add
from munet.tasks.sources import open_source

ROWS = 40
LABELS = ["ant", "bee"] * (ROWS // 2)
THIRDS = [row * 3 // ROWS for row in range(ROWS)]


def _png(row: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(np.random.default_rng(row).integers(0, 255, (6, 6), dtype=np.uint8)).save(held, "PNG")
    return held.getvalue()


def as_table(folder: Path, column: str, values: Sequence[object]) -> str:
    """`csv:` of files."""
    for row in range(ROWS):
        (folder / f"{row}.png").write_bytes(_png(row))
    frame = {"file": [f"{row}.png" for row in range(ROWS)], "label": LABELS, column: values}
    pandas.DataFrame(frame).to_csv(folder / "a.csv", index=False)
    return f"csv:{folder / 'a.csv'}"


def as_parquet(folder: Path, column: str, values: Sequence[object]) -> str:
    """`hf:` of bytes."""
    frame = {"image": [_png(row) for row in range(ROWS)], "label": LABELS, column: values}
    pandas.DataFrame(frame).to_parquet(folder / "a.parquet")
    return f"hf:{folder / 'a.parquet'}"


Write = Callable[[Path, str, Sequence[object]], str]
both = pytest.mark.parametrize("write", [as_table, as_parquet])


@both
@pytest.mark.parametrize(
    ("column", "values", "shown"),
    [
        ("split", THIRDS, "0, 1, 2"),
        ("Split", ["ABC"[third] for third in THIRDS], "A, B, C"),
        ("data_split", ["tr", "te"] * 20, "te, tr"),
        ("Fold", [row % 5 for row in range(ROWS)], "0, 1, 2, 3 and 1 more"),
        ("is_valid", THIRDS, "0, 1, 2"),
    ],
)
def test_a_column_that_is_not_used_is_told(
    tmp_path: Path, write: Write, column: str, values: list[object], shown: str
) -> None:
    address, told = write(tmp_path, column, values), list[str]()
    assert add("t", address, tell=told.append)["splits"]["train"]["examples"] == 36
    wanted = f"column '{column}' ({shown}) is not used: ?split={column} makes them splits"
    assert any(note.startswith(wanted) for note in told), told
    again = open_source(f"{address}?split={column}")
    assert sum(again.counts().values()) == ROWS
    assert len(again.counts()) == len(set(values))
    assert not any("not used" in note for note in again.notes())


@both
def test_what_is_told_works(tmp_path: Path, write: Write) -> None:
    address = write(tmp_path, "split", THIRDS)
    record = add("t", f"{address}?split=split", TaskOptions("split_0", "split_1", "split_2"))
    assert [record["splits"][part]["examples"] for part in ("train", "validation", "test")] == [14, 13, 13]


@both
@pytest.mark.parametrize("values", [["one"] * ROWS, [f"set {row}" for row in range(ROWS)]])
def test_a_column_that_can_hardly_hold_splits_is_not_told(tmp_path: Path, write: Write, values: list[object]) -> None:
    told: list[str] = []
    add("t", write(tmp_path, "dataset", values), tell=told.append)
    assert not any("not used" in note for note in told)


@both
def test_a_column_of_train_and_test_is_honoured(tmp_path: Path, write: Write) -> None:
    told: list[str] = []
    record = add("t", write(tmp_path, "split", ["train"] * 30 + ["test"] * 10), tell=told.append)
    assert record["splits"]["test"]["ranges"] == [["test", 0, 10]]
    assert record["splits"]["train"]["examples"] + record["splits"]["validation"]["examples"] == 30
    assert "split=split" in record["source"]
    assert any("splits from" in note for note in told)
    assert open_source(record["source"]).counts() == {"train": 30, "test": 10}


def test_the_rows_of_a_parquet_file_go_where_the_column_says(tmp_path: Path) -> None:
    marks = ["val", "train", "train", None] * 10
    source = open_source(f"{as_parquet(tmp_path, 'set', marks)}?split=set")
    assert source.counts() == {"train": 20, "validation": 10}
    assert source.notes() == ["10 rows name no split: left out"]
    assert list(source.items("validation", 0, 10)) == [_png(row) for row in range(0, ROWS, 4)]
    assert [source.classes[label] for label in source.labels("validation")] == LABELS[::4]


def test_a_recorded_parquet_file_stays_as_it_was_added(tmp_path: Path) -> None:
    """Before, `hf:` knew no column of splits: an address without one means all rows."""
    address = as_parquet(tmp_path, "split", ["train"] * 30 + ["test"] * 10)
    assert open_source(address).counts() == {"train": ROWS}


def test_rare_classes_and_a_column_of_splits(tmp_path: Path) -> None:
    address = as_parquet(tmp_path, "split", ["train"] * 30 + ["test"] * 10)
    record = add("t", address, TaskOptions(rare="drop"))
    assert record["splits"]["test"]["examples"] == 10
    assert open_source(record["source"]).counts() == {"train": 30, "test": 10}


@pytest.mark.parametrize(
    ("column", "words"),
    [("splt", "no column 'splt' (did you mean 'split'?): say ?split=COLUMN, one of image, label, split")],
)
def test_a_column_that_is_not_there_is_refused(tmp_path: Path, column: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(f"{as_parquet(tmp_path, 'split', THIRDS)}?split={column}")
    assert words in str(caught.value)


def test_a_set_of_several_splits_takes_no_column(tmp_path: Path) -> None:
    import datasets

    one = datasets.Dataset.from_dict({"image": [_png(0), _png(1)], "label": ["a", "b"], "split": ["train", "test"]})
    datasets.DatasetDict({"train": one, "test": one}).save_to_disk(tmp_path / "set")
    with pytest.raises(InputError) as caught:
        open_source(f"hf:{tmp_path / 'set'}?split=split")
    assert "there are the splits train, test already: leave out split=split" in str(caught.value)
