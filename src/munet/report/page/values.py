"""Table values as JSON values: NaN and what numpy and pandas have of their own are gone."""

import math
from collections.abc import Iterable
from typing import Any

DIGITS = 5  # that count, in what is drawn; numbers that are read come unrounded


def plain(value: Any) -> Any:
    """A value of a table cell."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value


def rounded(value: Any) -> Any:
    """A number as short as a drawing allows."""
    value = plain(value)
    return plain(float(f"{value:.{DIGITS}g}")) if isinstance(value, float) else value


def column(values: Iterable[Any]) -> list[Any]:
    return [rounded(value) for value in values]
