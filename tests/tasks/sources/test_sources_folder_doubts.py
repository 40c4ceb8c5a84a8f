"""`folder:` where folders are hardly the classes: sites, masks, annotations; and the way out that the line names."""

import re
import shlex
from pathlib import Path

from class_folders import fill, message_of, product, refused_to_add
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
