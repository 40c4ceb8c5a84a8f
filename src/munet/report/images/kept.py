"""What was measured of a model, in the cache folder: any file there may be deleted at any time."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from munet.errors import StoreError
from munet.fs.atomic import make_folder, write_atomic
from munet.fs.cache import cache_folder, cache_limit

_ROOM = 200_000_000  # bytes at most; a task takes about 0.1 MB


def key_of(*facts: Any) -> str:
    """A name for all that decides what is measured."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:40]


def recall(key: str) -> Any:
    """What was kept under a key; None where nothing was, or it is damaged."""
    with suppress(OSError, ValueError):
        digest, _, text = _file(key).read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() == digest:
            return json.loads(text)
    return None


def keep(key: str, value: Any) -> None:
    """Keep a value, if there is a folder for it and room in it; what is oldest goes."""
    if cache_limit(_ROOM * 10) == 0:
        return
    text = json.dumps(value, allow_nan=False).encode()
    with suppress(OSError, StoreError):  # it is measured again, then
        make_folder(_folder())
        write_atomic(_file(key), hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
        _make_room()


def _make_room() -> None:
    files = sorted(((path.stat(), path) for path in _folder().iterdir()), key=lambda one: -one[0].st_mtime)
    total = 0
    for state, path in files:
        total += state.st_size
        if total > _ROOM:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "measured"


def _file(key: str) -> Path:
    return _folder() / f"{key}.json"
