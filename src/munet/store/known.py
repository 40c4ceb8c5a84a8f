"""Bytes that were read before and found whole: who reads a thousand records again and again checks each once."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from cachetools import LRUCache

_MOST = 16 << 20  # bytes that are remembered at most: some thousand records


class Known:
    """Remembers by the bytes themselves, not by names or times of files: what changed on the disk is checked again."""

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._lock = most, threading.Lock()
        self._found: LRUCache[bytes, str] = LRUCache(most, getsizeof=lambda text: 2 * len(text))

    def read(self, data: bytes, check: Callable[[bytes], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What `check` makes of the bytes; each who asks may change what it gets. What it raises is not remembered."""
        with self._lock:
            text = self._found.get(data)
        if text is not None:
            return json.loads(text)
        value = check(data)
        text = json.dumps(value)
        if 2 * len(text) <= self._most:
            with self._lock:
                self._found[data] = text
        return value
