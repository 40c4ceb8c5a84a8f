"""The CSV tables of the papers' code. Pandas wrote them, so whole numbers may have become 3.0 and nothing `nan`."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from munet.errors import InputError, suggest
from munet.fs.decoding import decode_json

_NOTHING = ("", "nan", "NaN", "None", "<NA>")
_WORDS = {"True": True, "False": False}
csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Row:
    """One row of a table. Reading a cell raises InputError that names file, line, column and value."""

    file: Path
    line: int
    columns: Mapping[str, int]  # of the whole table
    cells: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.line}"

    def _cell(self, column: str) -> str:
        index = self.columns.get(column)
        return "" if index is None else self.cells[index]

    def wrong(self, column: str, wanted: str) -> InputError:
        value = self._cell(column)
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        return InputError(f"{self.place}: {column} is '{shown}', it should be {wanted}")

    def text(self, column: str) -> str | None:
        """A cell as it stands; None for nothing."""
        value = self._cell(column)
        return None if value in _NOTHING else value

    def number(self, column: str) -> float | None:
        """A finite number, or None for nothing."""
        text = self.text(column)
        if text is None:
            return None
        value = plain(text)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(column, "a number")
        return float(value)

    def whole(self, column: str) -> int | None:
        """A whole number, also one written as 3.0, or None for nothing."""
        value = self.number(column)
        if value is not None and value != int(value):
            raise self.wrong(column, "a whole number")
        return None if value is None else int(value)

    def flag(self, column: str) -> bool | None:
        """True or False, also written as 1.0 or 0, or None for nothing."""
        text = self.text(column)
        value = None if text is None else plain(text)
        if value not in (None, True, False):
            raise self.wrong(column, "True or False")
        return None if value is None else bool(value)

    def json(self, column: str, kind: type) -> Any:
        """A list or dict that the cell holds as JSON; None for nothing."""
        text = self.text(column)
        if text is None:
            return None
        try:
            value = decode_json(text)
        except ValueError as error:
            raise self.wrong(column, f"JSON ({error})") from error
        if not isinstance(value, kind):
            raise self.wrong(column, f"a JSON {'list' if kind is list else 'object'}")
        return value

    def group(self, start: str) -> dict[str, Any]:
        """What the columns named `start…` hold, by the rest of their names, as JSON values; nothing is left out."""
        cells = {key.removeprefix(start): self.text(key) for key in self.columns if key.startswith(start)}
        return {key: value for key, text in cells.items() if text is not None and (value := plain(text)) is not None}


def read_table(path: Path, required: Sequence[str]) -> list[Row]:
    """Every row of a table. InputError where it is not there, is cut short, or lacks one of the `required` columns."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(_rows(path, csv.reader(file, strict=True), required))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: the state is not whole, copy or unpack it again") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no CSV table ({error}): copy or unpack it again") from error


def _rows(path: Path, lines: Iterator[list[str]], required: Sequence[str]) -> Iterator[Row]:
    header = next(lines, None)
    if not header:
        raise InputError(f"{path} is empty: copy or unpack it again")
    for column in required:
        if column not in header:
            raise InputError(f"{path} has no column '{column}'{suggest(column, header)}: it is no table of this format")
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"{path} has the column '{twice}' twice: copy or unpack it again")
    columns = {column: index for index, column in enumerate(header)}
    known: dict[str, str] = {}  # thousands of rows repeat the same few values
    for cells in lines:
        if not cells:
            continue
        line = lines.line_num  # type: ignore[attr-defined]
        if len(cells) != len(header):
            raise InputError(
                f"{path}, line {line}: {len(cells)} cells under {len(header)} columns: copy or unpack it again"
            )
        yield Row(path, line, columns, tuple(known.setdefault(cell, cell) for cell in cells))


def plain(text: str) -> bool | int | float | str | None:
    """A cell as the JSON value that it means; None for numbers that are not finite."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else None
