"""Names of classes in the `meta.json` beside arrays: a list, or an object of numbers and names."""

import json
import re
from pathlib import Path
from typing import Any

from munet.errors import InputError

_NUMBER = re.compile(r"0|[1-9]\d*")


def names_in_meta(file: Path) -> tuple[tuple[str, ...] | None, list[str]]:
    """The names under `classes`, in their order, None where there are none; and a note where it holds something else.
    InputError where it cannot be read."""
    if not file.is_file():
        return None, []
    try:
        found = json.loads(file.read_text("utf-8")).get("classes")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"{file}: cannot be read as a JSON object ({error})") from error
    if isinstance(found, list):
        return tuple(str(name) for name in found), []
    if isinstance(found, dict) and (names := _by_number(found)) is not None:
        return names, []
    what = f"{file.name}: 'classes' is no list of names and is not used: write " + '["cat", "dog"]'
    return None, [] if found is None else [what]


def _by_number(found: dict[str, Any]) -> tuple[str, ...] | None:
    """{"0": "cat", "1": "dog"}, or {"cat": 0, "dog": 1}, as a list; None for what has gaps."""
    if all(_NUMBER.fullmatch(key) for key in found):
        numbered = {int(key): name for key, name in found.items()}
    elif all(isinstance(value, int) for value in found.values()):
        numbered = {value: key for key, value in found.items()}
    else:
        return None
    if not numbered or len(numbered) < len(found) or sorted(numbered) != list(range(len(numbered))):
        return None
    return tuple(str(numbered[number]) for number in range(len(numbered)))
