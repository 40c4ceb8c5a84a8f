"""A system that evolves in another process, is killed, goes on, and is collected, while it is watched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import munet
from munet.report.page import payload
from watch_tools import CHILDREN, Evolving, Listener, serving


@contextmanager
def collecting(system: munet.System) -> Iterator[list[int]]:
    """Collects again and again; yields how many layers each collection removed."""
    stop, removed = threading.Event(), list[int]()

    def collect() -> None:
        while not stop.wait(0.1):
            removed.append(munet.System.open(system.path).gc().layers)

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield removed
    finally:
        stop.set()
        thread.join()


@pytest.mark.timeout(300)
def test_an_evolution_that_is_killed_and_goes_on_while_it_is_collected(system: munet.System, evolving: Evolving):
    def make() -> dict[str, object]:
        return payload(munet.System.open(system.path).history())

    def children() -> int:
        return running.feed.shown.payload["totals"]["children"] if running.feed.shown else 0

    with serving(system.path, make, pause=0.2) as running, Listener(running.port, 120) as listener:
        assert listener.until(lambda state: state["version"])["activity"] == "empty"
        with collecting(system) as removed:
            first = evolving(system.path)
            listener.until(lambda state: children() > 0 and state["activity"] == "evolving", 120)
            first.process.kill()
            first.process.join()
            listener.until(lambda state: state["activity"] == "interrupted", 60)
            assert 0 < children() < CHILDREN
            second = evolving(system.path)
            listener.until(lambda state: state["activity"] == "evolving", 120)
            second.go_on.set()
            last = listener.until(lambda state: state["activity"] == "finished" and children() == CHILDREN, 120)
            second.process.join(60)
            assert second.process.exitcode == 0
        assert removed
        assert last["note"] is None
        assert running.feed.shown
        assert running.feed.shown.payload["notes"] == []
        assert running.feed.shown.payload["totals"]["tasks"] == 1
