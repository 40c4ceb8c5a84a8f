"""The routes of munet's own: tasks, answers, measures, and pages for people."""

import asyncio
import time
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from munet.errors import InputError
from munet.serving.answers import Answer
from munet.serving.bodies import Json
from munet.serving.page import openapi, page
from munet.serving.policy import policy
from munet.serving.served import Loaded, Tasks
from munet.serving.service import Service

_TOP = 5  # classes that are named unless asked otherwise
_MOST_TOP = 1000


def routes(service: Service) -> list[Route]:
    own, guarded = _Own(service), service.guarded
    return [
        Route("/", guarded(own.page)),
        Route("/report", guarded(own.report)),
        Route("/openapi.json", guarded(own.openapi)),
        Route("/models", guarded(own.tasks), methods=["GET"]),
        Route("/models", guarded(own.classify_all), methods=["POST"]),
        Route("/models/{task}", guarded(own.describe), methods=["GET"]),
        Route("/models/{task}", guarded(own.classify), methods=["POST"]),
        Route("/metrics", guarded(own.metrics)),
    ]


class _Own:
    def __init__(self, service: Service) -> None:
        self._service, self._one_report = service, asyncio.Semaphore(1)

    async def classify(self, request: Request) -> Response:
        """One task: a list of labels and scores, as the hub's image classification answers."""
        tasks = self._service.served.now
        (loaded,) = tasks.named([request.path_params["task"]])
        data, parameters = await self._service.image(request)
        (answer,) = await self._service.answers(data, [loaded], tasks)
        note = {} if answer.note is None else {"X-Munet-Note": answer.note}
        return Json(answer.top(_top(request, parameters)), headers={"X-Munet-Model": loaded.model, **note})

    async def classify_all(self, request: Request) -> Response:
        """Several tasks, or all: one image, each shared stage computed once."""
        tasks, began = self._service.served.now, time.monotonic()
        given = request.query_params.get("tasks", "*")
        names = [name for name in given.split(",") if name]
        if not names:
            raise InputError("tasks= names no task: give names with commas between them, or * for all")
        asked = list(tasks.loaded.values()) if given == "*" else tasks.named(names)
        if not asked:
            raise HTTPException(
                503, "no task has a model yet: `munet evolve` makes one, and it is served as soon as it is there"
            )
        data, parameters = await self._service.image(request)
        found = await self._service.answers(data, asked, tasks)
        top = _top(request, parameters)
        rows = [_told(one, top, tasks) for one in found]
        return Json({"tasks": rows, "milliseconds": round(1000 * (time.monotonic() - began), 1)})

    # -- what is there ------------------------------------------------------------------------------------------------

    async def tasks(self, request: Request) -> Response:
        loaded = self._service.served.now.loaded.values()
        following = self._service.following
        remote = following and {"url": following.name, "fault": following.fault}
        told = [_described(one) for one in loaded]
        return Json({"tasks": told, "fault": self._service.served.fault, "remote": remote})

    async def describe(self, request: Request) -> Response:
        (loaded,) = self._service.served.now.named([request.path_params["task"]])
        return Json(_described(loaded))

    async def metrics(self, request: Request) -> Response:
        return Response(self._service.measures.text(), media_type=self._service.measures.content_type)

    async def openapi(self, request: Request) -> Response:
        return Response(openapi(), media_type="application/json")

    async def report(self, request: Request) -> Response:
        """The report of the system as it is now; one is made at a time."""
        if self._service.report is None:
            raise HTTPException(404, "this server has no report: `munet report` writes one")
        async with self._one_report:
            text = await to_thread.run_sync(self._service.report)
        return Response(text, media_type="text/html", headers={"Content-Security-Policy": policy(text)})

    async def page(self, request: Request) -> Response:
        text = page()
        headers = {
            "Content-Security-Policy": policy(text, "blob: data:"),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        if self._service.access.token is not None and "token" in request.query_params:
            headers["Set-Cookie"] = self._service.access.cookie_header()
        return Response(text, media_type="text/html", headers=headers)


def _top(request: Request, parameters: dict[str, Any]) -> int:
    given = request.query_params.get("top_k", parameters.get("top_k"))
    if given is None:
        return _TOP
    text = str(given)
    if not text.isdecimal() or len(text) > 6 or not 1 <= int(text) <= _MOST_TOP:
        raise InputError(f"top_k is {text[:20]}: give a number from 1 to {_MOST_TOP}")
    return int(text)


def _told(answer: Answer, top: int, tasks: Tasks) -> dict[str, Any]:
    one = answer.loaded
    note = {} if answer.note is None else {"note": answer.note}
    shared = tasks.shared_with(one.task)
    return {"task": one.task, "model": one.model, "answers": answer.top(top), "shared": shared, **note}


def _described(loaded: Loaded) -> dict[str, Any]:
    size = loaded.preprocessing.image_size
    return {"task": loaded.task, "model": loaded.model, "classes": list(loaded.classes), "image_size": size}
