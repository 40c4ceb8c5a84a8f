"""The source `folder:`. Options: `level=1` or `level=2` where the layout is in doubt, `pattern=` for names of files."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.image_files import is_image
from munet.tasks.sources.base import Item, Source, absolute, file_item, train_first
from munet.tasks.sources.folder.doubts import refuse_doubtful
from munet.tasks.sources.folder.empty import listed, refuse_empty
from munet.tasks.sources.folder.layout import Layout, find_layout
from munet.tasks.sources.folder.masks import masks_beside, told_of_masks
from munet.tasks.sources.folder.pattern import compile_pattern
from munet.tasks.sources.walk import files_below, folders_in
from munet.tasks.split_names import in_grammar, match_splits
from munet.text import counted

_Labelled = list[tuple[Path, str]]


class FolderSource(Source):
    """Image files in class folders. See `layout.py` for the layouts, the package for the order."""

    scheme = "folder"
    options_known = ("order", "level", "pattern", "white")
    default_order = "shuffled"

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        root = absolute(location)
        super().__init__(str(root), options)
        level, pattern = options.get("level"), options.get("pattern")
        if level not in (None, "1", "2"):
            raise InputError(
                f"level={level}{suggest(level, ('1', '2'))}: 1 where sub-folders are classes, 2 where they are splits"
            )
        self._others: Counter[str] = Counter()  # suffixes of files that are no images
        self._layout: Layout | None = None
        self._tables: dict[str, Path] = {}  # of splits whose classes a table says
        if pattern is not None:
            self._read_names(root, pattern)
        else:
            self._layout = find_layout(root, level)
            self._read_folders(self._layout)

    def _read_folders(self, layout: Layout) -> None:
        self._notes, self._bases = list(layout.notes), layout.splits
        self._files = {
            split: [(path, name) for folder, name in folders for path in self._images(folder)]
            for split, folders in layout.classes.items()
        }
        for split, annotated in layout.annotated.items():
            self._files[split] = annotated.images
            self._tables[split] = annotated.table
        self._classes = tuple(sorted({name for folders in layout.classes.values() for _, name in folders}))
        refuse_empty(layout, self._files)

    def _read_names(self, root: Path, pattern: str) -> None:
        compiled, found, strange = compile_pattern(pattern), dict[str, _Labelled](), list[Path]()
        folders_in(root)  # refused where there is no such folder
        read = [(path, compiled.read(path, root)) for path in self._images(root)]
        splits = match_splits({labels[1] for _, labels in read if labels})
        for path, labels in read:
            if labels is None:
                strange.append(path)
                continue
            split = splits.get(labels[1], in_grammar(labels[1]) if labels[1] else "train")
            found.setdefault(split, []).append((path, labels[0]))
        if not found:
            example = f", such as {strange[0].relative_to(root)}" if strange else ""
            raise InputError(f"{root}: pattern={pattern} fits none of {counted(len(strange), 'image')}{example}")
        self._files, self._bases = found, dict.fromkeys(found, root)
        self._classes = tuple(sorted({name for files in found.values() for _, name in files}))
        self._notes = []
        if strange:
            what = f"{counted(len(strange), 'image')} whose name does not fit the pattern"
            self._notes.append(f"left out {what}, such as {strange[0].relative_to(root)}")

    def _images(self, folder: Path) -> list[Path]:
        """The images below a folder, by path; other files are counted."""
        found: list[Path] = []
        special: list[Path] = []
        for path in files_below(folder, special):
            if is_image(path):
                found.append(path)
            else:
                self._others[path.suffix or "no suffix"] += 1
        self._others.update(["pipes or devices"] * len(special))
        return sorted(found, key=lambda path: path.parts)  # as paths compare, but each is taken apart once

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        return train_first({split: len(files) for split, files in self._files.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        number = {name: label for label, name in enumerate(self._classes)}
        return np.array([number[name] for _, name in self._files[split]], np.int64)

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        for row in rows:
            yield file_item(self._files[split][row][0])

    def stored_name(self, split: str, row: int) -> str:
        return str(self._files[split][row][0])

    def files(self, split: str) -> list[Path]:
        return [*(path for path, _ in self._files[split]), *([self._tables[split]] if split in self._tables else [])]

    def keys(self, split: str) -> list[str]:
        # One normal form: some file systems hand out decomposed names.
        above = len(self._bases[split].parts)
        paths = ["/".join(path.parts[above:]) for path, _ in self._files[split]]
        return [unicodedata.normalize("NFC", path) for path in paths]

    def notes(self) -> list[str]:
        left_out = f"left out {counted(self._others.total(), 'file')}: {listed(self._others)}"
        masks = masks_beside(pair for files in self._files.values() for pair in files)
        beside = [told_of_masks(masks, self._layout)] if masks else []
        told = [*self._notes, *beside, *([left_out] if self._others else [])]
        return [note.replace(*self.called) for note in told]

    def take_numbers(self, recorded: Sequence[str]) -> None:
        # Tasks of before have classes that only a folder beside the splits holds.
        layout = self._layout
        if layout is None or not layout.whole or set(recorded) == set(self._classes):
            return
        layout.classes.update(layout.whole)
        layout.whole.clear()
        self._others.clear()
        self._orders.clear()
        self._read_folders(layout)

    def refuse_doubtful(self) -> None:
        if self._layout is not None and "level" not in self.options:
            try:
                refuse_doubtful(self._layout, self._files)
            except InputError as error:  # of a copy, the address that was copied
                raise InputError(str(error).replace(*self.called), kind=error.kind) from error
