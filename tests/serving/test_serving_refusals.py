"""What is refused, how it is said, and that nothing a client sends is more than a refusal."""

import asyncio
import base64
import io
import threading
import time
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient
from test_serving_answers import picture

from munet.serving.app import app
from munet.serving.batcher import Batcher, Full, Late, Question, Wanted, ready
from munet.serving.limits import Limits
from munet.serving.measures import Measures
from munet.serving.service import Service
from munet.training import Preprocessing, prepare
from munet.training.trie import Trie

JSON = {"content-type": "application/json"}


def local(service: Service) -> TestClient:
    return TestClient(app(service), base_url="http://localhost:8000")


def refusal(client: TestClient, method: str, address: str, **options: Any) -> tuple[int, str]:
    response = client.request(method, address, **options)
    (text,) = response.json().values()
    assert "\n" not in text
    return response.status_code, text


def test_unknown_tasks_are_named_with_the_nearest_one(client: TestClient) -> None:
    status, text = refusal(client, "POST", "/models/for", content=picture(0))
    assert (status, "did you mean 'four'" in text) == (404, True)
    assert refusal(client, "GET", "/v2/models/for")[0] == 404
    many = ",".join(f"t{number}" for number in range(10_000))
    assert refusal(client, "POST", f"/models?tasks={many}", content=picture(0))[0] == 404


@pytest.mark.parametrize(
    ("content", "headers", "said"),
    [
        (b"", {}, "the body is empty"),
        (b"no image", {}, "not an image, or damaged"),
        (picture(0)[:60], {}, "the image"),
        (b"{}", JSON, '"inputs" must be the image as a string of base64'),
        (b'{"inputs": "%%%"}', JSON, "base64"),
        (b'{"inputs": 7}', JSON, "base64"),
        (b"[1]", JSON, "no JSON object"),
        (b"{", JSON, "no JSON"),
        (b"[" * 100_000, JSON, "no JSON"),
        (b'{"inputs": "' + base64.b64encode(picture(0)) + b'", "parameters": 3}', JSON, '"parameters" is no object'),
        (b'{"inputs": "' + base64.b64encode(picture(0)) + b'", "parameters": {"top_k": 0}}', JSON, "top_k is 0"),
    ],
)
def test_bodies_that_are_no_image(client: TestClient, content: bytes, headers: dict[str, str], said: str) -> None:
    status, text = refusal(client, "POST", "/models/four", content=content, headers=headers)
    assert status == 400
    assert said in text


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "a list of one tensor"),
        ([{"datatype": "BYTES", "shape": [0], "data": []}], "whole numbers above 0"),
        ([{"datatype": "BYTES", "shape": [10**9], "data": []}], "at most 64"),
        ([{"datatype": "FP64", "shape": [1, 2], "data": [1, 2]}], "cannot be read"),
        ([{"datatype": "UINT8", "shape": [1, 2, 2, 1], "data": [1, 2, 3]}], "must hold 4 whole numbers"),
        ([{"datatype": "UINT8", "shape": [1, 1, 2, 1], "data": [1, 256]}], "must hold 2 whole numbers"),
        ([{"datatype": "UINT8", "shape": [1, 10**9, 10**9, 1], "data": [1]}], "whole numbers"),
        ([{"datatype": "UINT8", "shape": [1, 1, 2, 1], "data": [[1], [2, 3]]}], "no tensor"),
    ],
)
def test_tensors_that_are_no_images(client: TestClient, inputs: Any, said: str) -> None:
    status, text = refusal(client, "POST", "/v2/models/four/infer", json={"inputs": inputs})
    assert status == 400
    assert said in text


def test_wrong_methods_and_places(client: TestClient) -> None:
    assert refusal(client, "DELETE", "/models/four")[0] == 405
    assert refusal(client, "GET", "/nowhere")[0] == 404


def test_a_form_is_refused_with_the_way_out(client: TestClient) -> None:
    files = {"file": ("photo.png", picture(0), "image/png")}
    status, text = refusal(client, "POST", "/models/four", files=files)
    assert (status, "--data-binary @photo.jpg" in text) == (415, True)


def test_a_body_that_comes_too_slowly_is_told_from_an_answer_that_takes_too_long(start: Any) -> None:
    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    sent = list[MutableMapping[str, Any]]()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"10")]
    scope = {"type": "http", "method": "POST", "path": "/models/four", "query_string": b"", "headers": headers}
    application = app(start(limits=Limits(seconds=0.1)))
    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may have a loop in this one
        thread.submit(lambda: asyncio.run(application(scope, never, send))).result()
    assert sent[0]["status"] == 408


def test_what_is_too_large_is_refused_before_it_is_decoded(start: Any) -> None:
    file = io.BytesIO()
    Image.new("L", (300, 300)).save(file, "PNG")
    with local(start(limits=Limits(body=2000, pixels=10_000))) as client:
        assert refusal(client, "POST", "/models/four", content=bytes(3000))[0] == 413
        status, text = refusal(client, "POST", "/models/four", content=file.getvalue())
    assert (status, "300 x 300 pixels" in text) == (413, True)


def test_without_a_model_nothing_is_ready(start: Any) -> None:
    with local(start(tasks=[])) as client:
        assert refusal(client, "GET", "/v2/health/ready")[0] == 503
        assert refusal(client, "POST", "/models", content=picture(0))[0] == 503


def test_a_token_is_asked_for_and_taken_in_three_ways(start: Any) -> None:
    with local(start(token="secret-token", loopback=False)) as client:
        assert refusal(client, "GET", "/models")[0] == 401
        assert refusal(client, "GET", "/metrics", headers={"authorization": "Bearer wrong"})[0] == 401
        assert client.get("/models", headers={"authorization": "Bearer secret-token"}).status_code == 200
        assert client.get("/?token=secret-token").status_code == 200, "and sets the cookie"
        assert client.get("/models").status_code == 200


def test_pages_of_other_sites_cannot_lead_a_browser_here(start: Any) -> None:
    with TestClient(app(start()), base_url="http://evil.example") as client:
        assert client.get("/models").status_code == 403


class Slow:
    """A stage that waits until it is let go, and counts its calls."""

    def __init__(self) -> None:
        self.go, self.began, self.calls = threading.Event(), threading.Event(), 0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        self.began.set()
        assert self.go.wait(10)
        if (x < 0).any():
            raise RuntimeError("no such image")
        return x.flatten(1)


def test_the_queue_is_bounded_who_hangs_up_is_left_out_and_who_is_late_is_told() -> None:
    stage = Slow()
    node = Trie("images").add([("slow", stage)])
    batcher = Batcher("cpu", Limits(queue=3, wait=0.0), Measures())
    ask = [Wanted(torch.ones(1, 2, 2), [node])]
    first = batcher.ask(ask, 10)
    assert stage.began.wait(10)
    gone, late, last = batcher.ask(ask, 10), batcher.ask(ask, 0), batcher.ask(ask, 10)
    with pytest.raises(Full):
        batcher.ask(ask, 10)
    assert gone.cancel()
    stage.go.set()
    assert first.result(10)[0][0].tolist() == [1.0] * 4
    assert last.result(10)[0][0].tolist() == [1.0] * 4
    assert isinstance(late.exception(10), Late)
    assert stage.calls == 2, "the others waited together"
    batcher.close()


def test_a_batch_waits_for_as_many_as_were_just_answered_and_a_lone_question_for_nobody() -> None:
    stage = Slow()
    node = Trie("images").add([("slow", stage)])
    batcher = Batcher("cpu", Limits(wait=60.0), Measures())
    ask = [Wanted(torch.ones(1, 2, 2), [node])]
    stage.go.set()
    for _ in range(3):
        assert batcher.ask(ask, 10).result(10)
    stage.go.clear()
    stage.began.clear()
    first = batcher.ask(ask, 10)
    assert stage.began.wait(10)
    others = [batcher.ask(ask, 10) for _ in range(2)]
    stage.go.set()
    assert first.result(10)
    again = batcher.ask(ask, 10)
    assert [one.result(10) for one in (*others, again)]
    assert stage.calls == 5, "the three were one batch"
    batcher.close()


def test_images_that_are_made_ready_together_are_what_each_is_by_itself() -> None:
    colour, grey = Preprocessing(image_size=4), Preprocessing(image_size=4, mean=(0.5,), std=(0.5,))
    numbers = np.random.default_rng(0)
    wanted = [
        Wanted(torch.from_numpy(numbers.integers(0, 256, shape, dtype=np.uint8)), [], preprocessing)
        for shape in ((4, 4, 1), (6, 5, 3), (4, 4, 1))
        for preprocessing in (colour, grey, colour)
    ]
    wanted.append(Wanted(torch.rand(3, 4, 4), []))
    found = ready(wanted)
    for one, image in zip(wanted, found, strict=True):
        alone = one.image if one.preprocessing is None else prepare(one.image[None], one.preprocessing)[0]
        assert torch.equal(image, alone)


def test_a_batch_that_fails_fails_alone() -> None:
    stage = Slow()
    stage.go.set()
    node = Trie("images").add([("stage", stage)])
    batcher = Batcher("cpu", Limits(), Measures())
    bad = batcher.ask([Wanted(-torch.ones(1, 2, 2), [node])], 10)
    assert isinstance(bad.exception(10), RuntimeError)
    assert batcher.ask([Wanted(torch.ones(1, 2, 2), [node])], 10).result(10)
    batcher.close()


def test_a_full_queue_tells_when_to_come_back(start: Any) -> None:
    service: Service = start(limits=Limits(queue=1, wait=0.0))
    stage = Slow()
    node = Trie("images").add([("slow", stage)])
    running = service.batcher.ask([Wanted(torch.ones(1, 2, 2), [node])], 10)
    assert stage.began.wait(10)
    waiting = service.batcher.ask([Wanted(torch.ones(1, 2, 2), [node])], 10)
    with local(service) as client:
        response = client.post("/models/four", content=picture(0))
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    stage.go.set()
    assert running.result(10)
    assert waiting.result(10)


def test_an_answer_that_takes_too_long_is_given_up(start: Any) -> None:
    service: Service = start(limits=Limits(seconds=0.2, wait=0.0))
    stage = Slow()
    node = Trie("images").add([("slow", stage)])
    running = service.batcher.ask([Wanted(torch.ones(1, 2, 2), [node])], 10)
    with local(service) as client:
        assert refusal(client, "POST", "/models/four", content=picture(0))[0] == 504
    stage.go.set()
    assert running.result(10)


PATHS = st.sampled_from(["/models/four", "/models?tasks=*", "/v2/models/four/infer", "/models?tasks=four&top_k=2"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["inputs", "parameters", "datatype", "shape", "data", "top_k"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, body=st.binary(max_size=200), value=VALUES, as_json=st.booleans(), cut=st.integers(0, 400))
def test_whatever_is_sent_is_at_most_refused(
    client: TestClient, path: str, body: bytes, value: Any, as_json: bool, cut: int
) -> None:
    if as_json:
        response = client.post(path, json=_finite(value))
    else:
        response = client.post(path, content=picture(1)[:cut] + body)
    assert response.status_code in (200, 400, 413)


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, float):
        return value if abs(value) < 1e308 else 0.5
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return {key: _finite(one) for key, one in value.items()} if isinstance(value, dict) else value


def test_many_at_once_are_all_answered(client: TestClient) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: client.post("/models/three", content=picture(n)).status_code, range(64)))
    assert set(found) == {200}
    assert Question([], time.monotonic()).rows == 0
