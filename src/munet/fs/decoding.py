"""Text of outside files as values, within bounds: size, depth, digits. The one place where JSON and TOML are read.

A few bytes can ask a parser for much: brackets in brackets for its stack, a number of many digits for time that grows
with their square, `1e999` for a number that nothing can be computed with.
"""

import json
import math
import tomllib
from typing import Any

DEPTH = 64  # lists and objects in one another
DIGITS = 40  # of a whole number
BYTES = 8 << 20  # of a text; what it becomes may take twenty times as much memory
_TOML_PARTS = 10_000  # brackets, braces or dots: the time for a key of many dots grows with their square


class DecodingError(ValueError):
    """The bytes are not what they should be. The message says why, to be put in brackets."""


def decode_json(data: bytes | str, limit: int = BYTES) -> Any:
    """The value of a JSON text. DecodingError for other bytes, NaN and infinities, and what the bounds do not allow."""
    if len(data) > limit:
        raise DecodingError(f"it has {len(data)} bytes, more than {limit}")
    try:
        value = json.loads(data, parse_int=_whole, parse_float=_number, parse_constant=_constant)
    except DecodingError:
        raise
    except (ValueError, RecursionError) as error:
        raise DecodingError(str(error)) from error
    check_depth(value)
    return value


def decode_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises DecodingError with the place of the fault."""
    if len(text) > BYTES:
        raise DecodingError(f"it has {len(text)} characters, more than {BYTES}")
    if max(text.count("["), text.count("{"), text.count(".")) > _TOML_PARTS:
        raise DecodingError(f"it has more than {_TOML_PARTS} brackets or dots")
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodingError(str(error)) from error
    check_depth(value)
    return value


def check_depth(value: Any, depth: int = DEPTH) -> None:
    """DecodingError where lists and objects are nested deeper."""
    level: list[Any] = [value]
    for _ in range(depth + 1):
        inner: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                inner += part.values()
            elif isinstance(part, list):
                inner += part
        if not inner:
            return
        level = inner
    raise DecodingError(f"it is nested more than {depth} deep")


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise DecodingError(f"a number of {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise DecodingError(f"the number {text[:DIGITS]} is too large")
    return value


def _constant(text: str) -> float:
    raise DecodingError(f"{text} is no number in JSON")
