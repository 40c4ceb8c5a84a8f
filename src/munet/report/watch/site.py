"""The routes: four, all read-only."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from munet.report.watch.feed import Feed, Payload, Shown
from munet.report.watch.page import live_page, waiting_page
from munet.serving.access import Access
from munet.serving.read_only import Route, page_response, refuse, takes_gzip

HEARTBEAT = 10.0  # seconds between two words to a page where nothing changes
_JSON = "application/json"
R = TypeVar("R")


class Site:
    """The routes of the page of one system, by their paths."""

    def __init__(self, feed: Feed, make_page: Callable[[Payload], str], access: Access, heartbeat: float) -> None:
        self.feed, self.access, self.heartbeat = feed, access, heartbeat
        self.make_page = make_page
        self._made_page: tuple[str, str] | None = None  # version, page
        self._page_lock = threading.Lock()
        self.routes: dict[str, Route] = {
            "/": self._page,
            "/payload": self._payload,
            "/state": self._state,
            "/events": self._events,
        }

    # -- routes -------------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        return await _in_thread(lambda: page_response(self._newest_page(), request, self.access))

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
            return refuse(503, self.feed.state.note or "nothing to show yet")
        # Weak: the same payload is sent compressed or not.
        headers = {"ETag": f'W/"{shown.version}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if shown.version in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if takes_gzip(request):
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
