"""Where munet keeps what it can make again, and how much of it."""

import os
import re
from pathlib import Path

from munet.errors import InputError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?)B?", re.IGNORECASE | re.ASCII)
_MOST = 50 * 10**9


def cache_folder() -> Path:
    """$MUNET_CACHE, else munet in $XDG_CACHE_HOME, else ~/.cache/munet. It need not exist."""
    if given := os.environ.get("MUNET_CACHE"):
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is invalid and to be ignored.
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "munet"


def cache_limit(room: int) -> int:
    """Bytes that the folder may hold: $MUNET_CACHE_SIZE (as 20GB, 500M or plain bytes; 0 for none), else 50 GB or a
    tenth of `room`, the smaller; `room` is what it holds and what is free. InputError for another value."""
    given = os.environ.get("MUNET_CACHE_SIZE", "").strip()
    if not given:
        return min(_MOST, room // 10)
    match = _SIZE.fullmatch(given)
    if match is None:
        raise InputError(f"MUNET_CACHE_SIZE={given}: give a number of bytes, such as 20GB or 500M, or 0 for no cache")
    return int(float(match["number"]) * _UNITS[match["unit"].upper()])
