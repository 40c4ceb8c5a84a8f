"""Splits without class folders, whose classes a table in them says: Tiny ImageNet's `val/val_annotations.txt`."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from munet.errors import InputError
from munet.tasks.image_files import image_suffixes
from munet.tasks.sources.table.columns import choose
from munet.tasks.sources.table.paths import Finder
from munet.tasks.sources.table.read import FORMATS, read_table, suffix_of
from munet.tasks.sources.table.rows import collect
from munet.tasks.sources.walk import files_in


@dataclass(frozen=True)
class Annotated:
    """The images of a split, by path, their classes, and the table that says them; how many images are missing."""

    table: Path
    images: list[tuple[Path, str]]
    missing: int


def read_annotated(folder: Path, classes: Collection[str]) -> Annotated | None:
    """What the one table right in `folder` says, if all its classes are among `classes`; else None."""
    tables = [file for file in files_in(folder) if suffix_of(file) in FORMATS and file.stem.lower() != "readme"]
    if len(tables) != 1 or not classes:
        return None
    finder = Finder(folder, image_suffixes())
    try:
        table = read_table(tables[0], image_suffixes())
        examples = collect(table, choose(table, None, None, None, finder.is_there), finder).all
    except InputError:
        return None  # some other table: the split has no labels
    if not examples or any(example.label not in classes for example in examples):
        return None
    images = sorted((example.path, example.label) for example in examples if example.path is not None)
    return Annotated(tables[0], images, len(examples) - len(images)) if images else None
