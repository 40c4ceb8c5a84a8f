"""A source of arrays: labels, classes and images of whatever finds arrays for each split. In the order of the files."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from munet.errors import InputError
from munet.tasks.arrays import Images, convert_images
from munet.tasks.sources.arrays.reading import Array
from munet.tasks.sources.base import Item, Source, Unusable, absolute, train_first
from munet.tasks.sources.numbering import Label, Numbered, name_labels, number_labels, plain_labels, why_none
from munet.tasks.splits import PARTS


@dataclass(frozen=True)
class Part:
    """The arrays of one split: images as `munet.tasks.arrays` takes them, or (H, W, C, N); one label for each."""

    image: Array
    label: Array


class ArraySource(Source):
    """Images and labels in arrays. A subclass finds them, and the names of the classes if there are any."""

    packed = True

    def __init__(self, location: str, options: Mapping[str, str]) -> None:
        path = absolute(location)
        super().__init__(str(path), options)
        self._notes: list[str] = []
        self._parts, names = self._find(path)
        stored = {split: _stored(part.label) for split, part in self._parts.items()}
        self.no_label = why_none(value for values in stored.values() for value in values)
        columns = {
            split: plain_labels(values, self._parts[split].label.row, self._parts[split].label.name)
            for split, values in stored.items()
        }
        self._columns, self._named = columns, names is not None
        self._numbered = self._number(columns, names)
        self._images: dict[str, Images] = {}

    @abstractmethod
    def _find(self, path: Path) -> tuple[dict[str, Part], Sequence[str] | None]:
        """The arrays of each split, and class names where there are any. InputError where nothing can be used."""

    def _number(self, columns: Mapping[str, Sequence[Label]], names: Sequence[str] | None) -> Numbered:
        """Class numbers. Labels are names, or numbers, by value; with class names, places in their list from 0, or
        from 1 if nothing else is possible, or as many values as there are names."""
        where = str(next(iter(self._parts.values())).label.path)
        values = {value for column in columns.values() for value in column if value is not None}
        if not values:
            raise InputError(f"{where}: no example has a label")
        if names is None:
            return number_labels(columns, where)
        if len(set(names)) < len(names):
            raise InputError(f"{where}: a class name occurs twice among the {len(names)}")
        numbers = sorted(value for value in values if isinstance(value, int))
        if numbers and numbers[-1] >= len(names):
            columns = self._from_zero(columns, numbers, names, where)
        places = name_labels(columns, dict.fromkeys(columns, names), self.stored_name)
        return number_labels(places, where, names)

    def _from_zero(
        self, columns: Mapping[str, Sequence[Label]], numbers: Sequence[int], names: Sequence[str], where: str
    ) -> dict[str, list[Label]]:
        """Labels that are no places in the list of names, made such."""
        if numbers[0] == 1 and numbers[-1] == len(names):
            places = {number: number - 1 for number in numbers}
            self._notes.append(f"labels count from 1 to {len(names)}: 1 is '{names[0]}'")
        elif len(numbers) == len(names):
            places = {number: place for place, number in enumerate(numbers)}
            first, last = (f"{numbers[k]} is '{names[k]}'" for k in (0, -1))
            self._notes.append(f"labels are {len(names)} values, as many as there are class names: {first}, {last}")
        else:
            raise InputError(f"{where}: {len(names)} class names, but a label {numbers[-1]}")
        return {
            split: [places[value] if isinstance(value, int) else value for value in column]
            for split, column in columns.items()
        }

    @property
    def classes(self) -> tuple[str, ...]:
        return self._numbered.classes

    def take_numbers(self, recorded: Sequence[str]) -> None:
        self._numbered = self._numbered.as_in(recorded)
        if self._named and set(self._numbered.classes) != set(recorded):
            self._take_unnamed(recorded)

    def _take_unnamed(self, recorded: Sequence[str]) -> None:
        """Number by value, as before names were found that a record of before lacks, if that is what it has."""
        values = {value for column in self._columns.values() for value in column if value is not None}
        if all(isinstance(value, int) for value in values):
            numbered = number_labels(self._columns, self.address).as_in(recorded)
            if set(numbered.classes) == set(recorded):
                self._numbered = numbered

    def notes(self) -> list[str]:
        return self._notes

    def counts(self) -> dict[str, int]:
        return train_first({split: len(labels) for split, labels in self._numbered.labels.items()})

    def stored_labels(self, split: str) -> np.ndarray:
        return self._numbered.labels[split]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        images = self._split_images(split)
        for row in rows:
            pixels = images.pixels[row]
            if row in images.unusable:
                yield Unusable(pixels.tobytes(), f"{self.stored_name(split, row)}: NaN or infinite values")
            else:
                yield pixels

    def stored_name(self, split: str, row: int) -> str:
        return self._parts[split].image.row(row)

    def files(self, split: str) -> list[Path]:
        part = self._parts[split]
        both = [array.parts or (array.path,) for array in (part.image, part.label)]
        return list(dict.fromkeys(path for paths in both for path in paths))

    def usual_white(self, split: str) -> int:
        return self._split_images(split).white

    def refuse_doubtful(self) -> None:
        whites = {split: self.usual_white(split) for split in self._parts if split in PARTS}
        if len(set(whites.values())) > 1:
            listed = ", ".join(f"{white} in {split}" for split, white in whites.items())
            raise InputError(
                f"{self.address}: the value that means white seems to be {listed}: say which it is, "
                f"?white={max(whites.values())}"
            )

    def _split_images(self, split: str) -> Images:
        if split not in self._images:
            part = self._parts[split]
            array, count = part.image.read(), len(self._numbered.labels[split])
            if array.ndim == 4 and len(array) != count and array.shape[-1] == count:  # as MATLAB has them
                array = np.moveaxis(array, -1, 0)
            if array.ndim and len(array) != count:
                raise InputError(
                    f"{part.image.path}: {len(array)} images in '{part.image.name}' but {count} labels in "
                    f"'{part.label.name}'"
                )
            images = convert_images(array, str(part.image), self.white)
            if self.white is None and array.dtype == np.uint8 and array.max() == 1:
                raise InputError(f"{part.image} holds only 0 and 1: say ?white=1, or store it as bool")
            self._images[split] = images
        return self._images[split]


def _stored(array: Array) -> list[Any]:
    """What stands in an array (N,) or (N, 1) of numbers or text."""
    labels = array.read()
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.ndim == 2 and labels.size and labels.dtype.kind in "iubf":
        one = set(np.unique(labels).tolist()) <= {0, 1} and bool((labels.sum(1) == 1).all())
        hint = (
            "one-hot labels: store argmax(1)" if one else "several labels for an image: a task has one class for each"
        )
        raise InputError(f"{array} of shape {labels.shape} must be one label for each image ({hint})")
    if labels.ndim != 1 or labels.dtype.kind not in "iubfSU":
        raise InputError(
            f"{array} of shape {labels.shape} and type {labels.dtype} must be one whole number or name for each image"
        )
    if not len(labels):
        raise InputError(f"{array} is empty")
    return labels.tolist()
