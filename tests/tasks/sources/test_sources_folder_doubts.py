"""`folder:` where folders are hardly the classes: sites, masks, annotations; and the way out that the line names."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from class_folders import PIXELS, fill, message_of, product, refused_to_add
from munet.errors import InputError
from munet.tasks.record import TaskOptions, add
from munet.tasks.sources import open_source


def ways_out(message: str) -> list[str]:
    """The addresses that a message names, as a shell reads them."""
    quoted = re.findall(r"'(?:[^']|'\"'\"')*folder:[^']*(?:'\"'\"'[^']*)*'", message)
    return [shlex.split(text)[0] for text in quoted]


def test_sites_below_splits_are_refused_with_a_pattern_that_reads_the_classes(tmp_path: Path) -> None:
    sites = product(("train/A", "train/B", "test/A", "test/B"), ("benign", "malignant"))
    root = fill(tmp_path / "a", sites, 10)
    message = message_of(f"folder:{root}")
    assert f"{root}/train: A, B have the same sub-folders (benign, malignant)" in message
    assert "?pattern={split}/*/{class}/*" in message
    assert ways_out(message) == [f"folder:{root}?pattern={{split}}/*/{{class}}/**"]
    assert add("inner", ways_out(message)[0])["classes"] == ["benign", "malignant"]
    assert add("outer", f"folder:{root}?level=2")["classes"] == ["A", "B"]
    assert open_source(f"folder:{root}").classes == ("A", "B"), "a task that is there goes on"


def test_sites_behind_a_needless_level_come_with_a_pattern_too(tmp_path: Path) -> None:
    sites = product(("train/train/A", "train/train/B", "test/A", "test/B"), ("benign", "malignant"))
    root = fill(tmp_path / "a folder", sites, 10)
    read = open_source(ways_out(message_of(f"folder:{tmp_path}"))[0])
    assert (read.classes, read.counts()) == (("benign", "malignant"), {"train": 40, "test": 40})
    assert read.location == str(root)


def test_kinds_of_pictures_below_classes_of_splits(tmp_path: Path) -> None:
    kinds = product(("train/cat", "train/dog", "test/cat", "test/dog"), ("images", "depth"))
    read = open_source(ways_out(message_of(f"folder:{fill(tmp_path, kinds, 10)}"))[0])
    assert (read.classes, read.counts()) == (("cat", "dog"), {"train": 20, "test": 20})


def test_classes_of_splits_whose_sub_folders_agree_in_part_are_classes(tmp_path: Path) -> None:
    root = fill(tmp_path, (*product(("train/cat", "train/dog"), ("2019", "2020")), "train/dog/2021", "test/cat"), 10)
    assert add("pets", f"folder:{root}")["classes"] == ["cat", "dog"]


def test_splits_in_sites_come_with_the_pattern_of_the_classes_below(tmp_path: Path) -> None:
    root = fill(tmp_path, product(product(("A", "B"), ("train", "test")), ("benign", "malignant")), 10)
    message = message_of(f"folder:{root}")
    assert "?pattern=*/{split}/{class}/**' if benign, malignant are the classes" in message
    inner, outer = ways_out(message)
    read = open_source(inner)
    assert (read.classes, read.counts()) == (("benign", "malignant"), {"train": 40, "test": 40})
    assert open_source(outer).classes == ("A", "B")


def test_sites_without_splits_behind_a_needless_level_name_addresses_that_work(tmp_path: Path) -> None:
    root = fill(tmp_path / "x", product(("A", "B"), ("sick", "well")), 20)
    refused_to_add(f"folder:{tmp_path}", f"folder:{root}?level=2", f"folder:{root}?level=1")
    chosen = TaskOptions("A[20%:]", "A[:20%]", "B")
    assert add("inner", f"folder:{root}?level=2", chosen)["classes"] == ["sick", "well"]


def test_lines_of_a_copy_name_the_address_that_was_copied(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train/A", "train/B"), ("sick", "well")), 10)
    (root / "loose.png").symlink_to("train/A/sick/0_0.png")
    source = open_source(f"folder:{root}")
    source.called = (str(root), "s3://lab/photos")
    with pytest.raises(InputError) as caught:
        source.refuse_doubtful()
    assert ways_out(str(caught.value)) == ["folder:s3://lab/photos?pattern={split}/*/{class}/**"]
    assert source.notes() == ["1 image right in s3://lab/photos, in no class folder: left out"]


# masks


def add_masks(root: Path, images: str, masks: str, tail: str = "") -> None:
    """A mask for each image of a folder, called like it."""
    (root / masks).mkdir(parents=True, exist_ok=True)
    for path in sorted((root / images).rglob("*.png")):
        if tail and path.stem.endswith(tail):
            continue
        mask = root / masks / path.relative_to(root / images).with_name(f"{path.stem}{tail}.png")
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS[200 + len(list((root / masks).rglob("*.png")))] & 1).save(mask)


@pytest.mark.parametrize(
    ("images", "masks", "tail"),
    [
        ("images", "masks", ""),
        ("JPEGImages", "SegmentationClass", ""),
        ("train", "train_masks", "_mask"),
        ("ISIC_Input", "ISIC_GroundTruth", "_segmentation"),
        ("img", "labels", ""),
    ],
)
def test_a_folder_of_masks_is_no_class(tmp_path: Path, images: str, masks: str, tail: str) -> None:
    add_masks(fill(tmp_path, (images,), 20), images, masks, tail)
    refused_to_add(
        f"folder:{tmp_path}",
        f"{tmp_path}/{masks}: seems to hold masks of the images in {images}, for 20 of its 20 files are called like",
        "csv:FILE",
    )
    assert add("meant", f"folder:{tmp_path}?level=1")["classes"] == sorted((images, masks))


def test_masks_beside_images_that_have_class_folders(tmp_path: Path) -> None:
    root = fill(tmp_path / "a", ("images/cat", "images/dog"), 20)
    add_masks(root, "images", "masks")
    refused_to_add(
        f"folder:{root}", f"{root}/masks: seems to hold masks", f"read the images alone, folder:{root}/images;"
    )
    root = fill(tmp_path / "b", product(("train/images", "test/images"), ("cat", "dog")), 20)
    for split in ("train", "test"):
        add_masks(root, f"{split}/images", f"{split}/masks")
    read = open_source(ways_out(message_of(f"folder:{root}"))[0])
    assert (read.classes, read.counts()) == (("cat", "dog"), {"train": 40, "test": 40})


def test_a_folder_of_masks_beside_the_classes_can_be_left_out(tmp_path: Path) -> None:
    root = fill(tmp_path / "a", ("cat", "dog"), 20)
    for name in ("cat", "dog"):
        add_masks(root, name, "the masks (all)")
    message = message_of(f"folder:{root}")
    assert "seems to hold masks of the images in cat, dog, for 40 of its 40 files" in message
    assert add("pets", ways_out(message)[0])["classes"] == ["cat", "dog"]
    root = fill(tmp_path / "b", product(("train", "test"), ("cat", "dog")), 20)
    add_masks(root, "train/cat", "train/seg")
    read = open_source(ways_out(message_of(f"folder:{root}"))[0])
    assert (read.classes, read.counts()) == (("cat", "dog"), {"train": 40, "test": 40})


def test_people_who_wear_masks_are_classes(tmp_path: Path) -> None:
    assert add("worn", f"folder:{fill(tmp_path / 'a', ('masks', 'faces'), 20)}")["classes"] == ["faces", "masks"]
    root = fill(tmp_path / "b", ("with_mask",), 20)
    add_masks(root, "with_mask", "without_mask")  # both count from 0
    assert add("worn", f"folder:{root}")["classes"] == ["with_mask", "without_mask"]


def test_masks_in_the_folders_of_the_images_are_refused_and_can_be_left_out(tmp_path: Path) -> None:
    """The layout of BUSI: `benign (1).png`, `benign (1)_mask.png`, sometimes `benign (1)_mask_1.png`."""
    root = fill(tmp_path / "b u", ("benign", "malignant"), 20)
    for name in ("benign", "malignant"):
        add_masks(root, name, name, "_mask")
    shutil.copy(root / "benign" / "0_0_mask.png", root / "benign" / "0_0_mask_1.png")
    message = message_of(f"folder:{root}")
    assert f"{root}: 41 images seem to be masks of others, such as {root}/benign/0_0_mask.png" in message
    assert add("lumps", ways_out(message)[0])["splits"]["train"]["examples"] == 36
    assert open_source(ways_out(message)[0]).counts() == {"train": 40}
    add("meant", f"folder:{root}?level=1", TaskOptions(allow_duplicates=True))
    told = open_source(f"folder:{root}?pattern={{class}}/**").notes()
    assert told == [f"41 images seem to be masks of others, such as {root}/benign/0_0_mask.png: move them elsewhere "
                    "if they are"]  # fmt: skip


def test_a_few_masks_among_the_images_are_told(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train", "test"), ("cat", "dog")), 20)
    for tail in ("-seg", "_gt"):
        shutil.copy(root / "train" / "cat" / "0_1.png", root / "train" / "cat" / f"0_0{tail}.png")
    said: list[str] = []
    add("pets", f"folder:{root}", TaskOptions(allow_duplicates=True), tell=said.append)
    told = next(note for note in said if "masks of others" in note)
    assert told.startswith("2 images seem to be masks of others, such as ")
    assert open_source(ways_out(told)[0]).counts() == {"train": 40, "test": 40}
    (root / "train" / "cat" / "0_0.png").unlink()
    assert not any("masks" in note for note in open_source(f"folder:{root}").notes()), "files without an image"


def test_masks_in_a_folder_of_some_classes_are_told(tmp_path: Path) -> None:
    root = fill(tmp_path, ("sick/images", "well/images"), 20)
    add_masks(root, "sick/images", "sick/masks")
    message = message_of(f"folder:{root}")
    assert "20 images seem to be masks of others" in message
    assert open_source(ways_out(message)[0]).counts() == {"train": 40}
    other = fill(tmp_path / "other", product(("sick", "well"), ("scans", "masks")), 20)
    assert open_source(ways_out(message_of(f"folder:{other}"))[0]).classes == ("sick", "well")
    assert "/scans/**" in message_of(f"folder:{other}")


# annotations


def annotate(root: Path, images: str, annotations: str, suffix: str, text: str) -> None:
    for path in sorted((root / images).rglob("*.png")):
        file = (root / annotations / path.relative_to(root / images)).with_suffix(suffix)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    ("folder", "suffix", "text", "words"),
    [
        ("labels", ".txt", "0 0.5 0.5 0.25 0.25\n", " of objects, as YOLO has them."),
        ("Annotations", ".xml", "<annotation><object/></annotation>", " of objects, as Pascal VOC has them."),
        ("json", ".json", '{"shapes": []}', ". A task needs"),
    ],
)
def test_annotations_of_objects_are_no_class_to_be_removed(
    tmp_path: Path, folder: str, suffix: str, text: str, words: str
) -> None:
    root = fill(tmp_path / "a", ("images/train", "images/val"), 13)
    annotate(root, "images", folder, suffix, text)
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "list.txt").write_text("0_1\n")
    message = message_of(f"folder:{root}")
    assert (
        f"{root}/{folder}: no image, but 26 files ({suffix}) called like images: they look like annotations{words}"
        in message
    )
    assert "csv:FILE" in message
    assert "remove" not in message
    root = fill(tmp_path / "b", ("train/images", "test/images"), 6)
    for split in ("train", "test"):
        annotate(root, f"{split}/images", f"{split}/{folder}", suffix, text)
    refused_to_add(f"folder:{root}", f"{root}/test/{folder}: no image, but 6 files ({suffix})", f"annotations{words}")


def test_yolos_empty_files_are_images_without_objects(tmp_path: Path) -> None:
    annotate(fill(tmp_path, ("images",), 6), "images", "labels", ".txt", "")
    (tmp_path / "labels" / "0_3.txt").write_text("3 0.5 0.5 1 1e-1")
    refused_to_add(
        f"folder:{tmp_path}", "6 files (.txt) called like images: they look like annotations of objects, as YOLO"
    )


def test_what_a_folder_without_images_holds_is_counted_there_alone(tmp_path: Path) -> None:
    root = fill(tmp_path, product(("train", "test"), ("cat", "dog")))
    for split, count in (("train", 3), ("test", 2)):
        (root / split / "fox").mkdir()
        for number in range(count):
            (root / split / "fox" / f"note {number}.txt").write_text("to be drawn")
            (root / split / "cat" / f"note {number}.md").write_text("drawn")
    refused_to_add(
        f"folder:{root}", "test/fox: no image file of class 'fox' (there is .txt 2)", "move the folder elsewhere"
    )


# classes that are probably one


def test_all_classes_that_are_probably_one_are_told(tmp_path: Path) -> None:
    root = fill(tmp_path / "a", ("Cat", "cat", "Dog", "dog", " red fox", "red fox "), 10)
    said: list[str] = []
    add("pets", f"folder:{root}", tell=said.append)
    pairs = "' red fox' and 'red fox '; 'Cat' and 'cat'; 'Dog' and 'dog'"
    assert f"{pairs}: these are different classes: give them one name if they are one" in said
    root = fill(tmp_path / "b", ("train/red fox", "train/cat", "test/red fox ", "test/cat"))
    notes = open_source(f"folder:{root}").notes()
    assert notes == ["'red fox' and 'red fox ' are two classes: give them one name if they are one"]
