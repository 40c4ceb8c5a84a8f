"""A server of one system: where it listens, and who it lets in."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvicorn

from munet.model.loader import ModelLoader
from munet.serving.access import Access, checked_token, is_loopback, new_token
from munet.serving.app import app
from munet.serving.batcher import Batcher
from munet.serving.limits import Limits
from munet.serving.listening import listening
from munet.serving.measures import Measures
from munet.serving.served import Served
from munet.serving.service import Service
from munet.training.devices import choose_device

PORT = 8000
_GOODBYE = 5  # seconds that requests under way have to end


@dataclass
class Server:
    """Listens already; `run` answers until it is told to stop."""

    service: Service
    listener: socket.socket
    host: str

    @property
    def access(self) -> Access:
        return self.service.access

    @property
    def url(self) -> str:
        """The address to open."""
        name = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        base = f"http://{f'[{name}]' if ':' in name else name}:{self.access.port}/"
        return base if self.access.token is None else f"{base}?token={self.access.token}"

    def run(self) -> None:
        """Answer requests until SIGINT or SIGTERM; those under way are answered first."""
        config = uvicorn.Config(
            app(self.service), log_level="warning", access_log=False, server_header=False,
            timeout_graceful_shutdown=_GOODBYE,
        )  # fmt: skip
        try:
            asyncio.run(uvicorn.Server(config).serve(sockets=[self.listener]))
        finally:
            self.service.batcher.close()


def bind(
    models: ModelLoader,
    tasks: Sequence[str] | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    device: str = "auto",
    exact: bool = False,
    limits: Limits | None = None,
    report: Callable[[], str] | None = None,
) -> Server:
    """A server of some tasks of a system, or all; models are loaded before it listens.

    `port` None takes 8000, or any free one where that is taken. On an address that other machines reach, a token is
    asked for: a random one where none is given. `report` makes the page under /report. InputError: an unknown task,
    host or device, a taken port.
    """
    limits, place = limits or Limits(), choose_device(device)
    token = None if token is None else checked_token(token)
    for name in tasks or ():
        models.store.read_task(name)  # refuses an unknown one
    served = Served(models, place, tasks)
    served.load()
    listener = listening(host, port, PORT)
    address = listener.getsockname()
    loopback = is_loopback(str(address[0]))
    access = Access(token if loopback else token or new_token(), loopback, int(address[1]))
    measures = Measures()
    batcher = Batcher(place, limits, measures, exact=exact)
    return Server(Service(served, batcher, measures, limits, access, report), listener, str(address[0]))
