"""`folder:DIR`: one sub-folder of image files per class.

DIR/<class>/<any depth>/<image> is one split, `train`. Where DIR has a sub-folder train, validation (or val) or test
that itself has sub-folders, the sub-folders of DIR are the splits, and DIR/<split>/<class>/<image> are the examples.

Files come in the order of the SHA-256 of `<class>/<path in the class folder>`, not sorted: sorted files are sorted by
class, and a slice of them such as `train[:5%]` would hold one class only.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.images import SUFFIXES
from munet.tasks.sources.base import Item, Source, absolute, file_item, train_first
from munet.tasks.splits import ALIASES, PARTS


class FolderSource(Source):
    """Image files in class folders. See the module for the layouts and the order."""

    scheme = "folder"
    shuffled_by_default = True

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        root = absolute(location)
        super().__init__(str(root), options)
        self._folders = _split_folders(root)
        names = sorted({child.name for folder in self._folders.values() for child in _folders(folder)})
        self._classes = tuple(names)
        self._files = {split: _scan(folder, names) for split, folder in self._folders.items()}
        self._refuse_empty()

    def _refuse_empty(self) -> None:
        for split, folder in self._folders.items():
            if not self._files[split]:
                raise InputError(f"{folder}: no image file in any class sub-folder ({_suffixes()})")
        used = {label for files in self._files.values() for _, label in files}
        for label, name in enumerate(self._classes):
            if label not in used:
                where = next(folder / name for folder in self._folders.values() if (folder / name).is_dir())
                raise InputError(f"{where}: no image file of class '{name}': add images or remove the folder")

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        return train_first({split: len(files) for split, files in self._files.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        return np.array([label for _, label in self._files[split]], np.int64)

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        files = self._files[split]
        for row in rows:
            yield file_item(files[row][0])

    def stored_name(self, split: str, row: int) -> str:
        return str(self._files[split][row][0])

    def files(self, split: str) -> list[Path]:
        return [path for path, _ in self._files[split]]

    def keys(self, split: str) -> list[str]:
        # One normal form: some file systems hand out decomposed names.
        folder = self._folders[split]
        paths = ["/".join(path.relative_to(folder).parts) for path, _ in self._files[split]]
        return [unicodedata.normalize("NFC", path) for path in paths]


def _split_folders(root: Path) -> dict[str, Path]:
    """Folder of each split."""
    children = _folders(root)
    if not children:
        raise InputError(f"{root}: no sub-folders: put the images of each class in a sub-folder of its own")
    if not _is_split_layout(root):
        return {"train": root}
    folders: dict[str, Path] = {}
    for child in children:
        split = ALIASES.get(child.name, child.name)
        if split in folders:
            raise InputError(f"{root}: {folders[split].name} and {child.name} are the same split: keep one of them")
        folders[split] = child
    return folders


def _is_split_layout(root: Path) -> bool:
    known = {*PARTS, *ALIASES}
    return any(child.name in known and _folders(child) for child in _folders(root))


def _folders(path: Path) -> list[Path]:
    """Sub-folders by name, hidden ones left out."""
    try:
        return sorted(child for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such folder", kind="missing-file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a folder: {error.strerror or error}") from error


def _scan(folder: Path, classes: Sequence[str]) -> list[tuple[Path, int]]:
    """Image files and labels of a split, by class and path."""
    found = []
    for label, name in enumerate(classes):
        if (folder / name).is_dir():
            found += [(path, label) for path in _image_files(folder / name)]
    return found


def _image_files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror or error}") from error

    found = []
    for parent, _, names in os.walk(folder, onerror=refuse):
        found += [Path(parent, name) for name in names if Path(name).suffix.lower() in SUFFIXES and name[0] != "."]
    return sorted(found)


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))
