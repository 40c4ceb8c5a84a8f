"""Tables that fit: what can be spared goes first, then text is folded, at spaces and between the parts of a name."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from munet.tables.folding import breaks

_GAP = 2  # cells between columns
_LONG_TEXT, _LONG_NAME = 16, 32  # cells that these have before something is spared for them


def grid(
    *columns: str,
    names: Sequence[str] = (),
    folds: Sequence[str] = (),
    ids: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> "Grid":
    """A table with a rule under its headings; numbers right, the columns that are named here left.

    What a person may have to type again (`names`) is in one piece while there is room; `ids` always are; long text
    (`folds`) takes what is left. Columns in `spare` are left out, one after the other, where the others have no room.
    """
    table = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.folds, table.spare = folds, spare
    for column in columns:
        text = column in names or column in folds
        justify = "left" if text or column in ids else "right"
        table.add_column(column, justify=justify, no_wrap=not text, min_width=6 if text else None)
    return table


class Grid(Table):
    folds: Sequence[str] = ()
    spare: Sequence[str] = ()

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        shown = (
            cell if column.no_wrap or cell is None else _Folding(cell if isinstance(cell, Text) else Text(str(cell)))
            for cell, column in zip(cells, self.columns, strict=True)
        )
        super().add_row(*shown, style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        kept = list(self.columns)
        for spare in self.spare:
            if self._width(kept, _LONG_NAME) <= options.max_width:
                break
            kept = [column for column in kept if column.header != spare]
        fitted, whole = copy(self), self._width(kept) <= options.max_width
        fitted.columns = [
            replace(column, _index=index, no_wrap=column.no_wrap or (whole and column.header not in self.folds))
            for index, column in enumerate(kept)
        ]
        yield from Table.__rich_console__(fitted, console, options)

    def _width(self, columns: Sequence[Column], long_name: int | None = None) -> int:
        """Cells that these columns need, when names of more than `long_name` are folded."""
        widths = [max(map(_cells, (column.header, *column.cells))) for column in columns]
        for number, column in enumerate(columns):
            most = _LONG_TEXT if column.header in self.folds else None if column.no_wrap else long_name
            widths[number] = widths[number] if most is None else min(widths[number], most)
        return sum(widths) + _GAP * (len(widths) - 1)


class _Folding:
    """Text that is folded where it may be broken."""

    def __init__(self, text: Text) -> None:
        self.text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.divide(breaks(self.text.plain, options.max_width)):
            line.rstrip()
            yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        cells = cell_len(self.text.plain)
        return Measurement(min(cells, 1), cells)


def _cells(cell: RenderableType) -> int:
    plain = cell.text.plain if isinstance(cell, _Folding) else cell.plain if isinstance(cell, Text) else str(cell)
    return max(map(cell_len, plain.split("\n")))


def line(text: str, style: str = "") -> Text:
    """A line that wraps at spaces; its text is never read as markup."""
    return Text(text, style=style)
