"""A server of a site that is only read, in a thread of its own: `munet watch` and `munet report --serve`."""

import asyncio
import socket
import threading
from typing import Any

from munet.serving.access import Access, checked_token, is_loopback, new_token
from munet.serving.connections import CONNECTIONS, PER_CLIENT, Connections
from munet.serving.listening import address_of, listening
from munet.serving.running import prepared


class Background:
    """Answers for an ASGI application once it is started; `stop` ends it at once."""

    def __init__(self, listener: socket.socket, application: Any, access: Access, url: str) -> None:
        self.access, self.port, self.url = access, access.port, url
        self._listener = listener
        self._connections = Connections(CONNECTIONS, PER_CLIENT)
        self._inner = prepared(application, self._connections, log_level="critical", lifespan="off")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="munet-http", daemon=True)

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


def opened(host: str, port: int | None, usual: int, token: str | None) -> tuple[socket.socket, Access, str]:
    """(a socket that listens, who is let in, the address without the token).

    `port` None takes the usual one, or any free one where that is taken. On an address that other machines reach, a
    token is asked for: a random one where none is given. InputError: an unknown host, a taken port, a token that cannot
    be one.
    """
    token = None if token is None else checked_token(token)
    listener = listening(host, port, usual)
    address, number = listener.getsockname()[:2]
    loopback = is_loopback(address)
    return listener, Access(token if loopback else token or new_token(), loopback, number), address_of(address, number)
