"""A server of one system: where it listens, and who it lets in."""

import asyncio
import gc
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import uvicorn

from munet.model.loader import ModelLoader
from munet.serving.access import Access
from munet.serving.app import app
from munet.serving.background import opened
from munet.serving.batcher import Batcher
from munet.serving.connections import CONNECTIONS, Connections, room_for
from munet.serving.following import Following
from munet.serving.limits import Limits
from munet.serving.measures import Measures
from munet.serving.running import prepared
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
    base: str  # its address without the token

    @property
    def access(self) -> Access:
        return self.service.access

    @property
    def url(self) -> str:
        """The address to open."""
        return self.base if self.access.token is None else f"{self.base}?token={self.access.token}"

    @cached_property
    def _inner(self) -> uvicorn.Server:
        # who comes while the queue is full is told so, not hung up
        room = room_for(2 * self.service.limits.queue + CONNECTIONS)
        return prepared(app(self.service), Connections(room, room), log_level="error", goodbye=_GOODBYE)

    def run(self) -> None:
        """Answer requests until SIGINT, SIGTERM or `stop`; those under way are answered first."""
        gc.collect()
        gc.freeze()  # what was imported and loaded stays; looking through it again and again stops all answers
        try:
            asyncio.run(self._inner.serve(sockets=[self.listener]))
        finally:
            gc.unfreeze()
            self.service.batcher.close()

    def stop(self) -> None:
        """Let `run`, which another thread is in, come to its end."""
        self._inner.should_exit = True


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
    following: Following | None = None,
) -> Server:
    """A server of some tasks of a system, or all; models are loaded before it listens.

    `port` None takes 8000, or any free one where that is taken. On an address that other machines reach, a token is
    asked for: a random one where none is given. `report` makes the page under /report; `following` pulls while it runs.
    InputError: an unknown task, host or device, a taken port.
    """
    limits, place = limits or Limits(), choose_device(device)
    for name in tasks or ():
        models.store.read_task(name)  # refuses an unknown one
    served = Served(models, place, tasks)
    served.load()
    listener, access, url = opened(host, port, PORT, token)
    measures = Measures()
    batcher = Batcher(place, limits, measures, exact=exact)
    return Server(Service(served, batcher, measures, limits, access, report, following), listener, url)
