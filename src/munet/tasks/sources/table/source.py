"""`csv:FILE`: file names and labels in a table, the images beside it.

FILE is CSV or TSV (any delimiter, with or without a line of column names), JSONL or Parquet. The options `image=`,
`label=` and `split=` name columns, `root=` the folder of the images. What is not given is guessed, told, and recorded
in the address. DIR in place of FILE means the tables in it that are called after splits: train.csv, val.csv, test.csv.

Examples come in the order of the SHA-256 of their names in the table, a share of each class in front.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.image_files import image_suffixes
from munet.tasks.sources.base import Item, Source, Unusable, absolute, file_item, train_first
from munet.tasks.sources.fetching import is_remote
from munet.tasks.sources.missing import says_missing
from munet.tasks.sources.table.columns import Columns, choose
from munet.tasks.sources.table.labels import class_names
from munet.tasks.sources.table.paths import Finder
from munet.tasks.sources.table.read import read_tables
from munet.tasks.sources.table.rows import Example, collect


class TableSource(Source):
    """Images named in a table. See the module for the formats and options."""

    scheme = "csv"
    options_known = ("image", "label", "root", "split", "order", "white")
    default_order = "stratified"

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        super().__init__(str(path), options)
        self._table = read_tables(path, image_suffixes())
        self._finder = Finder(self._root(path if path.is_dir() else path.parent), image_suffixes())
        image, label, split = (options.get(role) for role in ("image", "label", "split"))
        columns = choose(self._table, image, label, split, self._finder.is_there)
        self._columns, self._guessed = columns, self._guesses(columns)
        self._collect()

    def _collect(self, *, as_written: bool = False) -> None:
        examples = collect(self._table, self._columns, self._finder, as_written=as_written)
        self._splits = examples.splits
        self._missing = [example for example in examples.all if example.path is None]
        self._refuse_nothing(self._columns, examples.all)
        self._classes = self._columns.classes or class_names([example.label for example in examples.all])
        self._notes = [*self._guessed, *self._table.notes, *examples.notes, *self._lacking(examples.all)]

    def _root(self, folder: Path) -> Path:
        """Folder of the images: what `root=` says seen from the table, else from here."""
        given = self.options.get("root")
        if not given:
            return folder
        if is_remote(given):
            raise InputError(
                f"root={given}: the table is on this machine, so its images have to be: put the table beside them, "
                f"csv:{given.rstrip('/')}/TABLE, or copy them here"
            )
        for root in (folder / Path(given).expanduser(), absolute(given)):
            if root.is_dir():
                # Seen from the table it stays right when both are moved.
                self.options["root"] = str(root.relative_to(folder) if root.is_relative_to(folder) else root)
                return root
        raise InputError(f"{absolute(given)}: there is no such folder (root={given})", kind="missing-file")

    def _refuse_nothing(self, columns: Columns, examples: Sequence[Example]) -> None:
        if not examples:
            raise InputError(f"{self._table.path}: no row has an image and a label (column '{columns.label}')")
        if len(self._missing) < len(examples):
            return
        name = examples[0].name
        if is_remote(name):
            raise InputError(
                f"{examples[0].place}: '{name}' lies on the network: download the images, and write the names of the "
                "files in the table"
            )
        raise InputError(
            f"{self._table.path}: none of the {len(examples):,} images of column '{columns.image}' is below "
            f"{self._finder.root}, such as '{name}': say ?root=DIR where they lie, or ?image=COLUMN",
            kind="missing-file",
        )

    def _guesses(self, columns: Columns) -> list[str]:
        """A note of what was guessed, which is recorded where an address can hold it."""
        for option in columns.guessed:
            value = getattr(columns, option)
            if value and not set(value) & set("?&"):
                self.options[option] = value
        if not columns.guessed:
            return []
        labels = f"column '{columns.label}'" if columns.label else f"{len(columns.classes)} columns of 0 and 1"
        made = "the names of the tables" if self._table.named and columns.split == "split" else f"'{columns.split}'"
        splits = f", splits from {made}" if columns.split else ""
        return [f"images from column '{columns.image}', labels from {labels}{splits}"]

    def _lacking(self, examples: Sequence[Example]) -> list[str]:
        if not self._missing:
            return []
        count = f"{len(self._missing):,} of {len(examples):,} files are not there"
        return [f"{count}, the first is '{self._missing[0].name}'"]

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def take_numbers(self, recorded: Sequence[str]) -> None:
        # Tasks of before have classes that were called NaN.
        if not self._columns.classes and set(recorded) != set(self._classes) and says_missing(recorded):
            self._collect(as_written=True)
            self._orders.clear()

    def counts(self) -> dict[str, int]:
        return train_first({split: len(examples) for split, examples in self._splits.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        number = {name: label for label, name in enumerate(self._classes)}
        return np.array([number[example.label] for example in self._splits[split]], np.int64)

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        for example in map(self._splits[split].__getitem__, rows):
            yield self._no_file(example) if example.path is None else file_item(example.path)

    def _no_file(self, example: Example) -> Unusable:
        more = f" ({len(self._missing):,} files are missing)" if len(self._missing) > 1 else ""
        return Unusable(b"", f"{example.place}: there is no file '{example.name}' below {self._finder.root}{more}")

    def stored_name(self, split: str, row: int) -> str:
        example = self._splits[split][row]
        return str(example.path or example.place)

    def files(self, split: str) -> list[Path] | None:
        if self._missing:
            return None  # one that appears would change the data
        return [*self._table.paths, *(example.path for example in self._splits[split] if example.path is not None)]

    def keys(self, split: str) -> list[str]:
        return [unicodedata.normalize("NFC", example.name) for example in self._splits[split]]

    def notes(self) -> list[str]:
        return self._notes
