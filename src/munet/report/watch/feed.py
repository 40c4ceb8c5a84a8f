"""The payload of the watched page, kept up to date while somebody looks: one for all viewers."""

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from munet.errors import MunetError
from munet.provenance import VERSION
from munet.report.watch.activity import EVOLVING, activity
from munet.report.watch.changes import Files, Look

Payload = dict[str, Any]
PAUSE = 1.0  # seconds between two looks at the files, and between two pushes, at least
SHARE = 0.25  # of one core that making payloads may take while the evolution needs it
PATIENCE = 5.0  # seconds after which models and layers that changed without a record were not a child on its way
ANEW = 5.0  # seconds after which progress is told anew though no file changed: what is left becomes less
RETRY = (2.0, 60.0)  # seconds until a payload that could not be made is tried again: at first, and at most


class Shown:
    """One payload as it is sent. Equal payloads have the same version, also when another process made them."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.data = text.encode("utf-8", "backslashreplace")  # half a character becomes its escape, which JSON knows
        self.version = hashlib.sha256(self.data).hexdigest()[:16]

    @cached_property
    def packed(self) -> bytes:
        """The same, compressed, always to the same bytes."""
        return gzip.compress(self.data, 5, mtime=0)


@dataclass(frozen=True)
class State:
    """What is pushed: small, and enough to tell whether the page shows what there is."""

    number: int = 0  # counts up with every state of this process
    version: str | None = None  # of the payload; None before the first
    activity: str = "empty"
    run: str | None = None
    progress: str | None = None  # how far the runs that go on are, which task, how long
    changed: float = 0.0  # when a record of the system was last written, in seconds of the epoch; 0: never
    note: str | None = None  # why the page shows an older state than the system's

    def to_json(self) -> dict[str, Any]:
        state = {key: getattr(self, key) for key in ("version", "activity", "run", "progress", "changed", "note")}
        return {"munet": VERSION, **state, "now": time.time()}


class Feed:
    """Looks at the files once in `pause` seconds while somebody watches, and makes a payload when they changed.

    `make_payload` reads the system anew; what it raises becomes a note, and what was last made stays. `tell_progress`
    says in one line where the runs that go on are, and is asked when files have changed, and every few seconds.
    """

    def __init__(
        self,
        files: Files,
        make_payload: Callable[[], Payload],
        *,
        tell_progress: Callable[[], str] | None = None,
        pause: float = PAUSE,
        share: float = SHARE,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.thread_time,
    ) -> None:
        self.state = State()
        self.shown: Shown | None = None
        self._files, self._make, self._tell_progress = files, make_payload, tell_progress
        self._told: tuple[Look, float, str | None] | None = None  # progress, as of these files, and when
        self._pause, self._share, self._patience = pause, share, patience
        self._clock, self._cost = clock, cost
        self._news = threading.Condition()  # guards state, shown and watchers
        self._watchers: list[Callable[[], None]] = []
        self._work = threading.Lock()  # guards what follows: one thread looks and makes
        self._made_of: Look | None = None
        self._objects: tuple[tuple[int, ...], float] | None = None  # as last seen, and since when
        self._objects_of: tuple[int, ...] | None = None  # as they were when the payload was made
        self._looked = self._not_before = float("-inf")
        self._fault: str | None = None  # of the last payload
        self._retry: tuple[float, float] | None = None  # when, and how long the wait for it is
        self._polling: threading.Thread | None = None

    @contextmanager
    def watching(self, heard: Callable[[], None]) -> Iterator[None]:
        """While inside, the files are looked at, and each new state calls `heard`, in another thread."""
        with self._news:
            self._watchers.append(heard)
            if self._polling is None:
                self._polling = threading.Thread(target=self._poll, name="munet-watch", daemon=True)
                self._polling.start()
            self._news.notify_all()
        try:
            yield
        finally:
            with self._news:
                self._watchers.remove(heard)

    def refresh(self) -> None:
        """Look at the files, unless somebody just did, and make a payload if they changed and it is time."""
        with self._work:
            if self._clock() - self._looked >= self._pause or self.shown is None:
                self._refresh()

    def _poll(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: bool(self._watchers))
            self.refresh()
            time.sleep(self._pause)

    def _refresh(self) -> None:
        look, now = self._files.look(), self._clock()
        self._looked = now
        if look.marker is None:
            self._tell(replace(self.state, note=f"{self._files.path} is no munet system any more, or cannot be read"))
            return
        doing, run = activity(self._files.path, look)
        state = State(activity=doing, run=run, progress=self._progress(look, doing), changed=round(look.newest, 3))
        if self.shown is None:
            self._tell(replace(state, note=self._fault))  # the first payload may take long
        if self._is_due(look, now):
            self._fault = self._remake(look)
        self._tell(replace(state, note=self._fault))

    def _progress(self, look: Look, doing: str) -> str | None:
        if self._tell_progress is None or doing != EVOLVING:
            return None
        now = self._clock()
        if self._told is None or self._told[0] != look or now - self._told[1] >= ANEW:
            self._told = look, now, self._tell_progress() or None
        return self._told[2]

    def _is_due(self, look: Look, now: float) -> bool:
        if self._objects is None or self._objects[0] != look.objects:
            self._objects = look.objects, now
        if now < self._not_before:
            return False
        failed = self._retry is not None and now >= self._retry[0]
        collected = self._objects_of != look.objects and now - self._objects[1] >= self._patience
        return failed or collected or look != self._made_of

    def _remake(self, look: Look) -> str | None:
        """Make the payload that belongs to these files; returns why it could not be made."""
        before = self._cost()
        # What changes from here on is seen by the next look.
        self._made_of, self._objects_of = look, look.objects
        try:
            shown = Shown(self._make())
        except Exception as error:
            wait = min(2 * self._retry[1], RETRY[1]) if self._retry else RETRY[0]
            self._retry = self._clock() + wait, wait
            return _error_text(error)
        else:
            self._retry = None
            with self._news:
                if self.shown is None or shown.version != self.shown.version:
                    self.shown = shown
            return None
        finally:
            spent = self._cost() - before  # of processor time: on a busy machine it takes longer, and costs no more
            self._not_before = self._clock() + max(self._pause, spent * (1 / self._share - 1))

    def _tell(self, state: State) -> None:
        with self._news:
            old = self.state
            new = replace(state, number=old.number, version=self.shown.version if self.shown else None)
            if new != old:
                self.state = replace(new, number=old.number + 1)
                for heard in self._watchers:
                    heard()


def _error_text(error: Exception) -> str:
    if isinstance(error, MunetError):
        return str(error)
    return f"the system cannot be read ({f'{type(error).__name__}: {error}'.rstrip(': ')})"
