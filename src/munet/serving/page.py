"""The page to try a server in, and the description of its routes."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def page() -> str:
    """One page of HTML with its style and script in it."""
    text, style, script = (_read(name) for name in ("page.html", "page.css", "page.js"))
    return text.replace("/*style*/", style).replace("/*script*/", script)


@cache
def openapi() -> bytes:
    """The routes, as OpenAPI 3.1."""
    return _read("openapi.json").encode()


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
