"""A site that is only read: a few fixed routes, GET and HEAD. Nothing in a request ever becomes a path of a file."""

import gzip
import sys
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from munet.serving.access import Access
from munet.serving.policy import policy

_METHODS = ("GET", "HEAD")
_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'",
}
Route = Callable[[Request], Awaitable[Response]]


class ReadOnly:
    """An ASGI application of routes by their paths, "/" is the page. `url` is its address without the token; `command`
    is what its user called, for what it says."""

    def __init__(self, access: Access, url: str, routes: Mapping[str, Route], command: str) -> None:
        self.access, self.url = access, url
        self._routes, self._command = routes, command

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = self._refusal(request) or await self._routes[scope["path"]](request)
        except Exception as error:
            text = f"internal error, {type(error).__name__}: {error}"
            sys.stderr.write(f"munet: {self._command}: {text}\n")
            response = refuse(500, text)
        for name, value in _COMMON.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        """Why a request is not answered; None where it is."""
        headers, path = request.headers, request.scope["path"]
        query = parse_qs(request.scope["query_string"].decode("latin-1"))
        if request.method not in _METHODS:
            return refuse(405, f"read only: {' and '.join(_METHODS)}", {"Allow": ", ".join(_METHODS)})
        if "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0":
            return refuse(400, "requests have no body here")
        if not self.access.is_known_host(headers.get("host")):
            return refuse(403, f"this server answers to the names of this machine: {self.url}")
        if path == "/favicon.ico":
            return Response(status_code=204)
        if path not in self._routes:
            return refuse(404, "nothing here; the page is at /")
        if not self.access.is_allowed(query, headers.get("cookie")):
            text = f"the server asks for a token: open the whole address that `munet {self._command}` printed, with "
            return refuse(401, f"{text}?token=")
        if path != "/" and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return refuse(403, "pages of other sites may not ask for this")
        return None


def page_response(page: str, request: Request, access: Access) -> Response:
    """A page of HTML with its policy, compressed for those who can; it leaves the cookie where a token is asked for."""
    data, headers = page.encode(), {"Content-Security-Policy": policy(page), "Cache-Control": "no-store"}
    if access.token is not None:
        headers["Set-Cookie"] = access.cookie_header()
    if takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data, 5, mtime=0)
    return Response(data, media_type="text/html", headers=headers)


def takes_gzip(request: Request) -> bool:
    codings = (word.partition(";") for word in request.headers.get("accept-encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and weight.strip() not in ("q=0", "q=0.0") for name, _, weight in codings)


def refuse(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    # What a proxy takes for the body of a refused request must not be read as the next one.
    common = {"Cache-Control": "no-store", "Connection": "close"}
    return PlainTextResponse(f"{text}\n", status, {**common, **(headers or {})})
