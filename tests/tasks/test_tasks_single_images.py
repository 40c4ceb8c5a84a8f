"""One image of each class, and files that `hf:` does not read: refused as what they are."""

import zipfile
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from munet.errors import InputError
from munet.tasks.record import TaskOptions, add


def _images(folder: Path, count: int) -> list[str]:
    for row, image in enumerate(np.random.default_rng(0).integers(0, 255, (count, 6, 6), dtype=np.uint8)):
        (folder / str(row)).mkdir()
        Image.fromarray(image).save(folder / str(row) / f"{row}.png")
    return [f"{row}/{row}.png" for row in range(count)]


@pytest.mark.parametrize("rare", [None, "keep"])
def test_labels_that_name_images(tmp_path: Path, rare: str | None) -> None:
    frame = {"file": _images(tmp_path, 30), "label": [f"id{row}" for row in range(30)]}
    pandas.DataFrame(frame).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match=r"each of the 30 classes has one image.* does 'label' tell which image it is"):
        add("t", f"csv:{tmp_path / 'a.csv'}", TaskOptions(rare=rare))


def test_folders_of_one_image(tmp_path: Path) -> None:
    _images(tmp_path, 3)
    with pytest.raises(InputError, match=r"each of the 3 classes has one image, .*: add images of each"):
        add("t", f"folder:{tmp_path}")


def test_some_classes_of_one_image_are_counted(tmp_path: Path) -> None:
    frame = {"file": _images(tmp_path, 30), "label": ["a", "b", "c", *["x", "y", "z"] * 9]}
    pandas.DataFrame(frame).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match=r"class 'a' has one usable image only \(so have 2 more\): add images of it"):
        add("t", f"csv:{tmp_path / 'a.csv'}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.zip", "unpack it, and folder:DIR reads folders of images, csv:FILE a table, hf:DIR Parquet files"),
        ("a.tar", "wds:{} reads shards; else unpack it"),
        ("a.csv", "csv:{} reads it as a table"),
        ("a.csv.gz", "csv:{} reads it as a table"),
        ("a.npz", "npz:{} reads it"),
        ("a.xyz", "hf: reads Parquet files, folders of them"),
    ],
)
def test_what_hf_does_not_read(
    tmp_path: Path, name: str, words: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(InputError) as caught:
        add("t", f"hf:{tmp_path / name}")
    assert str(caught.value) == f"{tmp_path / name}: this is no Parquet file: " + str(caught.value).split(": ", 2)[2]
    assert words.format(tmp_path / name) in str(caught.value)
    assert (capfd.readouterr().err, caplog.text) == ("", "")


def test_a_damaged_parquet_file_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(200))
    with pytest.raises(InputError, match="cannot be read") as caught:
        add("t", f"hf:{tmp_path / 'a.parquet'}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
