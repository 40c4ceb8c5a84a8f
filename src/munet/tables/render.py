"""Tables as Markdown, CSV, LaTeX (booktabs) and JSON; `terminal.py` shows them. Each escapes what others wrote."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from munet.tables.table import Cell, Column, Label, Range, Spread, Table, Unit, Values
from munet.text import clean

NOTHING = "-"
_DASH = "\N{EN DASH}"
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# Cells as text


def number(value: float, unit: Unit) -> str:
    """A value as people read it: accuracies in percent, FLOPs in millions or million millions."""
    match unit:
        case "percent":
            return f"{100 * value:.2f}"
        case "points":
            return f"{100 * value + 0.0:+.2f}".replace("-0.00", "+0.00")
        case "mflops":
            return f"{value / 1e6:,.2f}"
        case "tflops":
            return _three_digits(value / 1e12)
        case "hours":
            return _three_digits(value)
        case _:
            return f"{value:,.0f}"


def _three_digits(value: float) -> str:
    if value == 0:
        return "0"
    for limit, digits in ((100, 0), (10, 1), (1, 2), (0.1, 3)):
        if abs(value) >= limit:
            return f"{value:,.{digits}f}"
    return f"{value:.2g}"


def cell_text(cell: Cell, unit: Unit) -> str:
    """A cell without its footnotes. A spread of equal values is one value."""
    match cell:
        case None:
            return NOTHING
        case Label(text=text):
            return clean(text)
        case Spread(mean=mean, low=low, high=high):
            return number(mean, unit) if low == high else f"{number(mean, unit)} [{_range(low, high, unit)}]"
        case Range(low=low, high=high):
            return _range(low, high, unit)
        case Values(each=each):
            return " ".join(number(value, unit) for value in each)
        case value:
            return number(value, unit)


def _range(low: float, high: float, unit: Unit) -> str:
    joint = " to " if unit == "points" else _DASH  # a dash before a minus sign cannot be read
    return f"{number(low, unit)}{joint}{number(high, unit)}"


def marks_of(of: Cell | Column) -> tuple[int, ...]:
    return of.marks if isinstance(of, (Label, Column)) else ()


def raised(marks: Sequence[int]) -> str:
    return " ".join(str(mark) for mark in marks).translate(_SUPERSCRIPTS)


# Files


def markdown(tables: Sequence[Table]) -> str:
    """Tables of GitHub's Markdown under headings of the third level."""
    parts = []
    for table in tables:
        rows = [[_markdown(column.title) + raised(column.marks) for column in table.columns]]
        rows.append([":---" if index == 0 else "---:" for index in range(len(table.columns))])
        rows += [[_markdown_cell(*pair) for pair in zip(row, table.columns, strict=True)] for row in table.rows]
        lines = [f"### {_markdown(clean(table.title))}", "", *(f"| {' | '.join(row)} |" for row in rows)]
        for text in [*(f"{raised([n])} {note}" for n, note in enumerate(table.notes, 1)), *table.remarks]:
            lines += ["", _markdown(clean(text))]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _markdown_cell(cell: Cell, column: Column) -> str:
    text = cell_text(cell, column.unit)
    return _markdown(text) + raised(cell.marks) if isinstance(cell, Label) else text


def _markdown(text: str) -> str:
    """Escaped where it could be markup; `_` inside a word never is."""
    text = re.sub(r"([\\`*\[\]<>|#~$&!])", r"\\\1", clean(text))
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def comma_separated(table: Table) -> str:
    """Raw values: fractions, parameters, FLOPs. A range is two columns, a spread three; notes stand in the last one."""
    head = [f"{column.key}_{part}" if part else column.key for column in table.columns for part in column.parts]
    noted = bool(table.notes)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(_unfeigned(name) for name in head), *(["notes"] if noted else [])])
    for row in table.rows:
        cells = [value for cell, column in zip(row, table.columns, strict=True) for value in _raw(cell, column.parts)]
        marks = sorted({mark for of in (*table.columns, row[0]) for mark in marks_of(of)})
        notes = ["; ".join(clean(table.notes[mark - 1]) for mark in marks)] if noted else []
        writer.writerow([*cells, *notes])
    return out.getvalue()


def _raw(cell: Cell, parts: Sequence[str]) -> list[str]:
    match cell:
        case None:
            return [""] * len(parts)
        case Label(text=text):
            return [_unfeigned(clean(text))]
        case Values(each=each):
            return [" ".join(repr(value) for value in each)]
        case Spread() | Range():
            return [repr(getattr(cell, part)) for part in parts]
        case value:
            return [repr(value)]


def _unfeigned(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}", _DASH: r"\textendash{}",
}  # fmt: skip


def _latex(text: str) -> str:
    """Escaped; hyphens that would join to a dash are kept apart."""
    return "".join(_LATEX.get(c, c) for c in re.sub("-(?=-)", "-\0", clean(text))).replace("\0", "{}")


def latex(tables: Sequence[Table]) -> str:
    """Tables in LaTeX; they need the package booktabs, and names in other scripts need XeLaTeX or LuaLaTeX."""
    parts = ["% needs \\usepackage{booktabs}; wide tables: \\usepackage{graphicx} and \\resizebox"]
    for table in tables:
        rows = [" & ".join(_latex(column.title) + _latex_marks(column.marks) for column in table.columns) + r" \\"]
        rows.append(r"\midrule")
        for place, row in enumerate(table.rows):
            if table.totals and place == len(table.rows) - table.totals:
                rows.append(r"\midrule")
            rows.append(" & ".join(_latex_cell(*pair) for pair in zip(row, table.columns, strict=True)) + r" \\")
        notes = [f"{_latex_marks([n])} {_latex(note)}" for n, note in enumerate(table.notes, 1)]
        foot = "\\par\n".join([*notes, *(_latex(remark) for remark in table.remarks)])
        lines = [r"\begin{table}", r"\centering", rf"\caption{{{_latex(table.title)}}}"]
        lines += [rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}", r"\toprule", *rows, r"\bottomrule"]
        lines += [r"\end{tabular}", *([rf"\par\smallskip\footnotesize {foot}"] if foot else []), r"\end{table}"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _latex_cell(cell: Cell, column: Column) -> str:
    text = cell_text(cell, column.unit)
    if isinstance(cell, Label):
        # what follows a line's end must not look like its optional argument
        return ("{}" if text[:1] in ("[", "*") else "") + _latex(text) + _latex_marks(cell.marks)
    return re.sub(r"-(?=\d)", "$-$", _latex(text)) if column.unit == "points" else _latex(text)


def _latex_marks(marks: Sequence[int]) -> str:
    return rf"\textsuperscript{{{','.join(map(str, marks))}}}" if marks else ""


def plain(table: Table) -> dict[str, Any]:
    """The table for JSON: each row a mapping from the columns' keys to raw values."""
    keys = [column.key for column in table.columns]
    return {
        "table": table.key,
        "title": table.title,
        "rows": [{key: _plain_cell(cell) for key, cell in zip(keys, row, strict=True)} for row in table.rows],
        "notes": list(table.notes),
        "remarks": list(table.remarks),
    }


def _plain_cell(cell: Cell) -> Any:
    match cell:
        case Label(text=text):
            return text
        case Spread(mean=mean, low=low, high=high):
            return {"mean": mean, "low": low, "high": high}
        case Range(low=low, high=high):
            return [low, high]
        case Values(each=each):
            return list(each)
        case _:
            return cell


WRITERS: dict[str, Callable[[Sequence[Table]], str]] = {
    "markdown": markdown,
    "csv": lambda tables: "\n".join(comma_separated(table) for table in tables),
    "latex": latex,
    "json": lambda tables: json.dumps([plain(table) for table in tables], ensure_ascii=False, indent=2) + "\n",
}
