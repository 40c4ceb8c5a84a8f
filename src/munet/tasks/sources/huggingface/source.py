"""`hf:NAME[:CONFIG]` or `hf:PATH`: what the `datasets` library reads.

NAME is a data set of the Hugging Face hub; PATH is a Parquet file, a folder of Parquet files or images, or what
`save_to_disk` wrote. Options: `image=` and `label=` name the columns where there are several, `split=` one that says
which split each row is of, `revision=` pins the hub's version. Examples keep the order of the data set. Dataset scripts
are not run (`datasets` 4 dropped them).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from munet.errors import InputError, suggest
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.sources.huggingface.images import Column, image_item, refuse_column, stored_values
from munet.tasks.sources.huggingface.loading import load
from munet.tasks.sources.huggingface.splitting import divide, split_columns
from munet.tasks.sources.numbering import Numbered, name_labels, number_labels, plain_labels, why_none
from munet.tasks.sources.split_column import find_split, told_of_unused
from munet.tasks.splits import ALIASES

if TYPE_CHECKING:
    import datasets

_IMAGE_NAMES, _LABEL_NAMES = ("image", "images", "img", "pixels"), ("label", "labels", "class", "target")
_BATCH = 64


class HuggingFaceSource(Source):
    """A data set read by `datasets`. See the module for the addresses."""

    scheme = "hf"
    options_known = ("image", "label", "split", "order", "revision", "white")

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        local = path.exists()
        super().__init__(str(path) if local else location, options)
        if not local and location.startswith(("/", ".", "~")):
            raise InputError(f"{path}: there is no such file or folder")
        loaded = load(path if local else None, location, self.options.get("revision"), self.address)
        self._splits = {ALIASES.get(str(name), str(name)): split for name, split in loaded.items()}
        features = next(iter(self._splits.values())).features
        if "__key__" in features and "label" not in self.options:
            raise InputError(f"{self.address}: these are WebDataset shards: wds:{self.location} reads them")
        self._image = _choose("image", self.options.get("image"), features, self.address)
        self._label = _choose("label", self.options.get("label"), features, self.address)
        refuse_column(
            Column(
                self._image,
                features[self._image],
                self._first_image(),
                self._label,
                self.address,
                path if local else None,
            )
        )
        self._notes: list[str] = []
        if (split := self.options.get("split")) is not None:
            self._divide(split)
        self._numbered = self._number()

    def _first_image(self) -> Any:
        """The first value of the image column that is there; None where none of the first ones is."""
        for split in self._splits.values():
            if self._image in split.column_names:
                values = stored_values(split, self._image, range(min(len(split), _BATCH)))
                if (found := next((value for value in values if value is not None), None)) is not None:
                    return found
        return None

    def _divide(self, column: str) -> None:
        self._splits, notes = divide(self._splits, column, self.address)
        self._notes += notes

    def take_guesses(self) -> None:
        if "split" in self.options or len(self._splits) > 1:
            return
        columns = split_columns(next(iter(self._splits.values())), (self._image, self._label))
        if not (column := find_split(columns)):
            self._notes += told_of_unused(columns)
            return
        self._divide(column)
        self._numbered = self._number()
        self._notes.append(f"splits from column '{column}'")
        if not set(column) & set("?&"):
            self.options["split"] = column

    def _number(self) -> Numbered:
        """The labels of all splits. Each split has class names of its own, perhaps in an order of its own."""
        stored = {name: _column(split, self._label) for name, split in self._splits.items()}
        self.no_label = why_none(value for values in stored.values() for value in values)
        columns = {
            name: plain_labels(values, partial(self.stored_name, name), self._label) for name, values in stored.items()
        }
        names = {name: _names_of(split.features.get(self._label)) for name, split in self._splits.items()}
        names = {name: listed for name, listed in names.items() if listed}
        if len(set(names.values())) > 1:
            self._notes.append("the splits number their classes in different ways: they are joined by name")
        known = dict.fromkeys(name for listed in names.values() for name in listed)
        return number_labels(name_labels(columns, names, self.stored_name), self.address, tuple(known))

    @property
    def classes(self) -> tuple[str, ...]:
        return self._numbered.classes

    def take_numbers(self, recorded: Sequence[str]) -> None:
        self._numbered = self._numbered.as_in(recorded)

    def notes(self) -> list[str]:
        return self._notes

    def counts(self) -> dict[str, int]:
        return train_first({name: len(split) for name, split in self._splits.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        return self._numbered.labels[split]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        if self._image not in self._splits[split].column_names:
            yield from (Unusable(b"", f"{self.stored_name(split, row)}: no column '{self._image}'") for row in rows)
            return
        for first in range(0, len(rows), _BATCH):
            chunk = rows[first : first + _BATCH]
            for row, value in zip(chunk, stored_values(self._splits[split], self._image, chunk), strict=True):
                yield image_item(value, self.stored_name(split, row))

    def stored_name(self, split: str, row: int) -> str:
        return f"{self.scheme}:{self.location} {split}[{row}]"


def _choose(role: str, wanted: str | None, features: Mapping[str, Any], address: str) -> str:
    """The column that holds the images or the labels."""
    listed = ", ".join(features)
    if wanted is not None:
        if wanted not in features:
            raise InputError(f"{address}: there is no column '{wanted}'{suggest(wanted, features)}: there is {listed}")
        return wanted
    kind = "Image" if role == "image" else "ClassLabel"
    found = [name for name, feature in features.items() if type(feature).__name__ == kind]
    usual = _IMAGE_NAMES if role == "image" else _LABEL_NAMES
    if len(found) > 1:  # several of the type: the usual name decides, when exactly one has it
        found = [name for name in found if name in usual] if sum(name in usual for name in found) == 1 else found
    found = found or [name for name in usual if name in features][:1]
    if len(found) != 1:
        several = f"several columns could be the {role}: {', '.join(found)}" if found else f"no column is the {role}"
        raise InputError(f"{address}: {several}: say ?{role}=COLUMN, one of {listed}")
    return found[0]


def _column(split: "datasets.Dataset", name: str) -> list[Any]:
    if name not in split.column_names:
        return [None] * len(split)
    return list(split.select_columns([name])[:][name])


def _names_of(feature: Any) -> tuple[str, ...]:
    """Class names of a column of labels, or of lists of one label; empty where labels have none."""
    feature = getattr(feature, "feature", feature)
    return tuple(feature.names) if type(feature).__name__ == "ClassLabel" else ()
