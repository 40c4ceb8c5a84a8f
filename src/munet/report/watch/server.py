"""The server of `munet watch`: where it listens, and who it lets in. What answers is the server of `munet serve`."""

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from munet.report.watch.changes import Files
from munet.report.watch.feed import Feed, Payload
from munet.report.watch.site import HEARTBEAT, Site
from munet.serving.access import Access, checked_token, is_loopback, new_token
from munet.serving.connections import CONNECTIONS, PER_CLIENT, Connections
from munet.serving.listening import address_of, listening
from munet.serving.running import prepared

PORT = 8467


class Server:
    """Serves the page of one system. Use `bind`, then `start`; `stop` ends it at once."""

    def __init__(self, listener: socket.socket, site: Site) -> None:
        self.site, self.feed, self.access = site, site.feed, site.access
        self.port, self.url = site.access.port, site.url
        self._listener = listener
        self._connections = Connections(CONNECTIONS, PER_CLIENT)
        self._inner = prepared(site, self._connections, log_level="critical", lifespan="off")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="munet-watch-http", daemon=True)

    @property
    def full_url(self) -> str:
        """The address to open."""
        return self.url if self.access.token is None else f"{self.url}?token={self.access.token}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Stop listening and hang up."""
        self._inner.should_exit = self._inner.force_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._connections.hang_up)
            self._thread.join()
        self._listener.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        await self._inner.serve(sockets=[self._listener])


def bind(
    path: Path,
    make_payload: Callable[[], Payload],
    make_page: Callable[[Payload], str],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    heartbeat: float = HEARTBEAT,
    **pace: Any,
) -> Server:
    """A server of the system at `path` that listens, and answers once it is started.

    `port` None takes 8467, or any free one where that is taken. On an address that other machines reach, a token is
    asked for: a random one where none is given. InputError: an unknown host, a taken port, a token that cannot be one.
    """
    token = None if token is None else checked_token(token)
    feed = Feed(Files(path), make_payload, **pace)
    listener = listening(host, port, PORT)
    address, number = listener.getsockname()[:2]
    loopback = is_loopback(address)
    access = Access(token if loopback else token or new_token(), loopback, number)
    return Server(listener, Site(feed, make_page, access, address_of(address, number), heartbeat))
