"""The application: all routes, and what is said where there is none."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from munet.serving import routes, v2
from munet.serving.bodies import Json
from munet.serving.service import Service


def app(service: Service) -> Starlette:
    """A service as an ASGI application."""
    every = [*routes.routes(service), *v2.routes(service)]
    return Starlette(routes=every, lifespan=service.lifespan, exception_handlers={404: _missing, 405: _missing})


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    text = "there is no such page" if status == 404 else f"{request.method} is not possible here"
    return Json({"error": f"{text}: POST an image to /models/TASK; /openapi.json has all routes"}, status)
