"""What is pushed, over real sockets: at once, together, and on through restarts."""

import threading
import time
from pathlib import Path

import pytest

from watch_tools import Listener, counted, fake_system, put, serving


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return fake_system(tmp_path / "fleet")


def child(system: Path, number: int) -> None:
    put(system / "runs" / "0001" / f"a-0000-{number:04d}.json")


def test_the_state_comes_at_once_and_with_every_change(system: Path):
    with serving(system) as running, Listener(running.port) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"] == "text/event-stream"
        first = listener.until(lambda state: state["version"] is not None)
        assert (first["activity"], first["changed"]) == ("empty", 0)
        child(system, 0)
        second = listener.until(lambda state: state["version"] != first["version"])
        assert second["changed"] > 0
        put(system / "runs" / "0001" / "run.json")
        assert listener.until(lambda state: state["run"])["activity"] == "interrupted"


def test_everybody_hears_it_and_one_payload_is_made(system: Path):
    made: list[float] = []
    count = counted(system)

    def make() -> dict[str, object]:
        made.append(time.monotonic())
        return count()

    with serving(system, make) as running:
        listeners = [Listener(running.port) for _ in range(8)]
        first = [listener.until(lambda state: state["version"] is not None)["version"] for listener in listeners]
        child(system, 0)
        second = [listener.until(lambda state: state["version"] != first[0])["version"] for listener in listeners]
        assert len(set(first)) == len(set(second)) == 1
        assert len(made) == 2
        for listener in listeners:
            listener.close()


def test_many_changes_are_few_pushes(system: Path):
    with serving(system, pause=0.5) as running, Listener(running.port) as listener:
        listener.until(lambda state: state["version"] is not None)
        stop, written = time.monotonic() + 2, 0
        heard: list[object] = []
        last = threading.Event()

        def hear() -> None:
            while not last.is_set() or not heard:
                heard.append(listener.event())

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        while time.monotonic() < stop:
            child(system, written)
            written += 1
            time.sleep(0.01)
        last.set()
        child(system, written)
        thread.join(10)
        assert written > 20
        assert 1 <= len(heard) <= 7


def test_a_heartbeat_where_nothing_changes(system: Path):
    with serving(system, heartbeat=0.1) as running, Listener(running.port) as listener:
        first = listener.until(lambda state: state["version"] is not None)
        second = listener.event()
        assert second["now"] > first["now"]
        assert {**second, "now": 0} == {**first, "now": 0}


def test_clients_that_left_are_forgotten(system: Path):
    with serving(system, heartbeat=0.05) as running:
        for _ in range(5):
            with Listener(running.port) as listener:
                listener.event()
        end = time.monotonic() + 20
        while running.feed._watchers and time.monotonic() < end:
            time.sleep(0.02)
        assert running.feed._watchers == []


def test_another_server_goes_on_where_the_first_stopped(system: Path):
    with serving(system) as first:
        port, listener = first.port, Listener(first.port)
        version = listener.until(lambda state: state["version"] is not None)["version"]
    with listener, pytest.raises((EOFError, ConnectionError)):
        listener.until(lambda state: False)
    child(system, 0)
    with serving(system, port=port), Listener(port, Last_Event_ID=version) as listener:
        missed = listener.until(lambda state: state["version"] is not None)
        assert missed["version"] != version
    with serving(system, port=port), Listener(port) as listener:
        same = listener.until(lambda state: state["version"] is not None)
        assert same["version"] == missed["version"], "who shows this one has nothing to fetch"


def test_damage_is_told_and_forgotten(system: Path):
    count, good = counted(system), True

    def make() -> dict[str, object]:
        if not good:
            raise ValueError("half a record")
        return count()

    with serving(system, make) as running, Listener(running.port) as listener:
        version = listener.until(lambda state: state["version"] is not None)["version"]
        good = False
        child(system, 0)
        broken = listener.until(lambda state: state["note"])
        assert broken["version"] == version
        good = True
        child(system, 1)
        whole = listener.until(lambda state: state["note"] is None and state["version"] != version)
        assert whole["changed"] >= broken["changed"]
