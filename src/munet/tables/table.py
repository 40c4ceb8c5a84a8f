"""Typed tables as values."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["text", "count", "percent", "points", "mflops", "tflops", "hours"]


@dataclass(frozen=True)
class Label:
    """Text that may carry footnotes, by their number from 1."""

    text: str
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Spread:
    """A mean with the smallest and largest value behind it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Range:
    low: float
    high: float


@dataclass(frozen=True)
class Values:
    each: tuple[float, ...]


RANGE, SPREAD = ("low", "high"), ("mean", "low", "high")


Cell = Label | Spread | Range | Values | float | int | None


@dataclass(frozen=True)
class Column:
    """`key` names it for programs, `title` for people. Columns of one `group` stay together where space is short.

    Its cells are single values, or of several `parts`.
    """

    key: str
    title: str
    unit: Unit = "text"
    group: str = ""
    marks: tuple[int, ...] = ()
    parts: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Table:
    """The first cell of each row is its label. `notes` are footnotes 1, 2, ...; `remarks` hold for the whole table."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    totals: int = 0  # the last rows that sum up the others
