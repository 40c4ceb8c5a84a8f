"""Who is connected: no client may keep the others out, neither by many connections nor by saying nothing on them.

A connection waits until the head of its request is whole, and again between two requests. One that waits too long is
hung up; where there is no room for another one, the one that has waited longest makes it. uvicorn's own
`limit_concurrency` counts connections that wait like any other, and would refuse everybody for a hundred of them.
"""

import asyncio
import resource
from functools import partial
from typing import Any, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from munet.serving.access import is_loopback

CONNECTIONS = 100  # at once
PER_CLIENT = 30  # of these from one address of another machine; those of this one may come through a proxy or tunnel
_OTHER_FILES = 128  # that a server may have open beside its connections
DEADLINE = 10.0  # seconds until the head of a request is whole
STALL = 30.0  # seconds in which a client may take nothing of an answer


class Connection(Protocol):
    """What is known of a connection. `host` is the address of the client."""

    host: str

    def hang_up(self) -> None: ...


class Connections:
    """The open connections of a server, `most` at once, and which of them wait for a request."""

    def __init__(self, most: int, per_client: int) -> None:
        self._most, self._per_client = most, per_client
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}  # longest first

    def admit(self, new: Connection) -> bool:
        """Whether there is room for a new connection; one that waits is hung up for it where there is none."""
        own = [other for other in self._open if other.host == new.host]
        if len(own) >= self._per_client and not is_loopback(new.host) and not self._evict(set(own)):
            return False
        if len(self._open) >= self._most and not self._evict(self._open):
            return False
        self._open.add(new)
        self._waiting[new] = None
        return True

    def answering(self, one: Connection) -> None:
        """The head of its request is whole: it makes no room for others before the answer is sent."""
        self._waiting.pop(one, None)

    def waiting(self, one: Connection) -> None:
        """It was answered, and may ask again."""
        if one in self._open:
            self._waiting[one] = None

    def drop(self, one: Connection) -> None:
        """It is closed."""
        self._open.discard(one)
        self._waiting.pop(one, None)

    def hang_up(self) -> None:
        """Close all."""
        for one in list(self._open):
            self.drop(one)
            one.hang_up()

    def _evict(self, among: set[Connection]) -> bool:
        oldest = next((one for one in self._waiting if one in among), None)
        if oldest is None:
            return False
        self.drop(oldest)
        oldest.hang_up()
        return True


def room_for(wanted: int) -> int:
    """How many connections may be open at once: as many as that where the process may have so many files open, which
    is raised as far as the system allows."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    allowed = needed if most == resource.RLIM_INFINITY else min(needed, most)
    if least != resource.RLIM_INFINITY and least < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
        least = allowed
    return wanted if least == resource.RLIM_INFINITY else max(1, min(wanted, least - _OTHER_FILES))


def protocol_of(connections: Connections) -> Any:
    """What uvicorn makes for each connection (its option `http`), so that these are kept."""
    return partial(_Counted, connections)


class _Counted(H11Protocol):
    """uvicorn's connection, which is counted, and hung up when nothing comes or nothing is taken."""

    def __init__(self, counts: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._counts = counts
        self._timer: asyncio.TimerHandle | None = None
        self._is_full = False  # of an answer that waits to be taken
        self.host = "127.0.0.1"

    def hang_up(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.host = self.client[0] if self.client else self.host
        if self._counts.admit(self):
            self._hang_up_after(DEADLINE)
        else:
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.drop(self)
        self._hang_up_after(None)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if not self._waits():
            self._counts.answering(self)
            self._hang_up_after(None)

    def on_response_complete(self) -> None:
        if not self._is_full:
            self._await_request()
        super().on_response_complete()  # may go on with the next request, which has come already

    def pause_writing(self) -> None:
        super().pause_writing()
        self._is_full = True
        self._await_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_full = False
        self._hang_up_after(None)
        if self._waits():
            self._await_request()

    def _await_request(self) -> None:
        self._counts.waiting(self)
        self._hang_up_after(DEADLINE)

    def _await_taking(self) -> None:
        self._hang_up_after(STALL, unless_below=self.transport.get_write_buffer_size())

    def _waits(self) -> bool:
        return not self.cycle or self.cycle.response_complete

    def _hang_up_after(self, seconds: float | None, unless_below: int = 0) -> None:
        """Hang up then, and nothing earlier; not where fewer than so many bytes still wait to be taken."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late, unless_below)

    def _late(self, unless_below: int) -> None:
        if self.transport.get_write_buffer_size() < unless_below:
            self._await_taking()
        else:
            self.hang_up()
