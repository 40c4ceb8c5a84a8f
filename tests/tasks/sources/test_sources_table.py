"""`csv:`: tables of file names and labels in every form that people bring, and one line for what cannot be used."""

import gzip
import json
import os
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.record import TaskOptions, add, load
from munet.tasks.sources import open_source, unpacking
from munet.tasks.sources.table.read import find_delimiter
from sources_tools import refused

NAMES = [f"{row:03d}" for row in range(40)]
LABELS = ["cat", "dog"] * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 different images in `set/images`."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 6, 6), dtype=np.uint8)
    (tmp_path / "set" / "images").mkdir(parents=True)
    for name, image in zip(NAMES, pixels, strict=True):
        Image.fromarray(image).save(tmp_path / "set" / "images" / f"{name}.png")
    return tmp_path / "set"


def write(folder: Path, name: str, head: str, rows: list[str], encoding: str = "utf-8") -> str:
    (folder / name).write_bytes("\n".join([*([head] if head else []), *rows, ""]).encode(encoding))
    return f"csv:{folder / name}"


def label_by_file(address: str) -> dict[str, str]:
    """Class of each image by the stem of its file, over all splits."""
    source = open_source(address)
    return {
        Path(source.name(split, index)).stem: source.classes[label]
        for split in source.counts()
        for index, label in enumerate(source.labels(split))
    }


EXPECTED = dict(zip(NAMES, LABELS, strict=True))
PAIRS = list(zip(NAMES, LABELS, strict=True))


@pytest.mark.parametrize(
    ("name", "head", "row", "encoding"),
    [
        ("a.csv", "image,label", "images/{0}.png,{1}", "utf-8"),
        ("a.csv", "image_id,label", "{0},{1}", "utf-8"),  # no suffix, no folder
        ("a.csv", "Label,File Name", "{1},{0}.PNG", "utf-8"),
        ("a.csv", "id;class", "{0};{1}", "utf-8-sig"),
        ("a.csv", "filename , label", '"{0}.png" , "{1}"', "utf-8"),
        ("a.csv", ",path,label", "7,/home/other/set/images/{0}.png,{1}", "utf-8"),
        ("a.csv", "path,species", "images\\{0}.png,{1}", "utf-16"),
        ("a.tsv", "name\tlabel\tcomment", "{0}.png\t{1}\tone, two", "utf-8"),
        ("a.txt", "", "images/{0}.png {1}", "utf-8"),
        ("a.txt", "", "{1}\t{0}.png\t0\t0\t5\t5", "utf-8"),
        ("a.csv", "sep=;\nid;class", "{0};{1}", "utf-8"),  # as Excel writes it
        ("a.csv", "# made by hand\n#\nid,class", "{0},{1}", "utf-8"),
        ("a.csv", "#id,class", "{0},{1}", "utf-8"),
        ("a.csv", "id,class", "{0},{1}", "utf-16-le"),  # without a mark of the encoding
        ("a.csv", "id,class", "{0},{1}", "utf-16-be"),
        ("a.csv", "id,class", "{0},{1}", "utf-32"),
        ("a.jsonl", "", '{{"file_name": "{0}.png", "category": "{1}", "width": 6}}', "utf-8"),
    ],
)
def test_tables_as_people_write_them(folder: Path, name: str, head: str, row: str, encoding: str) -> None:
    address = write(folder, name, head, [row.format(*pair) for pair in PAIRS], encoding)
    assert label_by_file(address) == EXPECTED


def test_parquet_json_and_packed_tables(folder: Path) -> None:
    frame = pandas.DataFrame({"image": [f"{name}.png" for name in NAMES], "label": LABELS})
    frame.to_parquet(folder / "a.parquet")
    (folder / "b.json").write_text(json.dumps(frame.to_dict(orient="records")))
    (folder / "c.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    frame.set_index("image").to_parquet(folder / "d.parquet")
    for name in ("a.parquet", "b.json", "c.csv.gz", "d.parquet"):
        assert label_by_file(f"csv:{folder / name}") == EXPECTED, name


def test_a_text_that_is_not_utf8_is_read_and_told(folder: Path) -> None:
    rows = [f"{name}.png;{'café' if label == 'cat' else 'thé'}" for name, label in PAIRS]
    source = open_source(write(folder, "a.csv", "image;label", rows, "cp1252"))
    assert source.classes == ("café", "thé")
    assert any("Windows-1252: save it as UTF-8 if names look wrong" in note for note in source.notes())


def test_what_was_guessed_is_told_and_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{name},{label},{'tv'[row % 2]}alid" for row, (name, label) in enumerate(PAIRS)]
    write(folder, "a.csv", "image_id,diagnosis,note", rows)
    monkeypatch.chdir(folder.parent)
    source = open_source("csv:set/a.csv?root=set/images")
    assert source.address == f"csv:{folder}/a.csv?root=images&image=image_id&label=diagnosis"
    assert source.notes() == ["images from column 'image_id', labels from column 'diagnosis'"]
    monkeypatch.chdir("/")
    again = open_source(source.address)
    assert again.notes() == []
    np.testing.assert_array_equal(again.labels("train"), source.labels("train"))


def test_splits_of_a_column(folder: Path) -> None:
    marks = ["Training"] * 30 + ["val"] * 4 + ["TEST"] * 6
    rows = [f"{name},{label},{mark}" for (name, label), mark in zip(PAIRS, marks, strict=True)]
    address = write(folder, "a.csv", "image,label,split", rows)
    assert open_source(address).counts() == {"train": 30, "validation": 4, "test": 6}
    told: list[str] = []
    record = add("animals", address, tell=told.append)
    assert [record["splits"][part]["examples"] for part in ("train", "validation", "test")] == [30, 4, 6]
    assert "splits from 'split'" in told[0]
    assert load(record, "test").images.shape == (6, 6, 6, 1)


@pytest.mark.parametrize(
    ("column", "yes", "no", "part", "rest"),
    [
        ("is_valid", "True", "False", "validation", "train"),
        ("is_training_img", "0", "1", "test", "train"),  # CUB-200
        ("Is Test", "y", "n", "test", "train"),
    ],
)
def test_a_column_that_says_yes_or_no(folder: Path, column: str, yes: str, no: str, part: str, rest: str) -> None:
    rows = [f"{name},{label},{yes if row < 10 else no}" for row, (name, label) in enumerate(PAIRS)]
    source = open_source(write(folder, "a.csv", f"image,label,{column}", rows))
    assert source.counts() == {rest: 30, part: 10}
    assert f"splits from '{column}'" in source.notes()[0]
    assert open_source(source.address).counts() == source.counts()


def test_columns_that_say_yes_or_no_of_other_things(folder: Path) -> None:
    rows = [f"{name},{label},{row % 2},{row % 3}" for row, (name, label) in enumerate(PAIRS)]
    assert open_source(write(folder, "a.csv", "image,label,is_crowd,is_valid", rows)).counts() == {"train": 40}


def test_labels_that_look_like_tags_are_told(folder: Path) -> None:
    words = ("haze", "road", "mine", "crop", "water")
    kinds = [" ".join(some) for count in (2, 3) for some in combinations(words, count)]
    rows = [f"{name},{kinds[row % 20]}" for row, name in enumerate(NAMES)]
    told = open_source(write(folder, "a.csv", "image,kind", rows)).notes()
    assert any(note.startswith("5 words make 20 classes, as if these were tags") for note in told), told


def test_a_column_of_folds(folder: Path) -> None:
    rows = [f"{name},{label},{row // 8}" for row, (name, label) in enumerate(PAIRS)]
    address = write(folder, "a.csv", "image,label,fold", rows)
    assert open_source(address).counts() == {"train": 40}
    assert open_source(f"{address}?split=fold").counts() == {f"fold_{number}": 8 for number in range(5)}
    record = add("k", f"{address}?split=fold", TaskOptions("fold_0+fold_1+fold_2", "fold_3", "fold_4"))
    assert record["splits"]["train"]["examples"] == 24


def test_tables_of_a_folder_called_after_splits(folder: Path) -> None:
    write(folder, "train.csv", "image,label", [f"{name},{label}" for name, label in PAIRS[:30]])
    write(folder, "val.csv", "image,label", [f"{name},{label}" for name, label in PAIRS[30:]])
    write(folder, "test.csv", "image", ["elsewhere"])
    write(folder, "sample_submission.csv", "image,label", ["elsewhere,cat"])
    source = open_source(f"csv:{folder}")
    assert source.counts() == {"train": 30, "validation": 10}
    assert any("1 row of test have no label" in note for note in source.notes())
    assert any("splits from the names of the tables" in note for note in source.notes())
    refused(f"csv:{folder / 'images'}", "train.csv", "csv:FILE")
    write(folder / "images", "metadata.csv", "image,label", [])
    refused(f"csv:{folder / 'images'}", "train.csv", f"csv:{folder / 'images' / 'metadata.csv'}")


def test_files_of_one_name_are_told_apart_by_split_and_class(folder: Path) -> None:
    rows = []
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            (folder / "all" / split / label).mkdir(parents=True)
            Image.new("L", (4, 4), len(rows)).save(folder / "all" / split / label / "x.png")
            rows.append(f"x.png,{label},{split}")
    source = open_source(write(folder, "a.csv", "image,label,split", rows) + "?root=all")
    for split in ("train", "test"):
        for index, label in enumerate(source.labels(split)):
            assert source.name(split, index) == str(folder / "all" / split / source.classes[label] / "x.png")
    refused(write(folder, "b.csv", "image,label", ["x.png,cat", "000.png,dog"]), "could be", "root=DIR")


def test_images_in_a_folder_beside_that_of_the_table(folder: Path) -> None:
    (folder / "annotations").mkdir()
    address = write(folder / "annotations", "a.csv", "image,label", [f"{name},{label}" for name, label in PAIRS])
    assert label_by_file(address) == EXPECTED


def test_numbers_as_classes(folder: Path) -> None:
    for cells, classes in (
        (["10", "9", "100"], ("9", "10", "100")),
        (["1.0", "2.0", "0.0"], ("0", "1", "2")),
        (["01", "1", "2"], ("01", "1", "2")),
        (["20230000", "2900000000", "5"], ("5", "20230000", "2900000000")),
        (["NA", "x", "None"], ("NA", "None", "x")),
    ):
        rows = [f"{name},{cells[row % 3]}" for row, name in enumerate(NAMES)]
        assert open_source(write(folder, "a.csv", "image,label", rows)).classes == classes
    refused(write(folder, "a.csv", "image,label", [f"{name},0.{name}" for name in NAMES]), "measures", "0.001")


def test_a_column_of_0_and_1_for_each_class(folder: Path) -> None:
    rows = [f"{name},{int(label == 'cat')}.0,{int(label == 'dog')}.0,0.0" for name, label in PAIRS]
    address = write(folder, "a.csv", "image,cat,dog,cow", rows)
    assert label_by_file(address) == EXPECTED
    assert open_source(address).classes == ("cat", "dog", "cow")
    rows[3] = f"{NAMES[3]},1.0,1.0,0.0"
    refused(write(folder, "a.csv", "image,cat,dog,cow", rows), "row 5", "cat and dog", "one label")


@pytest.mark.parametrize(
    "cells",
    [
        ["Mass|Hernia", "Mass", "Hernia"],
        ["haze primary", "haze", "primary"],
        ["a;b", "b;c", "a;c;d", "c;d", "b;d"],
    ],
)
def test_several_labels_in_one_cell_are_refused(folder: Path, cells: list[str]) -> None:
    rows = [f"{name},{cells[row % len(cells)]}" for row, name in enumerate(NAMES)]
    refused(write(folder, "a.csv", "image,labels", rows), "several labels", "one label for each image")


def test_names_of_classes_with_signs_are_no_lists(folder: Path) -> None:
    cells = ["red rose", "white rose", "Acer, red", "a|b"]
    rows = [f'{name},"{cells[row % 4]}"' for row, name in enumerate(NAMES)]
    assert open_source(write(folder, "a.csv", "image,label", rows)).classes == tuple(sorted(cells))


def test_several_labels_in_several_rows_or_in_a_list_are_refused(folder: Path) -> None:
    boxes = [f"{name},{label}" for name, label in PAIRS for _ in range(2)]
    source = open_source(write(folder, "a.csv", "image,label", boxes))
    assert source.counts() == {"train": 40}
    assert "40 rows name an image that another row names: left out" in source.notes()
    refused(write(folder, "a.csv", "image,label", [*boxes, "003,cat"]), "'cat' here", "'dog' above", "one label")
    refused(
        write(folder, "a.csv", "image,label,split", ["003,dog,train", "003,dog,test", "1,cat,train"]),
        "in test here and in train above",
    )
    lists = [json.dumps({"image": name, "label": [label, "pet"]}) for name, label in PAIRS]
    refused(write(folder, "a.jsonl", "", lists), "several labels", "['cat', 'pet']")


def test_missing_files_are_counted_and_may_be_skipped(folder: Path) -> None:
    rows = [f"{name}.png,{label}" for name, label in PAIRS] + ["gone.png,cat", "lost.png,dog"]
    address = write(folder, "a.csv", "image,label", rows)
    assert "2 of 42 files are not there, the first is 'gone.png'" in open_source(address).notes()
    options = TaskOptions("train[4:]", "train[:2]", "train[2:4]")
    with pytest.raises(InputError, match=r"a.csv row 4[23]: there is no file .*\(2 files are missing\).*--skip-bad"):
        add("pets", address, options)
    record = add("pets", address, TaskOptions("train[4:]", "train[:2]", "train[2:4]", skip_bad=True))
    assert record["skipped"] == 2
    assert sum(split["examples"] for split in record["splits"].values()) == 40
    for name in NAMES:
        (folder / "images" / f"{name}.png").unlink()
    refused(address, "none of the 42 images", "'000.png'", "root=DIR")


def test_rows_without_a_label_are_told(folder: Path) -> None:
    rows = [f"{name},{label if row % 10 else ''}" for row, (name, label) in enumerate(PAIRS)]
    source = open_source(write(folder, "a.csv", "image,label", rows))
    assert source.counts() == {"train": 36}
    assert "4 rows have no label: left out" in source.notes()


def test_the_order_mixes_the_classes_whatever_the_order_of_rows(folder: Path) -> None:
    rows = sorted((f"{name},{label}" for name, label in PAIRS), key=lambda row: row[-3:])
    source = open_source(write(folder, "a.csv", "image,label", rows))
    names = [source.name("train", index) for index in range(40)]
    assert Counter(source.labels("train")[:20].tolist())[0] in range(5, 16)
    turned = open_source(write(folder, "a.csv", "image,label", rows[::-1]))
    assert [turned.name("train", index) for index in range(40)] == names


def test_a_table_that_changed_is_seen(folder: Path) -> None:
    address = write(folder, "a.csv", "image,label", [f"{name},{label}" for name, label in PAIRS])
    record = add("pets", address)
    assert folder / "a.csv" in (open_source(address).files("train") or [])
    write(folder, "a.csv", "image,label", [f"{name},{'cat' if row % 3 else 'dog'}" for row, name in enumerate(NAMES)])
    with pytest.raises(InputError, match="changed since it was added"):
        load(record, "train")


def test_refusals(folder: Path) -> None:
    refused(f"csv:{folder / 'none.csv'}", "there is no such file")
    refused(f"csv:{folder / 'images' / '000.png'}", ".csv", ".parquet")
    (folder / "a.xlsx").write_bytes(b"PK")
    refused(f"csv:{folder / 'a.xlsx'}", "save a spreadsheet as CSV")
    refused(write(folder, "empty.csv", "", []), "empty")
    refused(write(folder, "head.csv", "image,label", []), "no rows")
    refused(write(folder, "odd.csv", "image,label", ["1,2,3,4,5"]), "odd.csv", "more fields")
    assert open_source(write(folder, "a.csv", "image,label", ["000,cat,", "001,dog,"])).counts() == {"train": 2}
    refused(write(folder, "a.csv", "image,label", ["000,cat"]) + "?label=lable", "'lable'", "did you mean 'label'")
    refused(write(folder, "a.csv", "image,width,height", ["000,1,2", "001,1,3", "002,2,3"]), "?label=COLUMN", "width")
    refused(write(folder, "a.csv", "size,label", ["1,cat"]), "?image=COLUMN")
    refused(write(folder, "a.csv", "image", ["000"]), "no column of labels")
    refused(write(folder, "a.csv", "image,label", ["000,cat"]) + "?root=nowhere", "root=nowhere")
    refused(write(folder, "a.csv", "image,label", ["https://x.org/1.jpg,cat"]), "on the network", "download")
    refused(write(folder, "a.jsonl", "", ['{"image": "000", "label": "a"}', "{"]), "line 2")
    refused(write(folder, "a.jsonl", "", ["3"]), "JSON object")
    (folder / "a.parquet").write_bytes(b"PAR1 not")
    refused(f"csv:{folder / 'a.parquet'}", "Parquet")
    (folder / "bin.csv").write_bytes(b"\0\1\2,\n")
    refused(f"csv:{folder / 'bin.csv'}", "zero bytes")
    pandas.DataFrame({"image": [b"\x89PNG"], "label": [1]}).to_parquet(folder / "b.parquet")
    refused(f"csv:{folder / 'b.parquet'}", "hf:")
    refused(write(folder, "a.csv", "image,label", [f"{'A' * 2000},cat"]), "base64")


def test_delimiters() -> None:
    assert find_delimiter(["a,b", '"x, y",2']) == ","
    assert find_delimiter(["a;b;c", "1,5;2;3"]) == ";"
    assert find_delimiter(["a b.jpg\tx", "c.jpg\ty z"]) == "\t"
    assert find_delimiter(["one", "two"]) == ","
    assert find_delimiter(["n01/a.jpg 0", "n02/b.jpg 1"]) == " "


# bounds


def test_tables_that_unpack_to_far_too_much_or_never_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_SMALL", 1 << 20)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"image,label\n" + b"\n" * (3 << 20)))
    refused(f"csv:{tmp_path}/a.csv.gz", "a.csv.gz", "not unpacked")
    pandas.DataFrame({"image": ["a.png"] * 300_000, "label": ["x"] * 300_000}).to_parquet(tmp_path / "a.parquet")
    refused(f"csv:{tmp_path}/a.parquet", "a.parquet", "not unpacked")
    for suffix in ("csv", "parquet"):
        os.mkfifo(tmp_path / f"pipe.{suffix}")
        refused(f"csv:{tmp_path}/pipe.{suffix}", "cannot be read: it is")
