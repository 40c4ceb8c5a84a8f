"""uvicorn as all servers of munet run it."""

from typing import Any, Literal

import uvicorn

from munet.serving.connections import DEADLINE, Connections, protocol_of


def prepared(
    application: Any,
    connections: Connections,
    *,
    log_level: str,
    lifespan: Literal["auto", "off"] = "auto",
    goodbye: int | None = None,
) -> uvicorn.Server:
    """A server of an ASGI application whose connections are counted. `goodbye` is how many seconds requests under way
    have to end."""
    config = uvicorn.Config(
        application,
        http=protocol_of(connections),
        lifespan=lifespan,
        log_level=log_level,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_keep_alive=int(DEADLINE),
        timeout_graceful_shutdown=goodbye,
    )
    return uvicorn.Server(config)
