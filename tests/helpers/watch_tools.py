"""Folders that look like systems, and small HTTP clients that time out instead of hanging."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import munet
from growing import evolve
from munet.evolution.events import ChildFinished
from munet.evolution.events import Event as Happening
from munet.report.watch import Server, bind
from munet.serving.background import Background

CHILDREN = 4  # of a run of `evolve_tiny`

PAGE = (
    "<!doctype html>\n<html><head><title>t</title><style>p { color: teal; }</style></head><body>"
    '<script type="application/json" id="payload">{payload}</script><script>"use strict";</script></body></html>\n'
)


def fake_system(folder: Path) -> Path:
    """A folder with the files that are looked at, and nothing in them."""
    for name in ("tasks", "runs", "models/ab", "layers/ab"):
        (folder / name).mkdir(parents=True)
    (folder / "munet.json").write_text("{}")
    return folder


def put(path: Path, text: str = "{}") -> None:
    """Write as munet does: whole, under a temporary name, then renamed."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.parent / f".tmp-{path.name}"
    temporary.write_text(text)
    os.replace(temporary, path)


def counted(path: Path) -> Callable[[], dict[str, Any]]:
    """Makes a payload that says how many records there are in the runs of a system."""
    return lambda: {"children": len(list(path.glob("runs/*/*.json")))}


def fake_page(payload: dict[str, Any]) -> str:
    return PAGE.replace("{payload}", json.dumps(payload))


@dataclass(frozen=True)
class Evolution:
    """A run in a process of its own, and what lets it go on after its first child."""

    process: BaseProcess
    go_on: Event


Evolving = Callable[..., Evolution]


def evolve_tiny(path: Path, seed: int, go_on: Event) -> None:
    """One run, or what is left of it. After its first child it waits until a test has seen it."""

    def wait(event: Happening) -> None:
        if isinstance(event, ChildFinished):
            go_on.wait()

    budget: dict[str, Any] = {"task_iterations": 1, "generations": 2, "children": 2, "cycles": 1}
    system = munet.System.open(path)
    evolve(system, **budget, samples_per_cycle=40, batch_size=20, threads=1, seed=seed, observer=wait)


@contextmanager
def serving(path: Path, make_payload: Callable[[], dict[str, Any]] | None = None, **options: Any) -> Iterator[Server]:
    """A server that is quick to see changes, on a free port unless another is given."""
    chosen: dict[str, Any] = {"make_page": fake_page, "port": 0, "pause": 0.05, "share": 1.0, "heartbeat": 5.0}
    server = bind(path, make_payload or counted(path), **chosen | options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ask(server: Background, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """One request on a connection of its own. Header names are written with underscores."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


class Listener:
    """Listens to /events as a browser does, without reconnecting."""

    def __init__(self, port: int, timeout: float = 20.0, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(["GET /events HTTP/1.1", "Host: localhost", *lines, "", ""]).encode())
        self.file = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.status = int(self.file.readline().split()[1])
        self.headers = dict(line.strip().lower().split(": ", 1) for line in iter(self.file.readline, "\r\n"))

    def event(self) -> dict[str, Any]:
        """The next event's data. Raises EOFError where the server is gone, TimeoutError where it says nothing."""
        while True:
            found: dict[str, str] = {}
            for line in iter(self.file.readline, "\n"):
                if not line:
                    raise EOFError
                name, _, value = line.rstrip("\n").partition(": ")
                found[name] = value
            if "data" in found:
                assert found["event"] == "state"
                data = json.loads(found["data"])
                assert found.get("id") == data["version"]
                return data

    def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> dict[str, Any]:
        """The first event of the wanted kind."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            event = self.event()
            if wanted(event):
                return event
        raise TimeoutError("no such event")

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
