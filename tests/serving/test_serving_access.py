"""Tokens, cookies and Host headers."""

import pytest

from munet.errors import InputError
from munet.serving.access import Access, checked_token, is_loopback, new_token

OPEN = Access(None, loopback=True, port=8467)
CLOSED = Access("a-long-token", loopback=False, port=8467)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8467", "127.0.0.1:9", "127.1.2.3", "[::1]:8467", "LOCALHOST:1"]
)
def test_names_of_this_machine(host: str):
    assert OPEN.is_known_host(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:8467",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[",
        "::1",
        "10.0.0.1",
        "localhost@evil.example",
    ],
)
def test_names_of_others(host: str | None):
    assert not OPEN.is_known_host(host)
    assert CLOSED.is_known_host(host), "where a token is asked for, any name will do"


def test_loopback_needs_no_token():
    assert OPEN.is_allowed({}, None)


def test_the_token_is_asked_for():
    assert CLOSED.is_allowed({"token": ["a-long-token"]}, None)
    for given in ("", "a-long-toke", "a-long-token ", "ä-long-token"):
        assert not CLOSED.is_allowed({"token": [given]}, None)
    assert not CLOSED.is_allowed({}, None)


def test_the_cookie_stands_for_the_token():
    header = CLOSED.cookie_header()
    assert "a-long-token" not in header
    assert header.endswith("; Path=/; HttpOnly; SameSite=Strict")
    cookie = header.partition(";")[0]
    assert CLOSED.is_allowed({}, f"other=1; {cookie}")
    assert CLOSED.is_allowed({"token": ["wrong"]}, cookie)
    assert not CLOSED.is_allowed({}, cookie[:-1])
    assert not CLOSED.is_allowed({}, cookie.replace("8467", "8468"))
    assert not CLOSED.is_allowed({}, "garbage; =; \x00=1")
    assert Access("a-long-token", loopback=False, port=8467).cookie_header() == header, "it outlives a restart"


def test_tokens_that_can_be_used():
    assert checked_token(new_token())
    assert new_token() != new_token()
    for token in ("", "short", "with space", "slash/slash", "ä" * 9, "a" * 201, "a&b=cdefgh", "newline-\n"):
        with pytest.raises(InputError, match="--token: use 8 to 200") as error:
            checked_token(token)
        assert not token or token not in str(error.value)


def test_loopback_addresses():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.2", "::", "fe80::1%eth0")))
