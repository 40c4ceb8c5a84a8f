"""Tables in a terminal: names folded and never cut, columns below each other where there are too many."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from munet.tables.folding import folded
from munet.tables.render import cell_text, marks_of, raised
from munet.tables.table import Cell, Column, Table, Unit
from munet.text import clean

_LEAST_LABEL, _LEAST_HEADING, _GAP = 16, 11, 2  # cells of a terminal


def terminal(table: Table, width: int) -> RenderableType:
    """The table, in several parts below each other where it is too wide; then notes and remarks."""
    label = max(cell_len(_plain(row[0], "text")) for row in table.rows) if table.rows else 0
    widths = [_width(table, index) + _GAP for index in range(1, len(table.columns))]
    least = min(label, max(_LEAST_LABEL, width // 4))
    lines: list[RenderableType] = [Text(clean(table.title), style="bold")]
    for part in _parts(table.columns[1:], widths, width - least):
        taken = sum(widths[index] for index in part)
        lines += [_grid(table, [0, *(index + 1 for index in part)], min(label, max(least, width - taken))), Text("")]
    lines += [Text(f"{raised([n])} {clean(note)}", style="yellow") for n, note in enumerate(table.notes, 1)]
    lines += [Text(remark, style="dim") for remark in table.remarks]
    return Group(*lines)


def _plain(cell: Cell, unit: Unit) -> str:
    return cell_text(cell, unit) + raised(marks_of(cell))


def _heading(column: Column, most: int) -> list[str]:
    return folded(clean(column.title) + raised(column.marks), most)


def _width(table: Table, index: int) -> int:
    """Cells of a terminal that a column needs when its heading is folded."""
    column = table.columns[index]
    body = max((cell_len(_plain(row[index], column.unit)) for row in table.rows), default=0)
    return max(body, *(cell_len(part) for part in _heading(column, max(body, _LEAST_HEADING))))


def _parts(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[list[int]]:
    """Columns that go beside each other; those of a group stay together if they fit into one part."""
    if sum(widths) <= room:
        return [list(range(len(columns)))]
    units: list[list[int]] = []
    for index, column in enumerate(columns):
        if units and column.group and columns[units[-1][-1]].group == column.group:
            units[-1].append(index)
        else:
            units.append([index])
    parts: list[list[int]] = []
    for unit in units:
        pieces = [unit] if sum(widths[i] for i in unit) <= room else [[index] for index in unit]
        for piece in pieces:
            if parts and sum(widths[i] for i in [*parts[-1], *piece]) <= room:
                parts[-1] += piece
            else:
                parts.append(piece)
    return parts


def _grid(table: Table, picked: Sequence[int], label: int) -> RichTable:
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for index in picked:
        column = table.columns[index]
        heading = "\n".join(_heading(column, max(_LEAST_HEADING, label) if index == 0 else _width(table, index)))
        left = index == 0
        grid.add_column(Text(heading), justify="left" if left else "right", no_wrap=True, vertical="top")
    for place, row in enumerate(table.rows):
        if table.totals and place == len(table.rows) - table.totals:
            grid.add_section()
        cells = [Text("\n".join(folded(_plain(row[0], "text"), label)))]
        cells += [Text(_plain(row[index], table.columns[index].unit)) for index in picked[1:]]
        grid.add_row(*cells)
    return grid
