"""`folder:` as data sets come: needless levels, copies, what is no image, every suffix, links, and names of files."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from class_folders import PIXELS, fill, refused_to_add
from munet.errors import InputError
from munet.tasks import image_files
from munet.tasks.image_files import image_suffixes
from munet.tasks.images import decode_image
from munet.tasks.record import TaskOptions, add
from munet.tasks.sources import open_source


def test_classes_that_differ_in_case_are_told(tmp_path: Path) -> None:
    notes = open_source(f"folder:{fill(tmp_path, ('Daisy', 'daisy', 'rose'))}").notes()
    assert notes == ["'Daisy' and 'daisy' are two classes: give them one name if they are one"]


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK")
    refused_to_add(f"folder:{tmp_path}/photos.zip", "this is a file; unpack it")


def test_a_copy_of_all_among_the_classes_is_refused(tmp_path: Path) -> None:
    root = fill(tmp_path, ("a", "b", "c", "all/a", "all/b", "all/c"), 20)
    refused_to_add(f"folder:{root}", "a copy of all", f"folder:{root}/all")
    assert add("inner", f"folder:{root}/all")["classes"] == ["a", "b", "c"]


def test_a_needless_level_is_stepped_through_and_told(tmp_path: Path) -> None:
    fill(tmp_path / "x" / "x", ("cat", "dog"))
    (tmp_path / "x" / "LICENSE.txt").write_text("free")
    source = open_source(f"folder:{tmp_path}")
    assert source.classes == ("cat", "dog")
    assert any(f"{tmp_path}/x/x" in note for note in source.notes())
    assert source.address == f"folder:{tmp_path}"


def test_what_systems_leave_behind_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path, ("cat", "dog", "__MACOSX/cat", "__pycache__", ".ipynb_checkpoints", "@eaDir", "cat/.thumbs"))
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"x")
    source = open_source(f"folder:{tmp_path}")
    assert source.classes == ("cat", "dog")
    assert source.counts() == {"train": 8}
    assert source.notes() == []


def test_images_outside_of_class_folders_are_told(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0]).save(fill(tmp_path, ("cat", "dog")) / "loose.png")
    assert f"1 image right in {tmp_path}, in no class folder: left out" in open_source(f"folder:{tmp_path}").notes()


def test_one_class_and_no_folders_say_the_ways_out(tmp_path: Path) -> None:
    fill(tmp_path, ("images",))
    (tmp_path / "labels.csv").write_text("image,label\n")
    refused_to_add(f"folder:{tmp_path}", "class 'images'", "pattern={class}_*", f"csv:{tmp_path}/labels.csv")
    refused_to_add(f"folder:{tmp_path}/images", "no sub-folders", "pattern={class}_*")


@pytest.mark.parametrize(
    ("file", "way_out"),
    [("train/labels.csv", "csv:{0}/labels.csv"), ("train/a.arrow", "hf:{0}"), ("train/x.npz", "npz:{0}")],
)
def test_what_reads_the_files_of_the_only_folder_is_said(tmp_path: Path, file: str, way_out: str) -> None:
    fill(tmp_path, ("train",))
    (tmp_path / file).write_bytes(b"image,label\n")
    refused_to_add(f"folder:{tmp_path}", f"({way_out.format(tmp_path / 'train')} reads the ")


def test_what_reads_a_folder_without_images_is_said(tmp_path: Path) -> None:
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "data" / "train.parquet").write_bytes(b"PAR1")
    refused_to_add(f"folder:{tmp_path}/set", "there is .parquet 1", f"hf:{tmp_path}/set/data reads the files")


# suffixes and links


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jfif", "JPEG"), ("a.JPE", "JPEG"), ("a.jp2", "JPEG2000"), ("a.tga", "TGA"), ("a.apng", "PNG"),
        ("a.dib", "DIB"), ("a.qoi", "QOI"), ("a.ico", "ICO"), ("a.pnm", "PPM"), ("plain", "PNG"),
        ("a.mpo", "MPO"), ("a.sgi", "SGI"),
    ],
)  # fmt: skip
def test_every_suffix_of_pillow(tmp_path: Path, name: str, kind: str) -> None:
    fill(tmp_path, ("cat", "dog"))
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / "cat" / name, kind)
    source = open_source(f"folder:{tmp_path}")
    assert source.counts() == {"train": 9}
    index = [source.name("train", index) for index in range(9)].index(str(tmp_path / "cat" / name))
    assert decode_image(next(iter(source.items("train", index, index + 1)))).shape[:2] == (16, 16)


def test_what_is_no_image_is_told_by_suffix(tmp_path: Path) -> None:
    fill(tmp_path, ("cat", "dog"))
    for name in ("a.txt", "b.txt", "c.pdf", "README"):
        (tmp_path / "cat" / name).write_text("words")
    assert "left out 4 files: .txt 2, no suffix 1, .pdf 1" in open_source(f"folder:{tmp_path}").notes()
    assert not {".pdf", ".eps", ".h5", ".mpg"} & image_suffixes()


def test_heic_without_its_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    (fill(tmp_path, ("cat", "dog")) / "cat" / "IMG_1.HEIC").write_bytes(head)
    plain = image_suffixes() - set(image_files.HEIF_SUFFIXES)
    monkeypatch.setattr(image_files, "image_suffixes", lambda: plain)
    assert "left out 1 file: .HEIC 1 (install pillow-heif)" in open_source(f"folder:{tmp_path}").notes()
    monkeypatch.setattr("munet.tasks.images.register_heif", lambda: False)
    with pytest.raises(InputError, match="a HEIC image: `pip install pillow-heif`"):
        decode_image(head, name="x")


def test_heic_with_its_library(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    image = np.full((16, 24, 3), 200, np.uint8)
    heif.from_pillow(Image.fromarray(image)).save(fill(tmp_path, ("cat", "dog")) / "cat" / "IMG_1.HEIC")
    assert open_source(f"folder:{tmp_path}").counts() == {"train": 9}
    np.testing.assert_allclose(decode_image(tmp_path / "cat" / "IMG_1.HEIC"), image, atol=4)


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    store = fill(tmp_path / "store", ("cat", "more"))
    root = fill(tmp_path / "set", ("dog",))
    (root / "cat").symlink_to(store / "cat")
    (root / "dog" / "more").symlink_to(store / "more")
    (root / "dog" / "loop").symlink_to(root)
    (root / "dog" / "self").symlink_to(root / "dog")
    (root / "here").symlink_to(".")
    (root / "up").symlink_to("..")
    source = open_source(f"folder:{root}")
    assert source.classes == ("cat", "dog")
    assert np.bincount(source.labels("train")).tolist() == [4, 8]


@pytest.mark.parametrize("target", ["self.png", "../cat/0_0.png/x.png", "n" * 300, "gone.png", "../cat/round.png"])
def test_a_link_that_leads_nowhere_is_one_damaged_image(tmp_path: Path, target: str) -> None:
    root = fill(tmp_path / "set", ("cat", "dog"), 20)
    (root / "dog" / "self.png").symlink_to(target)
    (root / "cat" / "round.png").symlink_to("../dog/self.png")
    (root / "none.png").symlink_to(target.replace("self", "none"))  # beside the folders
    refused_to_add(
        f"folder:{root}", ".png: there is no such file" if target == "gone.png" else "a link that leads to no"
    )
    assert add("pets", f"folder:{root}", TaskOptions(skip_bad=True))["skipped"] == 2
    more = fill(tmp_path / "more", ("fox",), 20)
    (more / "dog").mkdir()
    (more / "dog" / "all").symlink_to(root / "dog")  # the files of a linked folder are looked for elsewhere
    assert add("pets", f"folder:{more}", TaskOptions(skip_bad=True))["skipped"] == 1


def test_a_file_is_no_folder_of_images(tmp_path: Path) -> None:
    fill(tmp_path, ("cat", "dog"))
    with pytest.raises(InputError, match=r"cat/0_0\.png: this is a file; give the folder that holds a sub-folder"):
        open_source(f"folder:{tmp_path}/cat/0_0.png")


def test_a_file_that_is_there_and_in_a_linked_folder_counts_once(tmp_path: Path) -> None:
    store = fill(tmp_path / "store", ("cat",), 6)
    root = fill(tmp_path / "set", ("dog",))
    (root / "cat").mkdir()
    (root / "cat" / "z.png").symlink_to(store / "cat" / "0_0.png")
    (root / "cat" / "all").symlink_to(store / "cat")
    assert open_source(f"folder:{root}").counts() == {"train": 10}


def test_pipes_and_devices_are_no_images_and_never_opened(tmp_path: Path) -> None:
    folder = fill(tmp_path, ["a", "b"], 10) / "a"
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe")
    (folder / "zero.png").symlink_to("/dev/zero")
    source = open_source(f"folder:{tmp_path}")
    assert source.counts() == {"train": 20}
    assert source.notes() == ["left out 3 files: pipes or devices 3"]
    assert add("new", f"folder:{tmp_path}?order=stratified")["skipped"] == 0
    for path in (folder / "pipe.png", folder / "zero.png"):
        with pytest.raises(InputError, match=f"{path.name}: cannot be read: it is a pipe or device"):
            decode_image(path)


# names of files


@pytest.mark.parametrize("pattern", ["{class}_*", "{class}_*.png", r"(?P<class>.+)_\d+", "img/{class}_*"])
def test_the_class_in_the_names_of_files(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "img").mkdir()
    for row in range(8):
        Image.fromarray(PIXELS[row]).save(tmp_path / "img" / f"{['pug', 'great dane', 'shih_tzu'][row % 3]}_{row}.png")
    Image.fromarray(PIXELS[9]).save(tmp_path / "img" / "other.png")
    source = open_source(f"folder:{tmp_path}?pattern={pattern}")
    assert source.classes == ("great dane", "pug", "shih_tzu")
    assert source.counts() == {"train": 8}
    assert source.notes() == ["left out 1 image whose name does not fit the pattern, such as img/other.png"]
    assert open_source(source.address).classes == source.classes


def test_the_split_and_the_class_in_paths(tmp_path: Path) -> None:
    fill(tmp_path, ("Training/x/cat", "Training/y/dog", "Testing/x/cat"))
    source = open_source(f"folder:{tmp_path}?pattern={{split}}/*/{{class}}/*")
    assert (source.counts(), source.classes) == ({"train": 8, "test": 4}, ("cat", "dog"))
    fill(tmp_path / "in", ("animals/cat", "animals/dog", "plants/rose"))
    assert open_source(f"folder:{tmp_path / 'in'}?pattern=**/{{class}}/*").classes == ("cat", "dog", "rose")
    assert any("pattern=**/{class}/*" in note for note in open_source(f"folder:{tmp_path / 'in'}").notes())


@pytest.mark.parametrize("pattern", ["{class}.*", "{class}.*.png", "{class}.*.*"])
def test_names_with_dots(tmp_path: Path, pattern: str) -> None:
    """`cat.12.jpg`, as Kaggle's cats and dogs are called."""
    for row in range(8):
        Image.fromarray(PIXELS[row]).save(tmp_path / f"{('cat', 'dog')[row % 2]}.{row}.png")
    assert open_source(f"folder:{tmp_path}?pattern={pattern}").classes == ("cat", "dog")


def test_patterns_and_levels_that_cannot_be_used(tmp_path: Path) -> None:
    root = fill(tmp_path, ("a", "b"))
    refused_to_add(f"folder:{root}?pattern=*_x", "{class} once")
    refused_to_add(f"folder:{root}?pattern=(?P<class>[)", "not a regular expression")
    refused_to_add(f"folder:{root}?pattern={{class}}-*", "fits none of 8 images", "a/0_0.png")
    refused_to_add(f"folder:{root}/none?pattern={{class}}_*", "there is no such folder")
    refused_to_add(f"folder:{root}?level=3", "level=3", "2 where they are splits")


@pytest.mark.parametrize("odd", ["roses\udcff"])
def test_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path, odd: str) -> None:
    refused_to_add(f"folder:{fill(tmp_path, ('cat', odd), 20)}", "not UTF-8", "rename it")
