"""The server of `munet watch`: where it listens, and who it lets in. What answers is the server of `munet serve`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from munet.report.watch.changes import Files
from munet.report.watch.feed import Feed, Payload
from munet.report.watch.site import HEARTBEAT, Site
from munet.serving.background import Background, opened
from munet.serving.read_only import ReadOnly

PORT = 8467


class Server(Background):
    """Serves the page of one system. Use `bind`, then `start`."""

    site: Site
    feed: Feed


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
    feed = Feed(Files(path), make_payload, **pace)
    listener, access, url = opened(host, port, PORT, token)
    site = Site(feed, make_page, access, heartbeat)
    server = Server(listener, ReadOnly(access, url, site.routes, "watch"), access, url)
    server.site, server.feed = site, feed
    return server
