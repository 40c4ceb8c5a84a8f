"""A server of one page that does not change: `munet report --serve`."""

from starlette.requests import Request
from starlette.responses import Response

from munet.serving.background import Background, opened
from munet.serving.read_only import ReadOnly, Route, page_response


class FixedPage(Background):
    """Listens already; `page` is what it answers once it is started, HTML that needs nothing else."""

    page: str = ""

    async def answer(self, request: Request) -> Response:
        return page_response(self.page, request, self.access)


def bind(
    *, command: str, usual: int, host: str = "127.0.0.1", port: int | None = None, token: str | None = None
) -> FixedPage:
    """A server of a page that is yet to be made: a port that is taken is known before the work. `usual` is the port
    unless one is given; see `background.opened` for the rest, and for its errors."""
    listener, access, url = opened(host, port, usual, token)
    routes: dict[str, Route] = {}
    server = FixedPage(listener, ReadOnly(access, url, routes, command), access, url)
    routes["/"] = server.answer
    return server
