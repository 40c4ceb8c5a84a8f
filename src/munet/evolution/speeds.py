"""Speeds that were measured on this machine, so that a run says how long it takes without measuring again."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from time import time
from typing import Any

from munet.errors import MunetError
from munet.fs.atomic import make_folder, write_atomic
from munet.fs.cache import cache_folder
from munet.provenance import machine, person, versions

_AGE = 3600.0  # seconds for which one is trusted: other work on the machine comes and goes


class MeasuredSpeed:
    """Images a second of one way to train, in a file of the cache. A cache that cannot be used is as good as empty."""

    def __init__(self, way: Mapping[str, Any]) -> None:
        self.way = {**way, **machine(), **versions(), "host": person()["host"]}
        key = hashlib.sha256(json.dumps(self.way, sort_keys=True).encode()).hexdigest()
        self.path = cache_folder() / "speeds" / f"{key[:32]}.json"

    def read(self) -> float | None:
        """None where it was not measured of late."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self.path.read_bytes())
            if 0 <= time() - found["measured"] < _AGE:
                return float(found["images"]) or None
        return None

    def write(self, images: float) -> None:
        with suppress(OSError, MunetError):
            make_folder(self.path.parent)
            write_atomic(self.path, json.dumps({"images": images, "measured": time(), "way": self.way}).encode())
