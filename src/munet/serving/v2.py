"""The Open Inference Protocol, version 2, as KServe, Triton and their clients speak it: a task is a model.

An input `image` is of datatype BYTES (shape [N], each the base64 of an image file) or UINT8 (shape [N, H, W, C]).
The outputs are `labels` (BYTES, [N, K]) and `scores` (FP32, [N, K]), the likeliest class first. Where an image is
doubtful the answer's `parameters` hold `notes`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from munet.errors import InputError
from munet.provenance import VERSION
from munet.serving.answers import Answer
from munet.serving.bodies import Json, decoded_json, from_base64
from munet.serving.service import Service

_MOST = 64  # images of one request
_FORMS = "BYTES of shape [N], base64 of image files, or UINT8 of shape [N, H, W, C]"


def routes(service: Service) -> list[Route]:
    """Routes under /v2."""
    own, guarded = _V2(service), service.guarded
    return [
        Route("/v2", guarded(own.server)),
        Route("/v2/health/live", guarded(own.live)),
        Route("/v2/health/ready", guarded(own.ready)),
        Route("/v2/models/{task}", guarded(own.described)),
        Route("/v2/models/{task}/ready", guarded(own.model_ready)),
        Route("/v2/models/{task}/infer", guarded(own.infer), methods=["POST"]),
    ]


class _V2:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, request: Request) -> Response:
        return Json({"name": "munet", "version": VERSION, "extensions": []})

    async def live(self, request: Request) -> Response:
        return Json({"live": True})

    async def ready(self, request: Request) -> Response:
        if not self._service.served.now.loaded:
            raise HTTPException(503, "no task has a model yet")
        return Json({"ready": True})

    async def described(self, request: Request) -> Response:
        (loaded,) = self._service.served.now.named([request.path_params["task"]])
        count = len(loaded.classes)
        return Json({
            "name": loaded.task,
            "versions": [loaded.model],
            "platform": "munet",
            "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [
                {"name": "labels", "datatype": "BYTES", "shape": [-1, count]},
                {"name": "scores", "datatype": "FP32", "shape": [-1, count]},
            ],
        })  # fmt: skip

    async def model_ready(self, request: Request) -> Response:
        (loaded,) = self._service.served.now.named([request.path_params["task"]])
        return Json({"name": loaded.task, "ready": True})

    async def infer(self, request: Request) -> Response:
        tasks = self._service.served.now
        (loaded,) = tasks.named([request.path_params["task"]])
        body = decoded_json(await self._service.body(request))
        asked = (self._service.answers(image, [loaded], tasks) for image in _images(body))
        answers = [answer for (answer,) in await asyncio.gather(*asked)]
        found: dict[str, Any] = {"model_name": loaded.task, "model_version": loaded.model}
        if isinstance(body.get("id"), str):
            found["id"] = body["id"]
        if any(answer.note for answer in answers):
            found["parameters"] = {"notes": [answer.note or "" for answer in answers]}
        return Json(found | {"outputs": _outputs(answers, len(loaded.classes))})


def _outputs(answers: Sequence[Answer], classes: int) -> list[dict[str, Any]]:
    tops, shape = [answer.top(classes) for answer in answers], [len(answers), classes]
    labels, scores = ([row[key] for top in tops for row in top] for key in ("label", "score"))
    return [
        {"name": "labels", "datatype": "BYTES", "shape": shape, "data": labels},
        {"name": "scores", "datatype": "FP32", "shape": shape, "data": scores},
    ]


def _images(body: dict[str, Any]) -> list[Any]:
    """The images of a request, as bytes of files or as arrays. InputError for anything else."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise InputError(f'"inputs" must be a list of one tensor: {_FORMS}')
    tensor = inputs[0]
    shape, data, kind = tensor.get("shape"), tensor.get("data"), tensor.get("datatype")
    if not isinstance(shape, list) or not shape or not all(type(side) is int and side > 0 for side in shape):
        raise InputError(f'"shape" must be a list of whole numbers above 0: {_FORMS}')
    if shape[0] > _MOST:
        raise InputError(f"{shape[0]} images in one request: send at most {_MOST}")
    if kind == "BYTES" and len(shape) == 1 and isinstance(data, list) and len(data) == shape[0]:
        return [from_base64(text, "data") for text in data]
    if kind == "UINT8" and len(shape) == 4 and shape[3] in (1, 3) and isinstance(data, list):
        return list(_array(data, shape))
    raise InputError(f"the tensor of datatype {str(kind)[:20]} and shape {shape[:6]} cannot be read: send {_FORMS}")


def _array(data: list[Any], shape: list[int]) -> np.ndarray:
    count = 1
    for side in shape:
        count *= side
    try:
        flat = np.asarray(data).reshape(-1)
    except ValueError as error:  # lists of unequal lengths
        raise InputError(f'"data" is no tensor: {error}') from error
    if flat.dtype.kind not in "iu" or len(flat) != count or (count and (flat.min() < 0 or flat.max() > 255)):
        raise InputError(f'"data" must hold {count} whole numbers from 0 to 255')
    return flat.astype(np.uint8).reshape(shape)
