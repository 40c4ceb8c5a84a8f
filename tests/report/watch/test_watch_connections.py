"""Who is hung up for whom: by a clock that the test turns."""

import socket
from typing import Any

import pytest

from munet.report.watch import connections
from munet.report.watch.connections import Connections
from munet.serving.access import is_loopback


class Fake:
    """A socket that remembers whether it was shut down."""

    shut = False

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_RDWR
        self.shut = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Connections:
    monkeypatch.setattr(connections, "CONNECTIONS", 4)
    monkeypatch.setattr(connections, "PER_CLIENT", 2)
    return Connections(loopback=is_loopback, clock=clock)


def admitted(known: Connections, clock: Clock, count: int, client: str = "127.0.0.1") -> list[Any]:
    made: list[Any] = [Fake() for _ in range(count)]
    for one in made:
        clock.now += 1
        assert known.admit(one, client)
    return made


def test_the_one_that_has_waited_longest_makes_room(known: Connections, clock: Clock):
    old = admitted(known, clock, 4)
    known.answering(old[0])
    admitted(known, clock, 2)
    assert [one.shut for one in old] == [False, True, True, False]


def test_who_is_answered_stays_and_the_next_is_refused(known: Connections, clock: Clock):
    busy = admitted(known, clock, 4)
    for one in busy:
        known.answering(one)
    one: Any = Fake()
    assert not known.admit(one, "127.0.0.1")
    known.waiting(busy[2])
    assert known.admit(one, "127.0.0.1")
    assert [one.shut for one in busy] == [False, False, True, False]


def test_one_client_takes_its_share_and_its_own_make_room(known: Connections, clock: Clock):
    others = admitted(known, clock, 1, "10.0.0.1")
    first = admitted(known, clock, 3, "10.0.0.2")
    assert [one.shut for one in first] == [True, False, False]
    for one in first[1:]:
        known.answering(one)
    refused: Any = Fake()
    assert not known.admit(refused, "10.0.0.2")
    assert not others[0].shut


def test_who_waits_too_long_is_hung_up(known: Connections, clock: Clock):
    late, busy = admitted(known, clock, 2)
    known.answering(busy)
    clock.now = 60
    (new,) = admitted(known, clock, 1)
    known.hang_up_late()
    assert (late.shut, busy.shut, new.shut) == (True, False, False)
    known.waiting(busy)
    clock.now += connections.DEADLINE + 1
    known.hang_up_late()
    assert (busy.shut, new.shut) == (True, True)


def test_the_end_hangs_all_up_and_what_is_gone_is_forgotten(known: Connections, clock: Clock):
    gone, here = admitted(known, clock, 2)
    known.drop(gone)
    known.drop(gone)
    known.answering(gone)
    known.waiting(gone)
    known.hang_up()
    assert (gone.shut, here.shut) == (False, True)
    assert known.admit(here, "127.0.0.1")
