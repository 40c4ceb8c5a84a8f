"""Another view of a source: its classes in the order that a task has them, or without those of very few images."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from munet.errors import InputError
from munet.tasks.sources.base import Item, Source
from munet.tasks.sources.numbering import NO_CLASS
from munet.text import counted

_OUT = NO_CLASS - 1  # of a class that is not seen

LEAST = "least"
"""Option of every source: classes with fewer images than this are left out."""


def arranged(source: Source, classes: Sequence[str]) -> Source:
    """The same images, label k meaning `classes[k]`: all that the source has, in any order."""
    return source if tuple(classes) == source.classes else _View(source, tuple(classes))


def without_rare(source: Source, least: str) -> Source:
    """The images of classes that have `least` of them, in all splits together. InputError for what is no number, and
    where fewer than two classes are left."""
    if not least.isascii() or not least.isdigit():
        raise InputError(f"{source.address}: {LEAST}={least}: say how many images a class must have, as a whole number")
    counts = Counter[int]()
    for split in source.counts():
        counts.update(source.stored_labels(split).tolist())
    stay = [label for label in range(len(source.classes)) if counts[label] >= int(least)]
    if len(stay) < 2:
        what = counted(len(stay), "class")
        raise InputError(f"{source.address}: {what} with {least} images: a task needs two. Say a smaller {LEAST}=")
    gone = [(source.classes[label], counts[label]) for label in range(len(source.classes)) if label not in stay]
    note = f"left out {counted(len(gone), 'class')} with fewer than {least} images: "
    shown = ", ".join(f"{name} ({count})" for name, count in gone[:5]) + (", …" if len(gone) > 5 else "")
    return _View(source, tuple(source.classes[label] for label in stay), note + shown if gone else "")


class _View(Source):
    """The images of some classes of a source, or of all."""

    def __init__(self, source: Source, classes: tuple[str, ...], note: str = "") -> None:
        super().__init__(source.location, source.options)
        self.called, self.no_label = source.called, source.no_label
        self.options = source.options  # the same: a source may write there what it guessed
        self.scheme = source.scheme  # pyright: ignore[reportAttributeAccessIssue]
        self.packed = source.packed  # pyright: ignore[reportAttributeAccessIssue]
        self.default_order = source.default_order  # pyright: ignore[reportAttributeAccessIssue]
        self._source, self._classes, self._note = source, classes, note
        number = {name: label for label, name in enumerate(classes)}
        # The last is what the label NO_CLASS finds: an example without a class is seen, for it counts.
        self._numbers = np.array([*(number.get(name, _OUT) for name in source.classes), NO_CLASS], np.int64)
        self._rows: dict[str, np.ndarray] = {}

    def _kept(self, split: str) -> np.ndarray:
        """Stored rows of the source that are seen, int64 (N,)."""
        if split not in self._rows:
            self._rows[split] = np.flatnonzero(self._renumbered(split) != _OUT)
        return self._rows[split]

    def _renumbered(self, split: str) -> np.ndarray:
        """The label of each stored row of the source, int64 (N,): NO_CLASS without one, _OUT where it is not seen."""
        labels = self._source.stored_labels(split)
        known = (labels >= NO_CLASS) & (labels < len(self._source.classes))
        # A label that is no class of the source is none here either, so that it is refused by name.
        return np.where(known, self._numbers[np.where(known, labels, NO_CLASS)], len(self._classes))

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        found = {split: len(self._kept(split)) for split in self._source.counts()}
        return {split: count for split, count in found.items() if count}

    def stored_labels(self, split: str) -> np.ndarray:
        return self._renumbered(split)[self._kept(split)]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        return self._source.stored_items(split, self._kept(split)[list(rows)].tolist())

    def stored_name(self, split: str, row: int) -> str:
        return self._source.stored_name(split, int(self._kept(split)[row]))

    def files(self, split: str) -> Sequence[Path] | None:
        return self._source.files(split)

    def notes(self) -> Sequence[str]:
        notes = list(self._source.notes())
        return [*notes, self._note] if self._note else notes

    def refuse_doubtful(self) -> None:
        self._source.refuse_doubtful()

    def take_guesses(self) -> None:
        self._source.take_guesses()
        self._rows.clear()

    def keys(self, split: str) -> Sequence[str]:
        keys = self._source.keys(split)
        return [keys[int(row)] for row in self._kept(split)]
