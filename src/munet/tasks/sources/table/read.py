"""A table of any usual format as columns of text: delimiter and encoding are found, nothing is interpreted."""

import csv
import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from munet.errors import InputError
from munet.tasks.sources.table.nested import spread
from munet.tasks.sources.table.records import records_in
from munet.tasks.sources.unpacking import read_unpacked, refuse_bomb
from munet.tasks.split_names import match_splits

if TYPE_CHECKING:
    import pandas

TEXT = (".csv", ".tsv", ".tab", ".txt", ".psv")
LINES, PARQUET = (".jsonl", ".ndjson", ".json"), (".parquet", ".pq")
FORMATS = (*TEXT, *LINES, *PARQUET)

_DELIMITERS = "\t,;| "
_MARKED = (
    *(((b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-32"), ((b"\xff\xfe", b"\xfe\xff"), "utf-16")),
    ((b"\xef\xbb\xbf",), "utf-8-sig"),
)
_LETTERS = 4096  # bytes that tell whether letters have two
_SAMPLE = 100  # lines that the delimiter is judged by


@dataclass
class Table:
    """`columns` by name, each with one stripped text for each row, "" where nothing stands.

    Rows are counted from `first`, as an editor shows the lines of a text file. `several` holds the columns with lists
    or objects in place of single values, and such a value; `notes` says what was found out. `paths` are the files read.
    Columns of a `nameless` table are called by their numbers. `parts` are the tables that were joined; where they were
    `named` after splits, and had no column of them, the column `split` was made of that.
    """

    path: Path
    columns: dict[str, list[str]]
    first: int = 1
    several: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    paths: list[Path] = field(default_factory=list)
    nameless: bool = False
    parts: "list[Table]" = field(default_factory=list)
    named: bool = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values()), []))

    def place(self, row: int) -> str:
        """What to call a row in an error."""
        for part in self.parts:
            if row < part.rows:
                return part.place(row)
            row -= part.rows
        return f"{self.path} row {row + self.first}"


def suffix_of(path: Path) -> str:
    """Suffix that tells the format; that of what `.gz` holds."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def read_table(path: Path, image_suffixes: frozenset[str]) -> Table:
    """The table in a file. InputError where it is no table, damaged or empty.

    A text file whose first line holds the name of an image, by its suffix, has no line of column names: its columns
    are called 1, 2, and so on.
    """
    suffix = suffix_of(path)
    if suffix not in FORMATS:
        hint = " (save a spreadsheet as CSV)" if suffix in (".xlsx", ".xls", ".ods") else ""
        hint = " (unpack it)" if suffix in (".zip", ".7z", ".bz2", ".xz", ".zst", ".tar") else hint
        raise InputError(f"{path}: a table must be one of {', '.join(FORMATS)}{hint}")
    try:
        if suffix in PARQUET:
            table = _read_parquet(path)
        else:
            text, note = _decoded(read_unpacked(path), path)
            table = _read_lines(path, text) if suffix in LINES else _read_delimited(path, text, image_suffixes)
            table.notes += note
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file", kind="missing-file") from error
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not table.rows:
        raise InputError(f"{path}: the table has no rows")
    table.paths = [path]
    return table


def read_tables(path: Path, image_suffixes: frozenset[str]) -> Table:
    """The table in a file; or those of a folder that are called after splits, one below the other.

    In place of a column of splits of their own, such tables get one, `split`.
    """
    if not path.is_dir():
        return read_table(path, image_suffixes)
    there = sorted(file for file in path.iterdir() if suffix_of(file) in FORMATS and file.name[0] != ".")
    known = match_splits(_stem(file) for file in there)
    files = [file for file in there if _stem(file) in known]
    if not files:
        way_out = f"name the table itself, csv:{there[0]}" if there else "name the table itself, csv:FILE"
        raise InputError(f"{path}: holds no table called train, such as train.csv: {way_out}")
    if len({known[_stem(file)] for file in files}) < len(files):
        raise InputError(f"{path}: several tables of one split: {', '.join(file.name for file in files)}")
    tables = [read_table(file, image_suffixes) for file in files]
    joined = Table(path, {}, paths=files, parts=tables)
    for name in dict.fromkeys(name for table in tables for name in table.columns):
        joined.columns[name] = [cell for table in tables for cell in table.columns.get(name, [""] * table.rows)]
    for table in tables:
        joined.several |= table.several
        joined.notes += table.notes
    joined.named = "split" not in joined.columns
    if joined.named:
        joined.columns["split"] = [known[_stem(table.path)] for table in tables for _ in range(table.rows)]
    return joined


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _decoded(data: bytes, path: Path) -> tuple[str, list[str]]:
    """The text of a file, and a note where its encoding had to be guessed."""
    for marks, encoding in _MARKED:
        if data.startswith(marks):
            return data.decode(encoding, "replace"), []
    zeros = [data[:_LETTERS][start::2].count(0) for start in (0, 1)]
    if max(zeros) > len(data[:_LETTERS]) // 4 and not min(zeros):  # letters of two bytes, of which one is zero
        return data.decode("utf-16-le" if zeros[1] else "utf-16-be", "replace"), []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        note = f"{path.name} is not UTF-8 and was read as Windows-1252: save it as UTF-8 if names look wrong"
        return data.decode("cp1252", "replace"), [note]
    if "\0" in text:
        raise InputError(f"{path}: holds zero bytes: this is no table in text form")
    return text, []


def _read_delimited(path: Path, text: str, image_suffixes: frozenset[str]) -> Table:
    import pandas

    lines = text.splitlines()
    start = next((index for index, line in enumerate(lines) if line.strip() and not _is_aside(line)), None)
    if start is None:
        raise InputError(f"{path}: the file is empty")
    delimiter = find_delimiter([line for line in lines[start:] if line.strip()][:_SAMPLE])
    above = start
    if start and lines[start - 1].startswith("#") and _fields(lines[start - 1 : start + 1], delimiter) == {True}:
        start -= 1  # the line of names
        lines[start] = lines[start].lstrip("# ")
    if above:
        text = "\n".join(lines := [""] * start + lines[start:])  # blank lines are passed over
    head = next(csv.reader([lines[start]], delimiter=delimiter, skipinitialspace=True))
    nameless = any(Path(cell.strip()).suffix.lower() in image_suffixes for cell in head)
    if all(line.endswith(delimiter) for line in lines[start + 1 :] if line) and not lines[start].endswith(delimiter):
        lines[start] += delimiter  # each row ends with one that the names lack
        text = "\n".join(lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)  # fields beyond the names would be lost
            frame = pandas.read_csv(
                io.StringIO(text),
                sep=delimiter,
                header=None if nameless else 0,
                index_col=False,
                dtype=str,
                keep_default_na=False,
                skipinitialspace=True,
            )
    except pandas.errors.ParserWarning as error:
        raise InputError(
            f"{path}: the rows have more fields than the first line has names: put text with '{delimiter}' in quotes"
        ) from error
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise InputError(f"{path}: cannot be read as a table: {' '.join(str(error).split())[:200]}") from error
    notes = []
    if nameless:
        frame.columns = [str(number) for number in range(1, len(frame.columns) + 1)]
        notes = [f"{path.name} has no line of column names: they are 1 to {len(frame.columns)}"]
    table = _table(path, frame, start + (1 if nameless else 2))
    table.notes, table.nameless = table.notes + notes, nameless
    return table


def _fields(lines: Sequence[str], delimiter: str) -> set[bool]:
    """Whether each line has as many fields as the last, and more than one."""
    counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
    return {count == counts[-1] > 1 for count in counts}


def _is_aside(line: str) -> bool:
    """Whether a line above the table is none of it: a comment, or the delimiter as Excel writes it."""
    return line.startswith("#") or re.fullmatch(r"sep=.\s*", line, re.IGNORECASE) is not None


def find_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that gives all `lines` the same number of fields, and the most; a comma where none does."""
    best, fields = ",", 1
    for delimiter in _DELIMITERS:
        try:
            counts = {len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)}
        except csv.Error:
            continue
        # Names with spaces look like several fields: a space counts only where nothing else separates anything.
        if len(counts) == 1 and (count := counts.pop()) > fields and (delimiter != " " or fields == 1):
            best, fields = delimiter, count
    if fields == 1:  # rows of different lengths: what the first one is written with
        best = max(_DELIMITERS[:-1], key=lambda delimiter: lines[0].count(delimiter))
        best = best if best in lines[0] else ","
    return best


def _read_lines(path: Path, text: str) -> Table:
    """The rows of a JSON file."""
    import pandas

    records, notes = records_in(path, text)
    table = _table(path, pandas.DataFrame(records, dtype=object), 1)
    table.notes += notes
    return table


def _read_parquet(path: Path) -> Table:
    import pandas
    import pyarrow
    import pyarrow.parquet

    if path.exists() and not path.is_file():
        raise InputError(f"{path}: cannot be read: it is no file")
    try:
        # A column of one value packs any number of rows in a few bytes; names of files do not.
        refuse_bomb(str(path), path.stat().st_size, 64 * pyarrow.parquet.read_metadata(path).num_rows)
        frame = pandas.read_parquet(path)
        if any(frame.index.names):  # what pandas wrote with names as its index
            frame = frame.reset_index()
        _name_classes(frame, pyarrow.parquet.read_schema(path).metadata or {})
    except (pyarrow.ArrowException, ValueError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {' '.join(str(error).split())[:200]}") from error
    for name, column in frame.items():
        value = next((value for value in column if value is not None), None)
        if isinstance(value, bytes) or (isinstance(value, dict) and "bytes" in value):
            raise InputError(f"{path}: column '{name}' holds images themselves, not paths: hf:{path} reads it")
    return _table(path, frame, 1)


def _name_classes(frame: "pandas.DataFrame", metadata: Mapping[bytes, bytes]) -> None:
    """Put names in place of numbers in columns whose names Hugging Face's `datasets` wrote beside them."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return  # not theirs: numbers are then the names of classes
    for column, feature in features.items() if isinstance(features, dict) else ():
        names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
        if isinstance(names, list) and column in frame:
            by_number = {number: name for number, name in enumerate(names) if isinstance(name, str)}
            frame[column] = [by_number.get(value, value) for value in frame[column]]


def _table(path: Path, frame: "pandas.DataFrame", first: int) -> Table:
    columns: dict[str, list[str]] = {}
    several: dict[str, str] = {}
    held = [pair for name in frame.columns for pair in spread(str(name).strip(), frame[name].tolist())]
    for key, values in held:
        columns[key] = [_cell(value) for value in values]
        odd = next((value for value in values if _is_several(value)), None)
        if odd is not None:
            several[key] = str(list(odd) if not isinstance(odd, dict) else odd)[:60]
    return Table(path, columns, first, several)


def _is_several(value: Any) -> bool:
    return isinstance(value, dict) or (hasattr(value, "__len__") and not isinstance(value, str) and len(value) != 1)


def _cell(value: Any) -> str:
    if hasattr(value, "__len__") and not isinstance(value, str | dict) and len(value) == 1:
        return _cell(value[0])  # a list of one
    if value is None or value != value or _is_several(value):  # NaN is not itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
