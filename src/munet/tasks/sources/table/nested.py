"""Columns of objects as columns of what these hold: `ann` of {"label": "a"} is the column `ann.label`."""

from collections.abc import Iterator, Sequence
from typing import Any

_DEEPEST = 3  # objects in objects
_MOST = 50  # keys of the objects of a column; more are data, not columns


def spread(name: str, values: Sequence[Any], depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """The column itself, or where all that stands in it are objects, a column for each of their keys."""
    there = [value for value in values if value is not None and not _is_nan(value)]
    if depth < _DEEPEST and there and all(isinstance(value, dict) for value in there):
        keys = dict.fromkeys(key for value in there for key in value)
        if 0 < len(keys) <= _MOST:
            for key in keys:
                held = [value.get(key) if isinstance(value, dict) else None for value in values]
                yield from spread(f"{name}.{key}", held, depth + 1)
            return
    yield name, list(values)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value
