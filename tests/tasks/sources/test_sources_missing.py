"""Words for a missing label: no class where they cannot be one, told where they may be."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.tasks.record import TaskOptions, add, load
from munet.tasks.sources import open_source


def table(folder: Path, labels: Sequence[object], suffix: str = "csv") -> str:
    pixels = np.random.default_rng(0).integers(0, 255, (len(labels), 6, 6), dtype=np.uint8)
    for row, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{row}.png")
    frame = pandas.DataFrame({"file": [f"{row}.png" for row in range(len(labels))], "label": list(labels)})
    if suffix == "csv":
        frame.to_csv(folder / "a.csv", index=False)
    else:
        frame.to_json(folder / "a.jsonl", orient="records", lines=True)
    return f"csv:{folder / f'a.{suffix}'}"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("word", ["nan", "NaN", "NULL", "n/a", "#N/A", "<NA>"])
@pytest.mark.parametrize("others", [("ant", "bee"), ("0", "1"), ("1.0", "2.0")])
def test_what_programs_write_is_never_a_class(tmp_path: Path, others: tuple[str, str], word: str, suffix: str) -> None:
    source = open_source(table(tmp_path, [*others, word] * 4, suffix))
    assert source.classes == tuple(name.removesuffix(".0") for name in others)
    assert source.counts() == {"train": 8}
    assert f"'{word}' of 4 rows is taken for no label" in source.notes()
    assert "4 rows have no label: left out" in source.notes()


@pytest.mark.parametrize("word", ["None", "none", "NA"])
def test_what_may_be_a_class_is_one_beside_words_only(tmp_path: Path, word: str) -> None:
    assert open_source(table(tmp_path, ["0", "1", word] * 4)).classes == ("0", "1")
    told: list[str] = []
    record = add("t", table(tmp_path, ["ant", "bee", word] * 8), tell=told.append)
    assert set(record["classes"]) == {"ant", "bee", word}
    assert any(note.startswith(f"class '{word}' (8 images) is called as a missing label is") for note in told), told


def test_other_sources_tell_such_classes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 6, 6), dtype=np.uint8)
    for row, image in enumerate(pixels):
        folder = tmp_path / "set" / ("crack", "none")[row % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row}.png")
    told: list[str] = []
    add("t", f"folder:{tmp_path / 'set'}", tell=told.append)
    assert any(note.startswith("class 'none' (10 images) is called as") for note in told), told


def test_a_task_of_before_keeps_its_class(tmp_path: Path) -> None:
    address = table(tmp_path, ["ant", "bee", "NaN"] * 8)
    source = open_source(address)
    source.take_numbers(["NaN", "ant", "bee"])
    assert source.classes == ("NaN", "ant", "bee")
    assert source.counts() == {"train": 24}
    record = add("t", address, TaskOptions(test="train[:3]", validation="train[3:6]"))
    assert record["classes"] == ["ant", "bee"]
    assert len(load(record, "train").labels) == 10
