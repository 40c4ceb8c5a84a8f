"""Whatever anybody sends is answered or refused: no 5xx, and nothing raised."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from munet.serving.app import app
from munet.serving.service import Service
from request_fuzz import Sent, requests

AS_JSON = {"Content-Type": "application/json"}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow, about damaged images
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
