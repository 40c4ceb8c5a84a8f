"""The server of `munet watch`: where it listens, and who it lets in."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from munet.errors import InputError
from munet.report.watch.changes import Files
from munet.report.watch.connections import Connections
from munet.report.watch.feed import Feed, Payload, Shown
from munet.report.watch.handler import HEARTBEAT, Handler
from munet.serving.access import Access, checked_token, is_loopback, new_token
from munet.serving.listening import refused, resolved

PORT = 8467
Page = Callable[[Payload], str]


class Server(ThreadingHTTPServer):
    """Serves the page of one system. Use `bind`, then `start`; `stop` ends it at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], family: socket.AddressFamily, feed: Feed, page: Page, *, heartbeat: float
    ) -> None:
        self.address_family = family
        self.feed = feed
        self.heartbeat = heartbeat
        self._make_page = page
        self._made_page: tuple[str, str] | None = None  # version, page
        self._page_lock = threading.Lock()
        self.connections = Connections(loopback=is_loopback)
        super().__init__(address, Handler)
        self.access = Access(None, is_loopback(str(self.server_address[0])), self.port)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The address without the token."""
        host = str(self.server_address[0])
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def full_url(self) -> str:
        """The address to open."""
        return self.url if self.access.token is None else f"{self.url}?token={self.access.token}"

    def page(self, shown: Shown) -> str:
        """The page with a payload in it, made once for each."""
        with self._page_lock:
            if self._made_page is None or self._made_page[0] != shown.version:
                self._made_page = shown.version, self._make_page(shown.payload)
            return self._made_page[1]

    def start(self) -> None:
        """Serve in the background."""
        threading.Thread(target=self.serve_forever, args=(0.1,), name="munet-watch-http", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and hang up."""
        self.shutdown()
        self.server_close()
        self.connections.hang_up()

    # -- socketserver -------------------------------------------------------------------------------------------------

    def server_bind(self) -> None:
        """As HTTPServer, without asking a name server for this machine's name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self.connections.admit(request, str(client_address[0])):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.connections.drop(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.drop(request)

    def service_actions(self) -> None:
        """Now and then, while it serves."""
        self.connections.hang_up_late()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: what was worth saying `Handler.handle` said."""


def bind(
    path: Path,
    make_payload: Callable[[], Payload],
    make_page: Page,
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
    family, address = resolved(host)
    feed = Feed(Files(path), make_payload, **pace)
    server = None
    if port is None:
        with suppress(InputError):
            server = _listening(address, PORT, family, feed, make_page, heartbeat)
    server = server or _listening(address, port or 0, family, feed, make_page, heartbeat)
    loopback = server.access.loopback
    server.access = Access(token if loopback else token or new_token(), loopback, server.port)
    return server


def _listening(
    address: str, port: int, family: socket.AddressFamily, feed: Feed, page: Page, heartbeat: float
) -> Server:
    try:
        return Server((address, port), family, feed, page, heartbeat=heartbeat)
    except OSError as error:
        raise refused(error, address, port) from error
