"""JSON on disk: manifests, whose name is their hash, and records, which carry theirs as the last key."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from munet.errors import DamagedError, InputError, StoreError
from munet.fs.decoding import BYTES, DecodingError, check_depth, decode_json

FORMAT = 1
_SEAL = re.compile(rb',?"sha256":"([0-9a-f]{64})"\}\n\Z')
_SEAL_LENGTH = 78  # bytes at most; see format.md


class RecordError(ValueError):
    """The bytes are not what was written. The message says how, to be put behind a file name."""


class NewerError(ValueError):
    """The bytes are whole, but of a format that a later munet made."""


class DamagedFile(DamagedError):
    """A file of a system that is missing or does not hold what it should."""

    def __init__(self, path: Path, reason: str, system: Path):
        super().__init__(f"{path} {reason}; `munet fsck {system}` lists all damage and the tasks that it hurts")
        self.path = path
        self.reason = reason


class DamagedMarkerError(DamagedError, StoreError):
    """The `munet.json` of a system is not what munet wrote, so that nothing of it can be read."""

    def __init__(self, marker: Path | str, reason: str):
        super().__init__(f"{marker} {reason}: take it from a backup")


def canonical(value: Any, what: str) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8. Raises InputError for what JSON cannot hold, and for
    what would be too large or too deep to be read again."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        data = text.encode()
        check_depth(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{what} cannot be stored as JSON: {error}") from error
    if len(data) > BYTES:
        raise InputError(f"{what} takes {len(data)} bytes: a record may have at most {BYTES}")
    return data


def marker_of(root: str) -> bytes:
    """What stands in the `munet.json` of a system with this root."""
    return canonical({"format": FORMAT, "root": root}, "the root's id") + b"\n"


def seal(record: Mapping[str, object], what: str) -> bytes:
    """A record's file: its canonical JSON with the SHA-256 of exactly that text put in as the last key."""
    body = canonical({key: value for key, value in record.items() if key != "sha256"}, what)
    comma = b"" if body == b"{}" else b","
    return body[:-1] + comma + b'"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def unseal(data: bytes) -> dict[str, Any]:
    """Inverse of `seal`. Raises RecordError for any other bytes, NewerError for a record of a newer munet."""
    match = _SEAL.search(data, max(0, len(data) - _SEAL_LENGTH))
    if match is None:
        raise RecordError("is cut short or was not written by munet")
    body = data[: match.start()] + b"}"
    if hashlib.sha256(body).hexdigest() != match[1].decode():
        raise RecordError("does not match the checksum inside it")
    return parse(body)


def parse(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises RecordError for any other bytes, NewerError when its `format` is newer than this munet."""
    try:
        value = decode_json(data)
    except DecodingError as error:
        raise RecordError(f"is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise RecordError("holds no JSON object")
    written = value.get("format")
    if isinstance(written, int) and written > FORMAT:
        raise NewerError(f"has format {written}, this munet reads up to {FORMAT}: update munet")
    return value
