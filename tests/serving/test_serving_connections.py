"""Who is hung up for whom, and half-open connections to a real server."""

import socket
import time
from contextlib import suppress
from http.client import HTTPConnection

import pytest
from test_serving_answers import picture
from test_serving_live import running

import munet
from munet.serving import connections
from munet.serving import server as server_module
from munet.serving.connections import Connections
from munet.serving.limits import Limits
from munet.serving.server import Server

HEAD = b"GET /models HTTP/1.1\r\nHost: localhost"


class Fake:
    """A connection that remembers whether it was hung up."""

    def __init__(self, host: str) -> None:
        self.host, self.shut = host, False

    def hang_up(self) -> None:
        self.shut = True


@pytest.fixture
def known() -> Connections:
    return Connections(4, 2)


def admitted(known: Connections, count: int, host: str = "127.0.0.1") -> list[Fake]:
    made = [Fake(host) for _ in range(count)]
    assert all(known.admit(one) for one in made)
    return made


def test_the_one_that_has_waited_longest_makes_room(known: Connections):
    old = admitted(known, 4)
    known.answering(old[0])
    admitted(known, 2)
    assert [one.shut for one in old] == [False, True, True, False]


def test_who_is_answered_stays_and_the_next_is_refused(known: Connections):
    busy = admitted(known, 4)
    for one in busy:
        known.answering(one)
    one = Fake("127.0.0.1")
    assert not known.admit(one)
    known.waiting(busy[2])
    assert known.admit(one)
    assert [one.shut for one in busy] == [False, False, True, False]


def test_one_client_takes_its_share_and_its_own_make_room(known: Connections):
    others = admitted(known, 1, "10.0.0.1")
    first = admitted(known, 3, "10.0.0.2")
    assert [one.shut for one in first] == [True, False, False]
    for one in first[1:]:
        known.answering(one)
    assert not known.admit(Fake("10.0.0.2"))
    assert not others[0].shut


def test_the_end_hangs_all_up_and_what_is_gone_is_forgotten(known: Connections):
    gone, here = admitted(known, 2)
    known.drop(gone)
    known.drop(gone)
    known.answering(gone)
    known.waiting(gone)
    known.hang_up()
    assert (gone.shut, here.shut) == (False, True)
    assert known.admit(here)


def ask(server: Server) -> int:
    connection = HTTPConnection("127.0.0.1", server.access.port, timeout=20)
    try:
        connection.request("GET", "/models")
        return connection.getresponse().status
    finally:
        connection.close()


def opened(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.access.port), timeout=20)


def test_there_is_room_for_as_many_as_files_may_be_open(monkeypatch: pytest.MonkeyPatch):
    limits = [256, 500]
    monkeypatch.setattr(connections.resource, "getrlimit", lambda kind: tuple(limits))
    monkeypatch.setattr(connections.resource, "setrlimit", lambda kind, new: limits.__setitem__(slice(None), new))
    assert (connections.room_for(100), limits) == (100, [256, 500])
    assert (connections.room_for(300), limits) == (300, [428, 500]), "the soft limit is raised"
    assert (connections.room_for(1000), limits) == (372, [500, 500]), "as far as the hard one goes"
    limits[:] = [connections.resource.RLIM_INFINITY] * 2
    assert connections.room_for(100_000) == 100_000


@pytest.mark.parametrize("said", [b"", b"GET /models HT", b"POST /models/four HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_half_open_connections_keep_nobody_out(system: munet.System, said: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_module, "CONNECTIONS", 4)
    with running(system, limits=Limits(queue=48)) as server:
        half_open = [opened(server) for _ in range(120)]
        for one in half_open:
            with suppress(OSError):  # hung up for a later one
                one.sendall(said)
        assert [ask(server) for _ in range(20)] == 20 * [200]
        for one in half_open:
            one.close()


@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"\r\n\r\n"])
def test_who_says_nothing_for_long_is_hung_up(system: munet.System, said: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "DEADLINE", 0.2)
    with running(system) as server, opened(server) as one:
        one.sendall(said)
        answer = b"".join(iter(lambda: _received(one), b""))
        assert answer.startswith(b"HTTP/1.1 200") == said.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("asking", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])  # as Java's client asks
def test_requests_that_come_together_are_answered_in_their_order(system: munet.System, asking: bytes):
    request = b"POST /models/%s HTTP/1.1\r\nHost: localhost\r\n" + asking + b"Content-Length: %d\r\n\r\n%s"
    image = picture(1)
    with running(system) as server, opened(server) as one:
        for name in (b"four", b"three", b"four"):
            one.sendall(request % (name, len(image), image))
        said = b""
        while said.count(b"HTTP/1.1 200") < 3 or not said.endswith(b"]"):
            said += _received(one) or pytest.fail(f"hung up after {said!r}")
    models = [part.split(b"\r\n")[0].decode() for part in said.lower().split(b"x-munet-model: ")[1:]]
    assert models == [system.task(name)["model"] for name in ("four", "three", "four")]


def test_what_is_written_is_sent_at_once(system: munet.System):
    with running(system) as server, opened(server) as one:
        one.sendall(HEAD + b"\r\n\r\n")
        assert one.recv(1)
        (protocol,) = server._inner.server_state.connections
        taken: socket.socket = protocol.transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _received(one: socket.socket) -> bytes:
    """What comes next; nothing where the other side has hung up. TimeoutError where it does neither."""
    try:
        return one.recv(65536)
    except ConnectionError:
        return b""


def test_who_takes_nothing_of_an_answer_is_hung_up(system: munet.System, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "STALL", 0.2)
    size = 50_000_000  # more than all buffers on the way hold
    with running(system, report=lambda: "x" * size) as server, opened(server) as one:
        one.sendall(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert one.recv(1)
        assert server._inner.server_state.connections
        while server._inner.server_state.connections:
            time.sleep(0.02)
        assert sum(map(len, iter(lambda: _received(one), b""))) < size


def test_who_takes_an_answer_slowly_gets_all_of_it(system: munet.System, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "STALL", 0.1)
    monkeypatch.setattr(connections, "DEADLINE", 0.1)
    size = 20_000_000
    with running(system, report=lambda: "x" * size) as server, opened(server) as one:
        one.sendall(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n")
        taken = 0
        while part := one.recv(1_000_000):
            taken += part.count(b"x")
            time.sleep(0.02)
        assert taken >= size
