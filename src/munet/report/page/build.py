"""One file of HTML from a payload: template, styles, script and data put together."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from munet.errors import InputError
from munet.fs.atomic import write_atomic

STYLES = ("tokens", "page", "parts", "network", "charts", "images", "print")
SCRIPT = "page.js"  # made from web/ by `make web`
SUFFIXES = (".html", ".htm")


def build_page(payload: Mapping[str, Any], live: bool = False) -> str:
    """The page that shows `payload`.

    It forbids itself everything but its own style and script. A `live` one leaves that to the headers of the server
    that sends it, which adds a script that calls `window.munet.update` (docs/report.md).
    """
    style = "\n".join(_asset(f"{name}.css") for name in STYLES)
    code = _asset(SCRIPT)
    values = {
        "policy": "" if live else _policy(style, code),
        "title": escape(str(payload["title"])),
        "style": style,
        "payload": data_text(payload),
        "script": code,
    }
    page = _asset("page.html")
    parts = []
    # Not one replacement after the other: data that holds the mark of a place must stay what it is.
    for piece in page.split("{{"):
        name, end, rest = piece.partition("}}")
        parts.append(values[name] + rest if end and name in values else piece)
    return "".join(parts)


def check_name(path: str | Path) -> Path:
    """InputError for a name that no browser takes for a page."""
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(f"{target}: a report ends in .html, for instance {target.stem or 'report'}.html")
    return target


def write_page(page: str, path: str | Path) -> Path:
    """Write a page in one step, and say where. InputError as `check_name`, StoreError where it cannot be written."""
    target = check_name(path)
    write_atomic(target, page.encode())
    return target


def data_text(payload: Mapping[str, Any]) -> str:
    """JSON that may stand inside a script element: `<` is written so that no end tag or comment can begin in it."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.encode("utf-8", "backslashreplace").decode()


def _asset(name: str) -> str:
    return (files(__name__.rpartition(".")[0]) / "assets" / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Content security policy: this style, this script, and nothing from anywhere else."""
    rules = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "img-src": "data: 'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    text = "; ".join(f"{name} {value}" for name, value in rules.items())
    return f'<meta http-equiv="Content-Security-Policy" content="{text}">\n'


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
