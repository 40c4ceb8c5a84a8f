"""What is answered: as `munet predict` does, whatever else is asked at the same time."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import munet
from munet.serving.app import app
from munet.serving.service import Service

SHAPES = ((32, 32), (32, 32, 3), (90, 40, 3), (17, 300))


def picture(seed: int) -> bytes:
    """A PNG file of noise, of one of several sizes, grey or coloured."""
    shape = SHAPES[seed % len(SHAPES)]
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def post(client: TestClient, address: str, data: bytes, **options: Any) -> Any:
    response = client.post(address, content=data, **options)
    assert response.status_code == 200, response.text
    return response.json()


def test_one_task_answers_as_the_hub_does(client: TestClient, system: munet.System) -> None:
    response = client.post("/models/four", content=picture(1))
    found = response.json()
    assert response.headers["X-Munet-Model"] == system.task("four")["model"]
    wanted = system.predict("four", Image.open(io.BytesIO(picture(1)))).top(5)[0]
    assert [one["label"] for one in found] == [label for label, _ in wanted]
    assert [one["score"] for one in found] == pytest.approx([score for _, score in wanted], abs=1e-5)


def test_all_tasks_answer_in_one_request_and_name_what_they_share(client: TestClient) -> None:
    found = post(client, "/models?tasks=*&top_k=1", picture(2))
    assert [one["task"] for one in found["tasks"]] == ["three", "four", "again"]
    assert {len(one["answers"]) for one in found["tasks"]} == {1}
    assert all(set(one["shared"]) == {"three", "four", "again"} - {one["task"]} for one in found["tasks"])
    some = post(client, "/models?tasks=three,four,three", picture(2))
    assert [one["task"] for one in some["tasks"]] == ["three", "four"]


def test_a_dark_image_is_answered_and_said_to_be_dark(client: TestClient) -> None:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 4096, (32, 32), dtype=np.uint16)).save(file, "PNG")
    dark, said = (
        file.getvalue(),
        "the image is dark: the brightest value is 16 of 255; if it has 12 bits",
    )
    assert client.post("/models/four", content=dark).headers["X-Munet-Note"].startswith(said)
    assert all(one["note"].startswith(said) for one in post(client, "/models", dark)["tasks"])
    images = [base64.b64encode(data).decode() for data in (dark, picture(0))]
    body = {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [2], "data": images}]}
    first, second = client.post("/v2/models/four/infer", json=body).json()["parameters"]["notes"]
    assert (first.startswith(said), second) == (True, "")
    assert "X-Munet-Note" not in client.post("/models/four", content=picture(0)).headers
    black = io.BytesIO()
    Image.new("L", (32, 32)).save(black, "PNG")  # of 8 bits: it is as dark as it looks
    assert all("note" not in one for one in post(client, "/models", black.getvalue())["tasks"])


def test_an_image_may_come_as_json(client: TestClient) -> None:
    body = {"inputs": base64.b64encode(picture(3)).decode(), "parameters": {"top_k": 2}}
    assert client.post("/models/four", json=body).json() == post(client, "/models/four?top_k=2", picture(3))


def test_exact_answers_have_the_bits_of_predict_whatever_is_asked_beside_them(start: Any, system: munet.System) -> None:
    service: Service = start(exact=True)
    names, numbers = ("three", "four", "again"), range(40)
    with TestClient(app(service), base_url="http://localhost:8000") as client, ThreadPoolExecutor(16) as pool:
        address = "/models?tasks={}&top_k=9".format
        asked = [(names[number % 3] if number % 4 else "*", number) for number in numbers]
        found = list(pool.map(lambda one: post(client, address(one[0]), picture(one[1]))["tasks"], asked))
    for (_, number), answers in zip(asked, found, strict=True):
        for answer in answers:
            (wanted,) = system.predict(answer["task"], Image.open(io.BytesIO(picture(number)))).top(9)
            assert [(one["label"], one["score"]) for one in answer["answers"]] == wanted


def test_an_image_of_many_tasks_is_computed_once_below_their_heads(start: Any, system: munet.System) -> None:
    service: Service = start()
    with TestClient(app(service), base_url="http://localhost:8000") as client:
        post(client, "/models?tasks=*", picture(4))
        values = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if line[0] != "#")
    stages = service.served.now.nodes["three"].depth
    heads = {layers["head"] for layers in (system.manifest(task)["layers"] for task in system.tasks)}
    expected = stages - 1 + len(heads)
    assert float(values["munet_stage_rows_computed_total"]) == expected, "one path, and a head for each that differs"
    assert float(values["munet_stage_rows_alone_total"]) == 3 * stages


def test_the_open_inference_protocol(client: TestClient, system: munet.System) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    described = client.get("/v2/models/four").json()
    assert described["versions"] == [system.task("four")["model"]]
    assert described["outputs"][1] == {"name": "scores", "datatype": "FP32", "shape": [-1, 4]}
    assert client.get("/v2/models/four/ready").json() == {"name": "four", "ready": True}
    files = [base64.b64encode(picture(number)).decode() for number in (5, 6)]
    body = {"id": "x", "inputs": [{"name": "image", "datatype": "BYTES", "shape": [2], "data": files}]}
    found = client.post("/v2/models/four/infer", json=body).json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("four", system.task("four")["model"], "x")
    labels, scores = found["outputs"]
    assert labels["shape"] == scores["shape"] == [2, 4]
    wanted = post(client, "/models/four", picture(6))
    assert labels["data"][4:] == [one["label"] for one in wanted]
    assert scores["data"][4:] == pytest.approx([one["score"] for one in wanted], abs=1e-5)


def test_arrays_in_the_open_inference_protocol(client: TestClient) -> None:
    array = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(array.shape), "data": array.ravel().tolist()}
    found = client.post("/v2/models/three/infer", json={"inputs": [tensor]}).json()
    file = io.BytesIO()
    Image.fromarray(array[1]).save(file, "PNG")
    wanted = post(client, "/models/three", file.getvalue())
    assert found["outputs"][0]["data"][3:] == [one["label"] for one in wanted]
