"""The routes: four, all read-only. Nothing in a request ever becomes a path of a file."""

import gzip
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs

from munet.report.watch.page import live_page, waiting_page
from munet.serving.policy import policy

if TYPE_CHECKING:
    from munet.report.watch.connections import Connections
    from munet.report.watch.feed import Feed, Shown
    from munet.serving.access import Access

HEARTBEAT = 10.0  # seconds; also how long it may take until the server sees that nobody watches any more
STALL = 30.0  # seconds that a client may take to send a request, or to take an answer
_METHODS = ("GET", "HEAD")
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"


class Site(Protocol):
    """What the routes need of their server."""

    access: "Access"
    feed: "Feed"
    heartbeat: float
    connections: "Connections"

    @property
    def url(self) -> str: ...
    def page(self, shown: "Shown", /) -> str: ...


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Site  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "munet", ""
    timeout = STALL

    def do_GET(self) -> None:
        """HEAD too: `_send` leaves out the body."""
        self._begun = False
        lengths = self.headers.get_all("Content-Length", [])
        if self.headers.get("Transfer-Encoding") or any(length.strip() != "0" for length in lengths):
            # What a proxy takes for the body of this request would else be read as the next one.
            return self._refuse(HTTPStatus.BAD_REQUEST, "requests have no body here")
        path, _, query = self.path.partition("?")
        routes: dict[str, Callable[[], None]] = {
            "/": self._page,
            "/payload": self._payload,
            "/state": self._state,
            "/events": self._events,
        }
        if not self.server.access.is_known_host(self.headers.get("Host")):
            self._refuse(HTTPStatus.FORBIDDEN, f"this server answers to the names of this machine: {self.server.url}")
        elif path == "/favicon.ico":
            self._send(b"", _TEXT, HTTPStatus.NO_CONTENT)
        elif path not in routes:
            self._refuse(HTTPStatus.NOT_FOUND, "nothing here; the page is at /")
        elif not self.server.access.is_allowed(parse_qs(query), self.headers.get("Cookie")):
            text = "the server asks for a token: open the whole address that `munet watch` printed, with ?token="
            self._refuse(HTTPStatus.UNAUTHORIZED, text)
        elif path != "/" and self.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            self._refuse(HTTPStatus.FORBIDDEN, "pages of other sites may not ask for this")
        else:
            self._answer(routes[path])
        return None

    do_HEAD = do_GET

    def _answer(self, route: Callable[[], None]) -> None:
        try:
            route()
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:
            text = f"internal error, {type(error).__name__}: {error}"
            sys.stderr.write(f"munet: watch: {text}\n")
            if not self._begun:
                self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, text)
            self.close_connection = True

    # -- routes -------------------------------------------------------------------------------------------------------

    def _page(self) -> None:
        feed = self.server.feed
        feed.refresh()
        page = live_page(self.server.page(feed.shown), feed.shown.version) if feed.shown else waiting_page()
        data, headers = page.encode(), {"Content-Security-Policy": policy(page), "Cache-Control": "no-store"}
        if self.server.access.token is not None:
            headers["Set-Cookie"] = self.server.access.cookie_header()
        if self._takes_gzip():
            data, headers["Content-Encoding"] = gzip.compress(data, 5, mtime=0), "gzip"
        self._send(data, _HTML, headers=headers)

    def _payload(self) -> None:
        feed = self.server.feed
        feed.refresh()
        shown = feed.shown
        if shown is None:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, feed.state.note or "nothing to show yet")
        # Weak: the same payload is sent compressed or not.
        headers = {"ETag": f'W/"{shown.version}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if shown.version in (self.headers.get("If-None-Match") or ""):
            return self._send(b"", _JSON, HTTPStatus.NOT_MODIFIED, headers)
        if self._takes_gzip():
            return self._send(shown.packed, _JSON, headers=headers | {"Content-Encoding": "gzip"})
        return self._send(shown.data, _JSON, headers=headers)

    def _state(self) -> None:
        self.server.feed.refresh()
        data = json.dumps(self.server.feed.state.to_json()).encode()
        self._send(data, _JSON, headers={"Cache-Control": "no-store"})

    def _events(self) -> None:
        """Server-sent events: the state at once, whenever it changes, and as a heartbeat.

        They say which version of the payload there is; who shows another one fetches it. So a slow client skips
        versions, a new connection needs no memory of the old one, and it may even reach another process.
        """
        self.close_connection = True
        self._begin(HTTPStatus.OK, {"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        if self.command == "HEAD":
            return
        feed, seen = self.server.feed, 0  # before the first look there is nothing to tell
        self.wfile.write(b"retry: 1000\n\n")
        with feed.watching():
            while True:
                state = feed.wait(seen, self.server.heartbeat) or feed.state
                seen = state.number
                identity = f"id: {state.version}\n" if state.version else ""
                self.wfile.write(f"event: state\n{identity}data: {json.dumps(state.to_json())}\n\n".encode())

    # -- answers ------------------------------------------------------------------------------------------------------

    def _takes_gzip(self) -> bool:
        codings = (word.partition(";") for word in self.headers.get("Accept-Encoding", "").lower().split(","))
        return any(name.strip() == "gzip" and weight.strip() not in ("q=0", "q=0.0") for name, _, weight in codings)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self._begun = True
        self.send_response(status)
        common = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Content-Security-Policy": "default-src 'none'",
        }
        if self.close_connection:
            common["Connection"] = "close"
        for name, value in (common | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(
        self, data: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
    ) -> None:
        bare = status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        about = {} if bare else {"Content-Type": kind, "Content-Length": str(len(data))}
        self._begin(status, about | (headers or {}))
        if self.command != "HEAD" and not bare:
            self.wfile.write(data)

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        # A body that came with the request was not read, so nothing on this connection can be understood any more.
        self.close_connection = True
        allow = {"Allow": ", ".join(_METHODS)} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
        self._send(f"{text}\n".encode(), _TEXT, status, {"Cache-Control": "no-store"} | allow)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses: one line of text instead of a page, and 405 for unknown methods."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, f"read only: {' and '.join(_METHODS)}")
        else:
            self._refuse(HTTPStatus(code), message or HTTPStatus(code).phrase)

    def parse_request(self) -> bool:
        """Read the headers; once they are whole the client waits for us."""
        whole = super().parse_request()
        if whole:
            self.server.connections.answering(self.connection)
        return whole

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.server.connections.waiting(self.connection)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal shows the address and no more."""

    def handle(self) -> None:
        """A client that goes away is no error."""
        with suppress(ConnectionError, TimeoutError):
            super().handle()
