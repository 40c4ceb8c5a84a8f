"""What a client sends, as values; and values as what it gets."""

import base64
import json
from typing import Any

from starlette.responses import JSONResponse

from munet.errors import InputError


class Json(JSONResponse):
    """A value as JSON. Half a character, which a client's JSON may hold and UTF-8 may not, is sent as its escape."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def decoded_json(data: bytes) -> dict[str, Any]:
    """A body as an object. InputError for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError("the body is no JSON object")
    return found


def from_base64(text: Any, name: str) -> bytes:
    """Bytes of a string. InputError that names the field for what is none."""
    try:
        if isinstance(text, str) and text:
            return base64.b64decode(text, validate=True)
    except ValueError:  # no base64, or not even ASCII
        pass
    raise InputError(f'"{name}" must be the image as a string of base64')
