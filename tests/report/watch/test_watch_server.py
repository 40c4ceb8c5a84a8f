"""The routes over real sockets: read-only, few, and closed to strangers."""

import gzip
import json
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from munet.errors import InputError
from munet.report.watch import Server, bind, server
from munet.serving import background
from munet.serving.policy import policy
from watch_tools import Listener, ask, fake_page, fake_system, put, serving


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return fake_system(tmp_path / "fleet")


def test_the_page(system: Path):
    with serving(system) as running:
        answer, body = ask(running, "/")
    text = body.decode()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert '{"children": 0}' in text
    assert text.index("new EventSource") < text.index("</body>")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_policy_of_the_page_names_its_own_scripts_and_nothing_else(system: Path):
    with serving(system) as running:
        answer, body = ask(running, "/")
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert answer.headers["Content-Security-Policy"] == policy(body.decode())
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert len(rules["script-src"].split()) == 2, "the page's and live.js; data is not run"
    assert len(rules["style-src"].split()) == 2
    assert "unsafe" not in rules["script-src"] + rules["style-src"]
    assert not re.search(r"https?:|\*", answer.headers["Content-Security-Policy"])


def test_the_payload_and_its_version(system: Path):
    with serving(system) as running:
        answer, body = ask(running, "/payload")
        assert json.loads(body) == {"children": 0}
        tag = answer.headers["ETag"]
        same, nothing = ask(running, "/payload", If_None_Match=tag)
        assert (same.status, nothing) == (304, b"")
        put(system / "runs" / "0001" / "a-0000-0000.json")
        time.sleep(0.1)
        other, body = ask(running, "/payload", If_None_Match=tag)
        assert (other.status, json.loads(body)) == (200, {"children": 1})
        assert other.headers["ETag"] != tag


@pytest.mark.parametrize("path", ["/", "/payload"])
def test_compressed_for_those_who_can(system: Path, path: str):
    with serving(system) as running:
        _, plain = ask(running, path)
        packed, body = ask(running, path, Accept_Encoding="br, gzip;q=0.8")
        refused, _ = ask(running, path, Accept_Encoding="gzip;q=0")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == plain
    assert "Content-Encoding" not in refused.headers


def test_the_state_for_scripts(system: Path):
    with serving(system) as running:
        _, body = ask(running, "/state")
    state = json.loads(body)
    assert (state["activity"], state["run"], state["note"]) == ("empty", None, None)
    assert re.fullmatch("[0-9a-f]{16}", state["version"])
    assert state["now"] == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("path", ["/", "/payload", "/state", "/events", "/nothing", "/favicon.ico"])
def test_head_is_get_without_the_body(system: Path, path: str):
    with serving(system) as running:
        answer, body = ask(running, path, "HEAD")
        assert body == b""
        if path != "/events":
            got, text = ask(running, path)
            assert (answer.status, answer.headers["Content-Type"]) == (got.status, got.headers["Content-Type"])
            length = int(answer.headers.get("Content-Length", 0))
            assert abs(length - len(text)) < (10 if path == "/state" else 1), "the state says what time it is"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_can_be_changed(system: Path, method: str):
    with serving(system) as running:
        answer, body = ask(running, "/", method)
    assert (answer.status, answer.headers["Allow"], body) == (405, "GET, HEAD", b"read only: GET and HEAD\n")


@pytest.mark.parametrize(
    "path",
    [
        "/munet.json",
        "/tasks/",
        "/../munet.json",
        "/..%2fmunet.json",
        "//etc/passwd",
        "/payload/",
        "/payload%00",
        "/?/../x/..",
        "/events/../tasks",
    ],
)
def test_requests_are_no_paths(system: Path, path: str):
    with serving(system) as running:
        answer, body = ask(running, path)
    if path.startswith("/?"):
        assert answer.status == 200
    else:
        assert (answer.status, body) == (404, b"nothing here; the page is at /\n")


@pytest.mark.parametrize(
    "line", ["nonsense", "GET / HTTP/x", "GET http://[/ HTTP/1.1", "GET /" + "x" * 70000 + " HTTP/1.1"]
)
def test_what_is_no_request_is_refused(system: Path, line: str):
    with serving(system) as running:
        with socket.create_connection(("127.0.0.1", running.port), 10) as client:
            client.sendall(f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            said = b"".join(iter(lambda: client.recv(4096), b""))
        assert re.match(rb"HTTP/1.1 4\d\d ", said)
        assert b"Traceback" not in said
        assert ask(running, "/")[0].status == 200


def test_other_names_of_this_machine_are_refused(system: Path):
    with serving(system) as running:
        assert ask(running, "/", Host="localhost:1")[0].status == 200
        answer, body = ask(running, "/", Host="evil.example")
        assert answer.status == 403
        assert running.url in body.decode()
        assert ask(running, "/payload", Host="evil.example:8467")[0].status == 403


def test_other_sites_are_refused(system: Path):
    with serving(system) as running:
        assert ask(running, "/payload", Sec_Fetch_Site="cross-site")[0].status == 403
        assert ask(running, "/payload", Sec_Fetch_Site="same-origin")[0].status == 200
        assert ask(running, "/", Sec_Fetch_Site="cross-site")[0].status == 200, "a link to the page may stand anywhere"
        assert "Access-Control-Allow-Origin" not in ask(running, "/payload", Origin="http://evil.example")[0].headers


def test_a_token_then_a_cookie(system: Path):
    with serving(system, token="a-long-token") as running:
        for path in ("/", "/payload", "/state", "/events", "/?token=wrong", "/?token="):
            answer, body = ask(running, path)
            assert answer.status == 401
            assert b"a-long-token" not in body
            assert "Set-Cookie" not in answer.headers
        assert running.full_url == f"http://127.0.0.1:{running.port}/?token=a-long-token"
        answer, _ = ask(running, "/?token=a-long-token")
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert ask(running, "/payload", Cookie=cookie)[0].status == 200
        with Listener(running.port, Cookie=cookie) as listener:
            assert listener.status == 200


def test_other_addresses_ask_for_a_token_by_themselves(system: Path):
    with serving(system, host="0.0.0.0") as running:
        assert ask(running, "/", Host="any.example")[0].status == 401
        token = running.full_url.partition("?token=")[2]
        assert len(token) >= 32
        assert ask(running, f"/?token={token}", Host="any.example")[0].status == 200
    with serving(system, host="0.0.0.0") as running:
        assert token not in running.full_url


def test_a_taken_port(system: Path, monkeypatch: pytest.MonkeyPatch):
    with serving(system) as running:
        with pytest.raises(InputError, match=f"^--port {running.port} is taken: choose another one"):
            bind(system, dict, fake_page, port=running.port)
        monkeypatch.setattr(server, "PORT", running.port)
        other = bind(system, dict, fake_page)
        assert other.port not in (0, running.port), "nobody asked for that port"
        other.stop()


def test_addresses_that_cannot_be(system: Path):
    for host in ("no such host", "192.0.2.1", "x" * 300):
        with pytest.raises(InputError, match=r"^--host "):
            bind(system, dict, fake_page, host=host, port=0)
    with pytest.raises(InputError, match="--token"):
        bind(system, dict, fake_page, token="short")


def test_an_address_of_the_newer_kind(system: Path):
    try:
        running = bind(system, dict, fake_page, host="::1", port=0)
    except InputError:
        pytest.skip("this machine has no IPv6")
    assert running.url == f"http://[::1]:{running.port}/"
    running.stop()


def test_a_system_that_cannot_be_shown_yet(system: Path):
    def broken() -> dict[str, object]:
        raise ValueError("half a record")

    with serving(system, broken) as running:
        answer, body = ask(running, "/")
        assert (answer.status, b"Nothing to show yet" in body) == (200, True)
        answer, body = ask(running, "/payload")
        assert (answer.status, body) == (503, b"the system cannot be read (ValueError: half a record)\n")


def test_a_page_that_cannot_be_made_harms_no_one_else(system: Path, capfd: pytest.CaptureFixture[str]):
    with serving(system, lambda: {"children": 1}) as running:
        running.site.make_page = lambda payload: 1 / 0  # type: ignore[assignment,return-value]
        answer, body = ask(running, "/")
        assert (answer.status, body) == (500, b"internal error, ZeroDivisionError: division by zero\n")
        assert ask(running, "/payload")[0].status == 200
    assert capfd.readouterr().err.count("\n") == 1


def test_the_page_is_made_once_for_all(system: Path):
    made: list[Server] = []
    with serving(system) as running:
        make = running.site.make_page
        running.site.make_page = lambda payload: (made.append(running), make(payload))[1]
        threads = [threading.Thread(target=ask, args=(running, "/")) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 1


def test_too_many_connections_are_closed_and_the_next_are_served(system: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background, "CONNECTIONS", 3)
    with serving(system, heartbeat=0.05) as running:
        listeners = [Listener(running.port) for _ in range(3)]
        with pytest.raises((ConnectionError, OSError)):
            ask(running, "/state")
        for listener in listeners:
            listener.close()
        end = time.monotonic() + 20
        while True:
            try:
                assert ask(running, "/state")[0].status == 200
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)


@pytest.mark.parametrize("said", [b"", b"GET /state HT", b"GET /state HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_hundred_half_open_connections_keep_nobody_out(system: Path, said: bytes):
    with serving(system) as running:
        half_open = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(120)]
        try:
            for one in half_open:
                with suppress(OSError):
                    one.sendall(said)
            for _ in range(20):
                assert ask(running, "/state")[0].status == 200
        finally:
            for one in half_open:
                one.close()


@pytest.mark.parametrize(
    "header", ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 0\r\nContent-Length: 5"]
)
def test_a_request_with_a_body_ends_the_connection(system: Path, header: str):
    """What a proxy takes for its body must not be answered as another request."""
    with serving(system) as running, socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
        inner = b"GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n"
        client.sendall(f"GET /payload HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode() + inner)
        answer = b""
        with suppress(ConnectionError):
            while part := client.recv(65536):
                answer += part
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()


def test_an_empty_body_is_none(system: Path):
    with serving(system) as running, socket.create_connection(("127.0.0.1", running.port), timeout=20) as client:
        client.sendall(b"GET /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
