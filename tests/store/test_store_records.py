"""Canonical JSON and the seal on mutable records."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from munet.errors import InputError
from munet.store.records import NewerError, RecordError, canonical, parse, seal, unseal

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
keys = st.text().filter(lambda key: key not in ("sha256", "format"))
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=8)
records = st.dictionaries(keys, values, max_size=5)
SAMPLE = {"format": 1, "name": "mnist", "accuracy": 0.97, "classes": ["ä", 'q"', "7"], "model": None}


def encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(records.filter(encodable))
@settings(max_examples=150, deadline=None)
def test_seal_round_trip(record: dict[str, Any]):
    data = seal(record, "it")
    assert unseal(data) == record
    assert json.loads(data).items() >= record.items()  # an ordinary JSON reader gets it too


def test_canonical_form_is_fixed():
    assert canonical({"b": [1, 0.1], "a": "ä"}, "it") == '{"a":"ä","b":[1,0.1]}'.encode()
    assert canonical({"a": 1, "b": 2}, "it") == canonical({"b": 2, "a": 1}, "it")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes", "\ud800"])
def test_what_json_cannot_hold_is_refused(value: Any):
    with pytest.raises(InputError, match="the record of task 'x' cannot be stored as JSON"):
        seal({"value": value}, "the record of task 'x'")


def test_seal_can_be_checked_by_hand():
    """As docs/format.md tells outsiders to: cut the last key out of the bytes and hash the rest."""
    data = seal(SAMPLE, "it")
    body = data[: -len(',"sha256":"' + "0" * 64 + '"}\n')] + b"}"
    assert json.loads(body) == SAMPLE
    assert hashlib.sha256(body).hexdigest() == json.loads(data)["sha256"]


def test_seal_of_nothing_and_of_a_sealed_record():
    assert unseal(seal({}, "it")) == {}
    assert seal(json.loads(seal(SAMPLE, "it")), "it") == seal(SAMPLE, "it")


def test_every_bit_flip_is_found():
    data = seal(SAMPLE, "it")
    for position in range(len(data)):
        for bit in range(8):
            wrong = bytearray(data)
            wrong[position] ^= 1 << bit
            with pytest.raises((RecordError, NewerError)):
                unseal(bytes(wrong))


def test_every_truncation_is_found():
    data = seal(SAMPLE, "it")
    for length in range(len(data)):
        with pytest.raises(RecordError, match=r"cut short|checksum"):
            unseal(data[:length])


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"x", b'"}\n'])
def test_every_tail_is_found(tail: bytes):
    with pytest.raises(RecordError):
        unseal(seal(SAMPLE, "it") + tail)


def test_edit_by_hand_is_found():
    with pytest.raises(RecordError, match="does not match the checksum"):
        unseal(seal(SAMPLE, "it").replace(b"0.97", b"0.98"))


def test_newer_format_is_told_from_damage():
    with pytest.raises(NewerError, match="has format 2, this munet reads up to 1: update munet"):
        unseal(seal({**SAMPLE, "format": 2}, "it"))
    with pytest.raises(NewerError):
        parse(b'{"format":99}')


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b'"x"', b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_object(data: bytes):
    with pytest.raises(RecordError):
        parse(data)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_raise_only_our_errors(data: bytes):
    with pytest.raises((RecordError, NewerError)):
        unseal(data)
