"""The routes: four, all read-only. Nothing in a request ever becomes a path of a file."""

import asyncio
import gzip
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from munet.report.watch.feed import Feed, Payload, Shown
from munet.report.watch.page import live_page, waiting_page
from munet.serving.access import Access
from munet.serving.policy import policy

HEARTBEAT = 10.0  # seconds between two words to a page where nothing changes
_METHODS = ("GET", "HEAD")
_JSON = "application/json"
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'",
}
R = TypeVar("R")


class Site:
    """An ASGI application: the page of one system. `url` is its address without the token."""

    def __init__(
        self, feed: Feed, make_page: Callable[[Payload], str], access: Access, url: str, heartbeat: float
    ) -> None:
        self.feed, self.access, self.url, self.heartbeat = feed, access, url, heartbeat
        self.make_page = make_page
        self._made_page: tuple[str, str] | None = None  # version, page
        self._page_lock = threading.Lock()
        self._routes: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/": self._page,
            "/payload": self._payload,
            "/state": self._state,
            "/events": self._events,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = self._refusal(request) or await self._routes[scope["path"]](request)
        except Exception as error:
            text = f"internal error, {type(error).__name__}: {error}"
            sys.stderr.write(f"munet: watch: {text}\n")
            response = _refuse(500, text)
        for name, value in _COMMON.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        """Why a request is not answered; None where it is."""
        headers, path = request.headers, request.scope["path"]
        query = parse_qs(request.scope["query_string"].decode("latin-1"))
        if request.method not in _METHODS:
            return _refuse(405, f"read only: {' and '.join(_METHODS)}", {"Allow": ", ".join(_METHODS)})
        if "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0":
            return _refuse(400, "requests have no body here")
        if not self.access.is_known_host(headers.get("host")):
            return _refuse(403, f"this server answers to the names of this machine: {self.url}")
        if path == "/favicon.ico":
            return Response(status_code=204)
        if path not in self._routes:
            return _refuse(404, "nothing here; the page is at /")
        if not self.access.is_allowed(query, headers.get("cookie")):
            text = "the server asks for a token: open the whole address that `munet watch` printed, with ?token="
            return _refuse(401, text)
        if path != "/" and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return _refuse(403, "pages of other sites may not ask for this")
        return None

    # -- routes -------------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        page = await _in_thread(self._newest_page)
        data, headers = page.encode(), {"Content-Security-Policy": policy(page), "Cache-Control": "no-store"}
        if self.access.token is not None:
            headers["Set-Cookie"] = self.access.cookie_header()
        if _takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            data = await _in_thread(partial(gzip.compress, data, 5, mtime=0))
        return Response(data, media_type="text/html", headers=headers)

    def _newest_page(self) -> str:
        self.feed.refresh()
        shown = self.feed.shown
        return waiting_page() if shown is None else live_page(self._page_of(shown), shown.version)

    def _page_of(self, shown: Shown) -> str:
        """The page with a payload in it, made once for each."""
        with self._page_lock:
            if self._made_page is None or self._made_page[0] != shown.version:
                self._made_page = shown.version, self.make_page(shown.payload)
            return self._made_page[1]

    async def _payload(self, request: Request) -> Response:
        await _in_thread(self.feed.refresh)
        shown = self.feed.shown
        if shown is None:
            return _refuse(503, self.feed.state.note or "nothing to show yet")
        # Weak: the same payload is sent compressed or not.
        headers = {"ETag": f'W/"{shown.version}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if shown.version in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if _takes_gzip(request):
            return Response(shown.packed, media_type=_JSON, headers=headers | {"Content-Encoding": "gzip"})
        return Response(shown.data, media_type=_JSON, headers=headers)

    async def _state(self, request: Request) -> Response:
        await _in_thread(self.feed.refresh)
        text = json.dumps(self.feed.state.to_json())
        return Response(text, media_type=_JSON, headers={"Cache-Control": "no-store"})

    async def _events(self, request: Request) -> Response:
        """Server-sent events: the state at once, whenever it changes, and as a heartbeat.

        They say which version of the payload there is; who shows another one fetches it. So a slow client skips
        versions, a new connection needs no memory of the old one, and it may even reach another process.
        """
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "Connection": "close"}
        if request.method == "HEAD":
            return Response(headers=headers)
        return StreamingResponse(self._told(), headers=headers)

    async def _told(self) -> AsyncIterator[str]:
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        seen = 0  # before the first look there is nothing to tell
        yield "retry: 1000\n\n"

        def heard() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(news.set)

        with self.feed.watching(heard):
            while True:
                news.clear()
                if (state := self.feed.state).number == seen:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), self.heartbeat)
                        if self.feed.state.number == seen:  # heard of what was told already
                            continue
                    state = self.feed.state
                seen = state.number
                identity = f"id: {state.version}\n" if state.version else ""
                yield f"event: state\n{identity}data: {json.dumps(state.to_json())}\n\n"


async def _in_thread(function: Callable[[], R]) -> R:
    """The result of what may take long. The thread ends with the process: Ctrl-C waits for no payload."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[R] = loop.create_future()

    def settle(set_it: Callable[[Any], None], value: Any) -> None:
        if not result.done():  # whoever asked may be gone
            set_it(value)

    def work() -> None:
        try:
            found = settle, result.set_result, function()
        except Exception as error:
            found = settle, result.set_exception, error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(*found)

    threading.Thread(target=work, name="munet-watch-answer", daemon=True).start()
    return await result


def _takes_gzip(request: Request) -> bool:
    codings = (word.partition(";") for word in request.headers.get("accept-encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and weight.strip() not in ("q=0", "q=0.0") for name, _, weight in codings)


def _refuse(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    # What a proxy takes for the body of a refused request must not be read as the next one.
    common = {"Cache-Control": "no-store", "Connection": "close"}
    return PlainTextResponse(f"{text}\n", status, {**common, **(headers or {})})
