"""Tables in JSON: rows, rows of objects, one object of files and labels; what is no table is told as what it is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.sources import open_source

FILES = [f"images/{row}.png" for row in range(12)]
LABELS = ["ant", "bee"] * 6
MAP = dict(zip(FILES, LABELS, strict=True))
NESTED = [
    {"image": {"path": file, "size": {"w": 6}}, "ann": {"label": label}, "id": row}
    for row, (file, label) in enumerate(MAP.items())
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (len(FILES), 6, 6), dtype=np.uint8)
    for file, image in zip(FILES, pixels, strict=True):
        Image.fromarray(image).save(tmp_path / file)
    return tmp_path


def found(address: str) -> dict[str, str]:
    source = open_source(address)
    labels = source.stored_labels("train").tolist()
    names = [Path(source.stored_name("train", row)) for row in range(len(labels))]
    return {f"images/{name.name}": source.classes[label] for name, label in zip(names, labels, strict=True)}


def refused(folder: Path, what: object, *words: str) -> None:
    (folder / "a.json").write_text(json.dumps(what))
    with pytest.raises(InputError) as caught:
        open_source(f"csv:{folder / 'a.json'}")
    message = str(caught.value)
    assert message.startswith(f"{folder / 'a.json'}")
    assert "\n" not in message
    assert len(message) < 500
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("indent", [None, 2])
def test_one_object_of_files_and_labels_is_a_row_for_each_pair(folder: Path, indent: int | None) -> None:
    (folder / "a.json").write_text(json.dumps(MAP, indent=indent))
    assert found(f"csv:{folder / 'a.json'}") == MAP
    assert "a.json is one object of 12 files and labels" in open_source(f"csv:{folder / 'a.json'}").notes()
    numbers = {file: row % 3 for row, file in enumerate(FILES)}
    (folder / "a.json").write_text(json.dumps(numbers))
    assert found(f"csv:{folder / 'a.json'}") == {file: str(number) for file, number in numbers.items()}


def test_a_file_that_stands_twice_in_an_object_is_not_lost(folder: Path) -> None:
    (folder / "a.json").write_text('{"images/0.png": "ant", "images/1.png": "bee", "images/0.png": "bee"}')
    with pytest.raises(InputError, match="is of class 'bee' here and of 'ant' above"):
        open_source(f"csv:{folder / 'a.json'}")


@pytest.mark.parametrize("form", ["lines", "array", "parquet"])
def test_objects_in_rows_are_columns(folder: Path, form: str) -> None:
    if form == "lines":
        (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in NESTED))
    elif form == "array":
        (folder / "a.json").write_text(json.dumps(NESTED))
    else:
        pandas.DataFrame(NESTED).to_parquet(folder / "a.parquet")
    address = f"csv:{next(folder.glob('a.*'))}"
    assert found(address) == MAP
    assert found(f"{address}?image=image.path&label=ann.label") == MAP
    with pytest.raises(InputError, match=r"one of image\.path, image\.size\.w, ann\.label, id"):
        open_source(f"{address}?label=ann")


def test_rows_of_which_some_hold_no_object(folder: Path) -> None:
    rows: list[dict[str, Any]] = [*NESTED, {"image": {"path": FILES[0]}, "ann": None}, {"image": None, "id": 4}]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert found(f"csv:{folder / 'a.jsonl'}?image=image.path&label=ann.label") == MAP


COCO = {
    "images": [{"id": row, "file_name": file} for row, file in enumerate(FILES)],
    "annotations": [{"image_id": row, "category_id": 1, "bbox": [0, 0, 2, 2]} for row in range(12)],
    "categories": [{"id": 1, "name": "ant"}],
}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (COCO, ("this is COCO", "one class for each image", '{"image": "1.jpg", "label": "a"}', ".jsonl")),
        ({"ant": FILES[::2], "bee": FILES[1::2]}, ("one object of lists (ant, bee), not rows", ".jsonl")),
        ({"image": FILES, "label": LABELS}, ("one object of lists (image, label), not rows",)),
        ({file: {"label": label} for file, label in MAP.items()}, ("one object of objects (images/0.png, images/1",)),
        ([FILES, LABELS], ("row 1: must be a JSON object",)),
        ([{"image": file, "label": {"a": 1} if file == FILES[0] else "b"} for file in FILES], ("holds objects ({'a'",)),
    ],
)
def test_json_that_is_no_table_is_told_as_what_it_is(folder: Path, what: object, words: tuple[str, ...]) -> None:
    refused(folder, what, *words)


def test_what_is_no_json_names_its_line(folder: Path) -> None:
    (folder / "a.jsonl").write_text('{"image": "images/0.png", "label": "ant"}\n{"image": \n')
    with pytest.raises(InputError, match="line 2: cannot be read as a JSON object"):
        open_source(f"csv:{folder / 'a.jsonl'}")
