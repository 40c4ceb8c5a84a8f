"""Folders without images where a class should be: what they hold in place of it. Often annotations of objects."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from munet.errors import InputError
from munet.tasks.image_files import is_image, why_left_out
from munet.tasks.sources.folder.layout import Layout
from munet.tasks.sources.others import read_otherwise
from munet.tasks.sources.walk import files_below
from munet.text import counted

_BOX = re.compile(r"\d+([ \t]+-?\d+(\.\d+)?([eE][+-]?\d+)?){4,}[ \t]*(\r?\n|$)")  # class and place, as in YOLO's files
_LOOKED_AT = 20  # an image without objects has an empty file


def refuse_empty(layout: Layout, files: Mapping[str, Sequence[tuple[Path, str]]]) -> None:
    """InputError where a split or a class has no image."""
    for split, folder in layout.splits.items():
        if not files[split]:
            raise InputError(f"{folder}: no image file in any class sub-folder{_there(layout, folder)}")
    used = {name for labelled in files.values() for _, name in labelled}
    empty = [pair for folders in layout.classes.values() for pair in folders if pair[1] not in used]
    if not empty:
        return
    images = {path.stem for labelled in files.values() for path, _ in labelled}
    for folder, _ in empty:
        _refuse_annotations(folder, images)
    folder, name = empty[0]
    raise InputError(
        f"{folder}: no image file of class '{name}'{_there(layout, folder)}: add images, or move the folder elsewhere "
        "if it is no class"
    )


def listed(others: Counter[str]) -> str:
    """Files that are no images, by suffix."""
    return ", ".join(f"{suffix} {count}{why_left_out(suffix)}" for suffix, count in others.most_common(8))


def _refuse_annotations(folder: Path, images: set[str]) -> None:
    """InputError where half of the files or more are called like images: they say what is in them, and where."""
    there = list(files_below(folder))
    paired = [path for path in there if path.stem in images]
    if not paired or 2 * len(paired) < len(there):
        return
    suffix, count = Counter(path.suffix or "no suffix" for path in paired).most_common(1)[0]
    raise InputError(
        f"{folder}: no image, but {counted(count, 'file')} ({suffix}) called like images: they look like annotations"
        f"{_format(path for path in paired if path.suffix == suffix)}. A task needs one class for each image: put the "
        "images of each class in a sub-folder of its own, without annotations, or write a table of file and class and "
        "read that, csv:FILE"
    )


def _format(files: Iterable[Path]) -> str:
    """Whose annotations these are, by the first file that holds something."""
    for path, _ in zip(files, range(_LOOKED_AT), strict=False):
        try:
            with path.open("rb") as file:
                text = file.read(4096).decode(errors="replace").lstrip("\ufeff \t\r\n")
        except OSError:
            continue
        if _BOX.match(text):
            return " of objects, as YOLO has them"
        if "<annotation" in text:
            return " of objects, as Pascal VOC has them"
        if text:
            return ""
    return ""


def _there(layout: Layout, folder: Path) -> str:
    """What lies in a folder, and which source reads it, or what lies above it."""
    special: list[Path] = []
    others = Counter(path.suffix or "no suffix" for path in files_below(folder, special) if not is_image(path))
    others.update(["pipes or devices"] * len(special))
    return (f" (there is {listed(others)})" if others else "") + (read_otherwise(folder) or read_otherwise(layout.root))
