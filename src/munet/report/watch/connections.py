"""Who is connected: no client may keep the others out, neither by many connections nor by saying nothing on them.

A connection waits until its request is whole, and again between two requests. One that waits too long is closed; where
there is no room for another one, the oldest of those that wait makes it.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

CONNECTIONS = 100  # at once
PER_CLIENT = 30  # of these from one address of another machine; those of this one may come through a proxy or tunnel
DEADLINE = 10.0  # seconds until a request is whole


@dataclass
class _Connection:
    client: str
    waits_since: float | None  # None while a request is answered


class Connections:
    """The open connections of a server, and which of them wait for a request."""

    def __init__(self, *, loopback: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_loopback, self._clock = loopback, clock
        self._open: dict[socket.socket, _Connection] = {}
        self._lock = threading.Lock()

    def admit(self, request: socket.socket, client: str) -> bool:
        """Whether there is room for a new connection; one that waits is hung up for it where there is none."""
        with self._lock:
            own = [other for other, known in self._open.items() if known.client == client]
            if len(own) >= PER_CLIENT and not self._is_loopback(client) and not self._evict(own):
                return False
            if len(self._open) >= CONNECTIONS and not self._evict(list(self._open)):
                return False
            self._open[request] = _Connection(client, self._clock())
            return True

    def answering(self, request: socket.socket) -> None:
        """Its request is whole: it is not hung up before the answer is sent."""
        with self._lock:
            if request in self._open:
                self._open[request].waits_since = None

    def waiting(self, request: socket.socket) -> None:
        """It was answered, and may ask again."""
        with self._lock:
            if request in self._open:
                self._open[request].waits_since = self._clock()

    def drop(self, request: socket.socket) -> None:
        """It is closed."""
        with self._lock:
            self._open.pop(request, None)

    def hang_up_late(self) -> None:
        """Close those that have waited for longer than the deadline."""
        with self._lock:
            now = self._clock()
            for request, known in list(self._open.items()):
                if known.waits_since is not None and now - known.waits_since > DEADLINE:
                    self._hang_up(request)

    def hang_up(self) -> None:
        """Close all."""
        with self._lock:
            for request in list(self._open):
                self._hang_up(request)

    def _evict(self, among: list[socket.socket]) -> bool:
        waiting = [(since, request) for request in among if (since := self._open[request].waits_since) is not None]
        if not waiting:
            return False
        self._hang_up(min(waiting, key=lambda pair: pair[0])[1])
        return True

    def _hang_up(self, request: socket.socket) -> None:
        # Its thread sees the end of the connection, and closes it.
        self._open.pop(request)
        with suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)
