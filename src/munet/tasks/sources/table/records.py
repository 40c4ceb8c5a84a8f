"""The rows of a JSON file: an object on each line, an array of objects, or one object of files and labels."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from munet.errors import InputError
from munet.tasks.sources.split_column import of_usual_name
from munet.tasks.sources.table.columns_known import IMAGE, LABEL

_ROW = '{"image": "1.jpg", "label": "a"}'


def records_in(path: Path, text: str) -> tuple[list[Any], list[str]]:
    """The rows, each an object, and notes. InputError where it is no JSON, or JSON that holds no rows."""
    start = text.lstrip()[:1]
    if start == "[":
        records = _parsed(path, text)
    elif start == "{" and (whole := _one_object(text)) is not None:
        _refuse_coco(path, whole)
        if _is_map(whole):
            pairs = json.loads(text, object_pairs_hook=list)  # one that stands there twice, too
            note = f"{path.name} is one object of {len(pairs):,} files and labels"
            return [{"file": file, "label": label} for file, label in pairs], [note]
        _refuse_columns(path, whole)
        records = [whole]
    else:
        records = _lines(path, text)
    wrong = next((index for index, record in enumerate(records) if not isinstance(record, dict)), None)
    if wrong is not None:
        raise InputError(f"{path} row {wrong + 1}: must be a JSON object such as {_ROW}")
    return records, []


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}") from error


def _lines(path: Path, text: str) -> list[Any]:
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} line {number}: cannot be read as a JSON object: {error}") from error
    return records


def _one_object(text: str) -> dict[str, Any] | None:
    """What a file holds that is one object; None for one on each line, and for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _refuse_coco(path: Path, whole: Mapping[str, Any]) -> None:
    if isinstance(whole.get("images"), list) and isinstance(whole.get("annotations"), list):
        raise InputError(
            f"{path}: this is COCO, whose annotations are of objects in images, perhaps several in one: a task has one "
            f"class for each image, so write a line for each image, such as {_ROW}, to a file that ends in .jsonl"
        )


def _is_map(whole: Mapping[str, Any]) -> bool:
    """Whether an object says the label of each file: words or numbers, under keys that are no names of columns."""
    if len(whole) < 2 or of_usual_name(list(whole), (*IMAGE, *LABEL)):
        return False
    return all(value is None or isinstance(value, str | int | float) for value in whole.values())


def _refuse_columns(path: Path, whole: Mapping[str, Any]) -> None:
    """InputError for an object that holds all of a table, by columns or by classes, and not a row."""
    kinds = {type(value) for value in whole.values()}
    if len(whole) > 1 and kinds in ({list}, {dict}):
        what = "lists" if kinds == {list} else "objects"
        some = ", ".join(list(whole)[:3]) + (", …" if len(whole) > 3 else "")
        raise InputError(
            f"{path}: this is one object of {what} ({some}), not rows: write a line for each image, such as {_ROW}, to "
            'a file that ends in .jsonl, or one object of files and labels, {"1.jpg": "a", "2.jpg": "b"}'
        )
