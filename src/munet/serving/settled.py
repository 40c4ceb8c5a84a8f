"""Whether anything in a folder was replaced since the last look, by the folder's own time.

Reading all records of a large system again every second would take what answers need.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

_SETTLED = 2.0  # seconds: while a folder's time is this young, two changes may fall into one tick of the clock
_TRUST = 30.0  # seconds: whoever damages a file may do it in place, which the folder's time does not tell


class Settled:
    """Looks at one folder, whose files are replaced as munet does it: under another name, then renamed."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock
        self._seen: tuple[int, int] | None = None
        self._trusted = 0.0  # until then what was seen is believed

    def is_so(self) -> bool:
        """Whether the folder is as it was at the last call; False also where it cannot be seen, or not be trusted."""
        now = self._clock()
        try:
            found = os.stat(self._folder)
        except OSError:
            self._seen = None
            return False
        seen = (found.st_ino, found.st_mtime_ns)
        if seen == self._seen and now < self._trusted:
            return True
        self._seen = seen
        self._trusted = now + _TRUST if now - found.st_mtime > _SETTLED else 0.0
        return False
