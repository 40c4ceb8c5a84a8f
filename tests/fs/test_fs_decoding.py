"""JSON and TOML of strangers: values or one kind of error, within bounds."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.fs.decoding import DEPTH, DecodingError, check_depth, decode_json, decode_toml

SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_writes_is_read(value: Any):
    assert decode_json(json.dumps(value)) == value
    assert decode_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200) | st.text('[]{}":,0123456789.eE+-truefalsnN \\u', max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_a_value_or_one_kind_of_error(data: bytes | str):
    for read in (decode_json, lambda data: decode_toml(data if isinstance(data, str) else data.decode("latin-1"))):
        with suppress(DecodingError):
            check_depth(read(data))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000 + "]" * 100_000, "recursion|nested"),
        ("[" * (DEPTH + 2) + "]" * (DEPTH + 2), f"nested more than {DEPTH} deep"),
        ('{"a":' * (DEPTH + 2) + "1" + "}" * (DEPTH + 2), f"nested more than {DEPTH} deep"),
        ("9" * 5000, "a number of 5000 digits"),
        ("-" + "9" * 60, "a number of 61 digits"),
        ("1e999", "the number 1e999 is too large"),
        ("NaN", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("1" * 100, "100 digits"),
        ("", "Expecting value"),
        ("[1] [2]", "Extra data"),
        ('"\\u12', "Invalid"),
    ],
)
def test_what_json_may_not_be(text: str, says: str):
    for data in (text, text.encode()):
        with pytest.raises(DecodingError, match=says):
            decode_json(data)


def test_nothing_too_large_is_read():
    assert decode_json(b"[1,2]", 5) == [1, 2]
    with pytest.raises(DecodingError, match="it has 5 bytes, more than 4"):
        decode_json(b"[1,2]", 4)
    for data in (b" " * (9 << 20), " " * (9 << 20)):
        with pytest.raises(DecodingError, match="more than"):
            decode_json(data)
    with pytest.raises(DecodingError, match="more than"):
        decode_toml("#" * (9 << 20))


TOO_MUCH = ("a = " + "[" * 5000 + "]" * 5000, "a." * 20_000 + "b = 1", "a = " + "9" * 5000, "a = {b=" * 3000)


@pytest.mark.parametrize("text", [*TOO_MUCH, "a = 1\na = 2", "["])
def test_what_toml_may_not_be(text: str):
    with pytest.raises(DecodingError):
        decode_toml(text)


def test_toml_is_read():
    assert decode_toml("a = 1\n[b]\nc = [1.5, 'x']\n") == {"a": 1, "b": {"c": [1.5, "x"]}}
