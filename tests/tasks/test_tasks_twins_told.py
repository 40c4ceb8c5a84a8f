"""Classes that differ only in case or accents are told once, whatever the source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.tasks.record import add

LABELS = ["Ant", "ant", "bee", "Yes", "yes"] * 8
PIXELS = np.random.default_rng(0).integers(0, 255, (len(LABELS), 6, 6), dtype=np.uint8)


def _files(folder: Path) -> list[str]:
    for row, image in enumerate(PIXELS):
        Image.fromarray(image).save(folder / f"{row}.png")
    return [f"{row}.png" for row in range(len(LABELS))]


def _table(folder: Path) -> str:
    pandas.DataFrame({"file": _files(folder), "label": LABELS}).to_csv(folder / "a.csv", index=False)
    return f"csv:{folder / 'a.csv'}"


def _archive(folder: Path) -> str:
    np.savez(folder / "a.npz", image=PIXELS, label=np.array(LABELS))
    return f"npz:{folder / 'a.npz'}"


def _pattern(folder: Path) -> str:
    for row, image in enumerate(PIXELS):
        Image.fromarray(image).save(folder / f"{LABELS[row]}_{row}.png")
    return f"folder:{folder}?pattern={{class}}_*"


@pytest.mark.parametrize("write", [_table, _archive, _pattern])
def test_every_source_tells_them(tmp_path: Path, write: Callable[[Path], str]) -> None:
    told: list[str] = []
    add("t", write(tmp_path), tell=told.append)
    wanted = "'Ant' and 'ant'; 'Yes' and 'yes': these are different classes: give them one name if they are one"
    assert [note for note in told if "'ant'" in note] == [wanted]


def test_a_folder_tells_them_once(tmp_path: Path) -> None:
    for row, image in enumerate(PIXELS):
        folder = tmp_path / LABELS[row]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{row}.png")
    told: list[str] = []
    add("t", f"folder:{tmp_path}", tell=told.append)
    assert sum("'Ant' and 'ant'" in note for note in told) == 1
