"""Pushes to an object store and collections there see each other, without a lock that a dead process would keep.

A push first writes that it goes on, then looks whether a sweep does. A sweep first writes that it goes on, then looks
for pushes. Whoever of the two wrote second sees the other: a push withdraws and waits, a sweep waits and removes
nothing until no push is left. So no object goes while anybody counts on it and has not named it yet.

What a dead process wrote counts for nothing after a while, by the store's clock; the living stop long before that, by
whichever of their own clocks is ahead, so that a machine that slept does not think itself younger than it is.
"""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from munet.errors import StoreError
from munet.fs.bucket import Bucket

PUSHES = "pushes"
SWEEP = "gc/sweep.json"
_NOTE = 1000  # bytes
_PUSH_DIES, _PUSH_LIVES = timedelta(hours=24), 6 * 3600.0
_SWEEP_DIES, _SWEEP_LIVES = timedelta(hours=1), 600.0
_POLL = 1.0  # seconds
_PATIENCE = 60.0  # of a sweep for pushes


class Age:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.time(), time.monotonic()

    def seconds(self) -> float:
        wall, steady = self._began
        return max(time.time() - wall, time.monotonic() - steady)


class Push:
    """That somebody counts on what is in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._key = f"{PUSHES}/{secrets.token_hex(8)}"
        self._age: Age | None = None

    def begin(self) -> None:
        """On return nothing is removed, until `end`; waits for a sweep that goes on."""
        while self._age is None:
            age = Age()
            self._bucket.put(self._key, b"1", "overwrite")
            if not _sweeps(self._bucket):
                self._age = age
                return
            self.end()
            while _sweeps(self._bucket):
                time.sleep(_POLL)

    def lasts(self) -> bool:
        """Whether it has begun, and not so long ago that others may take it for dead."""
        return self._age is not None and self._age.seconds() < _PUSH_LIVES

    def end(self) -> None:
        self._age = None
        self._bucket.delete([self._key])


class Sweep:
    """That objects are removed from a bucket just now."""

    def __init__(self) -> None:
        self._age = Age()

    def lasts(self) -> bool:
        """Whether it may go on removing: not so long that pushes may take it for dead."""
        return self._age.seconds() < _SWEEP_LIVES


@contextmanager
def sweeping(bucket: Bucket, patience: float | None = None) -> Iterator[Sweep]:
    """Inside, no push goes on that counts on anything. StoreError, kind busy, where one goes on for longer than
    `patience` seconds (a minute), and where another sweep goes on."""
    sweep, note = Sweep(), secrets.token_hex(8)
    mark = _announce(bucket, note)
    try:
        _wait_for_pushes(bucket, _PATIENCE if patience is None else patience)
        yield sweep
    finally:
        # On condition that it is still ours: a sweep that was taken for dead does not end another one.
        bucket.put(SWEEP, _note(note, over=True), mark)


def _announce(bucket: Bucket, note: str) -> dict[str, str]:
    busy = StoreError(f"{bucket.name}: another collection goes on there: do this again later", kind="busy")
    if _sweeps(bucket):
        raise busy
    found, mark = bucket.get(SWEEP, _NOTE)
    mine = _note(note, over=False)
    made = bucket.put(SWEEP, mine, "create" if found is None else mark)
    if made is not None:
        return made
    found, made = bucket.get(SWEEP, _NOTE)
    if found != mine:  # else the answer was lost, after it had been written
        raise busy
    return made


def _wait_for_pushes(bucket: Bucket, patience: float) -> None:
    age = Age()
    while pushes := list(bucket.list(PUSHES)):
        now = bucket.clock()
        dead = [push.key for push in pushes if now - push.modified > _PUSH_DIES]
        bucket.delete(dead)
        if len(dead) == len(pushes):
            continue
        if age.seconds() > patience:
            raise StoreError(
                f"{bucket.name}: somebody pushes there just now, so nothing was removed: do this again later. What a "
                f"push that was killed left in {PUSHES}/ counts for {_PUSH_DIES // timedelta(hours=1)} hours",
                kind="busy",
            )
        time.sleep(min(_POLL, patience))


def _sweeps(bucket: Bucket) -> bool:
    data, _ = bucket.get(SWEEP, _NOTE)
    if data is None or _is_over(data):
        return False
    began = bucket.modified(SWEEP)
    return began is not None and bucket.clock() - began <= _SWEEP_DIES


def _note(id: str, *, over: bool) -> bytes:
    return json.dumps({"sweep": id, "over": over}, sort_keys=True).encode() + b"\n"


def _is_over(data: bytes) -> bool:
    """What cannot be read counts as a sweep that goes on, until it is old."""
    try:
        note: Any = json.loads(data)
        return bool(note["over"])
    except (ValueError, TypeError, KeyError):
        return False
