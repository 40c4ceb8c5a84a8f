"""A source with its classes in the order that a task has them: those of a task that grew come last, whatever they are
called."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from munet.tasks.sources.base import Item, Source


def arranged(source: Source, classes: Sequence[str]) -> Source:
    """The same images, label k meaning `classes[k]`: all that the source has, in any order."""
    return source if tuple(classes) == source.classes else _Arranged(source, tuple(classes))


class _Arranged(Source):
    def __init__(self, source: Source, classes: tuple[str, ...]) -> None:
        super().__init__(source.location, source.options)
        self.scheme = source.scheme  # pyright: ignore[reportAttributeAccessIssue]
        self.packed = source.packed  # pyright: ignore[reportAttributeAccessIssue]
        self.default_order = source.default_order  # pyright: ignore[reportAttributeAccessIssue]
        self._source = source
        self._classes = classes

    @cached_property
    def _numbers(self) -> np.ndarray:
        """The task's label of each of the source's."""
        number = {name: label for label, name in enumerate(self._classes)}
        return np.array([number[name] for name in self._source.classes], np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    def counts(self) -> dict[str, int]:
        return self._source.counts()

    def stored_labels(self, split: str) -> np.ndarray:
        return self._numbers[self._source.stored_labels(split)]

    def stored_items(self, split: str, rows: Sequence[int]) -> Iterator[Item]:
        return self._source.stored_items(split, rows)

    def stored_name(self, split: str, row: int) -> str:
        return self._source.stored_name(split, row)

    def files(self, split: str) -> Sequence[Path] | None:
        return self._source.files(split)

    def notes(self) -> Sequence[str]:
        return self._source.notes()

    def refuse_doubtful(self) -> None:
        self._source.refuse_doubtful()

    def keys(self, split: str) -> Sequence[str]:
        return self._source.keys(split)
