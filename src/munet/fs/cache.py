"""The folder of munet's cache, and how much it may hold."""

import os
from pathlib import Path

from munet.fs.sizes import parse_size

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
    return parse_size(given, f"MUNET_CACHE_SIZE={given}")
