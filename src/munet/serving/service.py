"""What answers requests, and what stands before every route: who may ask, how much, how long."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from munet.errors import InputError, MunetError
from munet.serving.access import Access
from munet.serving.answers import Answer, answered, is_quick, pixels_of, prepared
from munet.serving.batcher import Batcher, Full, Late
from munet.serving.bodies import Json, decoded_json, from_base64
from munet.serving.following import Following
from munet.serving.limits import Limits
from munet.serving.measures import Measures
from munet.serving.served import Loaded, Served, Tasks

LOOK = 1.0  # seconds between two looks at what is retained
_STATUS = {"unknown-task": 404, "too-large": 413}
Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """What answers: the tasks, the batcher, the limits."""

    def __init__(
        self,
        served: Served,
        batcher: Batcher,
        measures: Measures,
        limits: Limits,
        access: Access,
        report: Callable[[], str] | None,
        following: Following | None = None,
    ) -> None:
        self.served, self.batcher, self.measures, self.limits, self.access = served, batcher, measures, limits, access
        self.report = report  # makes the page of a report
        self.following = following  # the remote that the system lives in

    # -- what stands before every route -------------------------------------------------------------------------------

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the checks; what it raises becomes one line of JSON."""

        async def handle(request: Request) -> Response:
            began, task = time.monotonic(), request.path_params.get("task", "")
            try:
                self._check(request)
                async with asyncio.timeout(self.limits.seconds):
                    response = await handler(request)
            except Exception as error:
                response = _refused(error, still_sent=getattr(request.state, "still_sent", False))
            known = task if task in self.served.now.loaded else ""
            self.measures.requests.labels(known, response.status_code).inc()
            self.measures.seconds.observe(time.monotonic() - began)
            return response

        return handle

    def _check(self, request: Request) -> None:
        if not self.access.is_known_host(request.headers.get("host")):
            raise HTTPException(403, "this server answers to names of this machine only (docs/serving.md)")
        query = {"token": [request.query_params.get("token", "")]}
        headers = request.headers
        if not self.access.is_allowed(query, headers.get("cookie"), headers.get("authorization")):
            raise HTTPException(401, "a token is needed: send it as `Authorization: Bearer TOKEN` or as ?token=TOKEN")

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        looking = asyncio.create_task(self._look())
        if self.following:
            self.following.start()
        try:
            yield
        finally:
            looking.cancel()
            if self.following:
                self.following.stop()

    async def _look(self) -> None:
        """Take up models that are retained while the server runs."""
        while True:
            self.measures.models.set(len(self.served.now.loaded))
            await asyncio.sleep(LOOK)
            changed = await to_thread.run_sync(self.served.refresh)
            self.measures.reloads.inc(len(changed))
            self.measures.readable.set(self.served.fault is None)
            self.measures.reachable.set(self.following is None or self.following.fault is None)

    # -- answers ------------------------------------------------------------------------------------------------------

    async def answers(self, data: Any, asked: Sequence[Loaded], tasks: Tasks) -> list[Answer]:
        """What these models say of an image, in the order of `asked`. InputError for what is no image."""
        began = time.monotonic()
        pixels = pixels_of(data, self.limits.pixels)
        quick = is_quick(data, pixels, asked)
        work = partial(prepared, data, asked, tasks, as_decoded=quick)
        wanted, order = work() if quick else await to_thread.run_sync(work)
        left = self.limits.seconds - (time.monotonic() - began)
        question: Future[Any] = self.batcher.ask(wanted, left)
        rows = await asyncio.wrap_future(question)
        found = {one.loaded.task: answered(one, logits) for one, logits in zip(order, _flat(rows), strict=True)}
        return [found[one.task] for one in asked]

    async def body(self, request: Request) -> bytes:
        """The body, which may be no longer than the limit, whatever its header says."""
        parts, size = list[bytes](), 0
        request.state.still_sent = True
        async for part in request.stream():
            size += len(part)
            if size > self.limits.body:
                raise HTTPException(413, f"the body has more than {self.limits.body:,} bytes: send a smaller image")
            parts.append(part)
        request.state.still_sent = False
        if not size:
            raise InputError("the body is empty: send the bytes of an image")
        return b"".join(parts)

    async def image(self, request: Request) -> tuple[bytes, dict[str, Any]]:
        """(bytes of the image, parameters) of a request: raw bytes, or JSON with the image in base64."""
        data, kind = await self.body(request), request.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            raise HTTPException(415, "the body is a form: send the image's bytes alone (curl --data-binary @photo.jpg)")
        if not kind.startswith("application/json"):
            return data, {}
        asked = decoded_json(data)
        data, parameters = from_base64(asked.get("inputs"), "inputs"), asked.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise InputError('"parameters" is no object: write {"top_k": 3}')
        return data, parameters


def _flat(rows: list[list[Any]]) -> list[Any]:
    return [logits for row in rows for logits in row]


def _refused(error: Exception, *, still_sent: bool) -> Response:
    """One line of JSON for what went wrong; whoever asked is told what to do, never where the code is.

    `still_sent` says that the body is not whole yet.
    """
    headers = dict[str, str]()
    if isinstance(error, HTTPException):
        status, text = error.status_code, error.detail
    elif isinstance(error, Full):
        status, text, headers = 429, "too many requests wait already: try again in a second", {"Retry-After": "1"}
    elif isinstance(error, TimeoutError) and still_sent:
        status, text = 408, "the body came too slowly: send it at once"
    elif isinstance(error, Late | TimeoutError):
        status, text = 504, "the answer took too long: the server is busy"
    elif isinstance(error, ClientDisconnect):
        status, text = 499, "the client hung up"
    elif isinstance(error, MunetError):
        status, text = _STATUS.get(error.kind, 400), str(error)
    else:
        raise error
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Json({"error": text}, status, headers)
