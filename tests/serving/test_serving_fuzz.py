"""Whatever anybody sends is answered or refused: no 5xx, and nothing raised."""

import asyncio
import json
import os
import socket
from collections import Counter
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient
from test_serving_live import running

import munet
from munet.serving.access import Access
from munet.serving.app import app
from munet.serving.service import Service
from request_fuzz import Sent, requests

AS_JSON = {"Content-Type": "application/json"}
# what Pillow says of damaged images, and of those that are large
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")


@pytest.mark.parametrize("count", [500, pytest.param(20_000, marks=pytest.mark.slow)])
def test_near_to_valid_requests_are_answered_or_refused(start: Callable[..., Service], count: int):
    application, statuses, wrong = app(start()), Counter[int](), list[tuple[object, Sent]]()

    async def send_all() -> None:
        for one in requests(0, count):
            try:
                status: object = await _status(application, one)
            except Exception as error:
                status = repr(error)
            if isinstance(status, int) and 200 <= status < 500:
                statuses[status] += 1
            else:
                wrong.append((status, one))

    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may have a loop in this one
        thread.submit(lambda: asyncio.run(send_all())).result()
    assert [(status, one.method, one.path, one.query, one.body[:200]) for status, one in wrong][:5] == []
    assert statuses[200] > count / 25
    assert statuses[400] > count / 10
    assert set(statuses) >= {200, 400, 403, 404, 405}


async def _status(application: Any, sent: Sent) -> int:
    """The status of an answer whose body came too."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": sent.method, "path": sent.path, "query_string": sent.query, "headers": sent.headers,
        "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    parts, said = [sent.body], list[MutableMapping[str, Any]]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop()} if parts else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await application(scope, receive, send)
    assert not said[-1].get("more_body", False)
    return said[0]["status"]


@pytest.mark.parametrize(
    "count", [300, pytest.param(int(os.environ.get("MUNET_FUZZ_REQUESTS", "20000")), marks=pytest.mark.slow)]
)
def test_a_live_server_answers_or_refuses_what_comes_over_the_wire(system: munet.System, count: int):
    with running(system) as server, ThreadPoolExecutor(4) as clients:
        found = list(clients.map(lambda seed: _sent_to(server.access, requests(seed, count // 4)), range(1, 5)))
        connection = Wire(server.access.port)
        assert connection.status(Sent("GET", "/v2/health/live", b"", [(b"host", b"localhost")], b"")) == 200
        connection.close()
    statuses = sum((counts for counts, _ in found), Counter[int]())
    wrong = [one for _, some in found for one in some]
    assert [(status, one.method, one.path, one.query, one.headers, one.body[:200]) for status, one in wrong][:5] == []
    assert sum(statuses.values()) == count // 4 * 4
    assert statuses[200] > count / 25
    assert set(statuses) >= {200, 400, 404, 405}
    print(count, "requests:", dict(sorted(statuses.items())))


def _sent_to(access: Access, sent: list[Sent]) -> tuple[Counter[int], list[tuple[int, Sent]]]:
    statuses, wrong, connection = Counter[int](), list[tuple[int, Sent]](), Wire(access.port)
    for one in sent:
        status = connection.status(one)
        statuses[status] += 1
        if not 200 <= status < 500:
            wrong.append((status, one))
    connection.close()
    return statuses, wrong


class Wire:
    """A client that sends requests as they are, whatever they are, on one connection while the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port, self._socket, self._file = port, None, None

    def status(self, sent: Sent) -> int:
        """The status of the answer; 0 where the server hung up without one. TimeoutError where it says nothing."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            self._file = self._socket.makefile("rb")
        assert self._file is not None
        odd = any(name == b"content-length" for name, _ in sent.headers)  # where the next request begins is open
        headers = [*sent.headers, *([] if odd else [(b"content-length", str(len(sent.body)).encode())])]
        line = b"%s %s%s HTTP/1.1" % (
            sent.method.encode(),
            sent.path.encode(),
            b"?" + sent.query if sent.query else b"",
        )
        head = b"\r\n".join([line, *(b"%s: %s" % header for header in headers), b"", b""])
        try:
            self._socket.sendall(head + sent.body)
            return self._answer(keep=not odd, with_body=sent.method != "HEAD")
        except ConnectionError:
            self.close()
            return 499  # it was refused before all of it was sent, as is right

    def _answer(self, *, keep: bool, with_body: bool) -> int:
        assert self._file is not None
        words = self._file.readline().split()
        headers = dict[bytes, bytes]()
        while line := self._file.readline().strip():
            name, _, value = line.lower().partition(b": ")
            headers[name] = value
        if with_body:
            self._file.read(int(headers.get(b"content-length", b"0")))
        if not keep or headers.get(b"connection") == b"close":
            self.close()
        return int(words[1]) if words else 0

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._file = None


def test_half_a_character_is_sent_back_as_its_escape(client: TestClient):
    refused = client.post("/models/four", content=rb'{"inputs": "", "parameters": "\ud800"}', headers=AS_JSON)
    assert refused.status_code == 400
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 1, 3], "data": [1, 2, 3]}
    body = json.dumps({"id": "\ud800", "inputs": [tensor]})
    answer = client.post("/v2/models/four/infer", content=body, headers=AS_JSON)
    assert answer.status_code == 200
    assert rb'"id":"\ud800"' in answer.content


def test_a_list_of_no_tasks_is_refused(client: TestClient):
    refused = client.post("/models?tasks=,", content=b"x")
    assert (refused.status_code, refused.json()["error"].split(":")[0]) == (400, "tasks= names no task")
