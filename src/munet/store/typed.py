"""Whether a value that was read has the type that the schema gives it: every record and manifest passes through here.

Keys that a record lacks are no fault unless the schema says `Required`, for older and other writers leave some out; who
needs one says so. Keys that the schema does not know are kept. `Any` takes everything.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    NoneType: "null",
}


def wrong_type(value: object, wanted: Any, place: str = "") -> str | None:
    """What is wrong with a value, such as `'splits.train.examples' should be a whole number, not a text`; None if it
    is of the type, or of one of the types, that is `wanted`: a TypedDict, `list[...]`, `dict[str, ...]` or a scalar."""
    if wanted is Any:
        return None
    if is_typeddict(wanted):
        return _wrong_keys(value, wanted, place)
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin in (NotRequired, Required):
        return wrong_type(value, parts[0], place)
    if origin in (Union, UnionType):
        faults = [wrong_type(value, part, place) for part in parts]
        return None if None in faults else _nearest(value, parts, faults, place)
    if origin is list:
        if not isinstance(value, list):
            return _fault(value, list, place)
        faults = (wrong_type(part, parts[0], f"{place}.{number}") for number, part in enumerate(value))
        return next((fault for fault in faults if fault is not None), None)
    if origin is dict:
        if not isinstance(value, dict):
            return _fault(value, dict, place)
        faults = (wrong_type(part, parts[1], f"{place}.{name}") for name, part in value.items())
        return next((fault for fault in faults if fault is not None), None)
    return None if _is(value, wanted) else _fault(value, wanted, place)


def _is(value: object, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted) and (wanted is not int or not isinstance(value, bool))


def _wrong_keys(value: object, wanted: Any, place: str) -> str | None:
    if not isinstance(value, Mapping):
        return _fault(value, dict, place)
    types = _types(wanted)
    for name, kind in types.items():
        if get_origin(kind) is Required and name not in value:
            return f"'{f'{place}.{name}'.lstrip('.')}' is missing"
    known = [name for name in types if name in value]
    faults = (wrong_type(value[name], types[name], f"{place}.{name}" if place else name) for name in known)
    return next((fault for fault in faults if fault is not None), None)


@lru_cache(maxsize=64)
def _types(wanted: Any) -> dict[str, Any]:
    return get_type_hints(wanted, include_extras=True)


def _nearest(value: object, parts: tuple[Any, ...], faults: list[str | None], place: str) -> str:
    """Of several types: what is wrong within the one that is a container like the value, or that none fits."""
    for part, fault in zip(parts, faults, strict=True):
        container = dict if is_typeddict(part) else get_origin(part)
        if fault is not None and container in (dict, list) and isinstance(value, container):
            return fault
    words = " or ".join(_word(part) for part in parts)
    return f"'{place.lstrip('.')}' should be {words}, not {_shown(value)}"


def _fault(value: object, wanted: Any, place: str) -> str:
    return f"'{place.lstrip('.')}' should be {_word(wanted)}, not {_shown(value)}"


def _word(wanted: Any) -> str:
    return _WORDS.get(get_origin(wanted) or wanted, "an object")


def _shown(value: object) -> str:
    return _WORDS.get(type(value), "an object")
