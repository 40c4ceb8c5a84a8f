"""The finished steps of a quickstart, in DIR/quickstart.json, replaced whole after each step."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from munet.errors import InputError, StoreError
from munet.fs.atomic import write_atomic
from munet.fs.decoding import decode_json

FILE = "quickstart.json"
_FORMAT = 1


class Journal:
    """Seconds by step, what the proof needs from before the later task, and the result once there is one."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = content

    @classmethod
    def open(cls, folder: Path, request: dict[str, Any], defaults: dict[str, Any]) -> "Journal":
        """The journal of `folder`, begun now or by the same command earlier.

        Where a value of `request` is None, what was asked first counts, or else the default.
        InputError where the folder holds something else, or a quickstart that was asked for something else.
        """
        path = folder / FILE
        if path.is_file():
            content = _read(path)
            asked = {key: value for key, value in request.items() if value is not None}
            changed = [key for key, value in asked.items() if content["request"].get(key) != value]
            if changed:
                was = ", ".join(f"{key} {content['request'].get(key)}" for key in changed)
                raise InputError(f"{folder} holds a quickstart with {was}: ask for that, or give another directory")
            return cls(path, content)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            used = any(not entry.name.startswith(".") for entry in folder.iterdir())
        except OSError as error:
            raise InputError(f"{folder}: cannot be used as a directory ({error.strerror}): give another one") from error
        if used:
            raise InputError(f"{folder} is not empty and holds no quickstart: give a new or an empty directory")
        request = {key: defaults.get(key) if value is None else value for key, value in request.items()}
        journal = cls(path, {"format": _FORMAT, "request": request, "seconds": {}, "sessions": 0, "result": None})
        journal.save()
        return journal

    def save(self) -> None:
        text = json.dumps(self.content, ensure_ascii=False, allow_nan=False, indent=1)
        write_atomic(self.path, text.encode())

    def __getitem__(self, key: str) -> Any:
        return self.content.get(key)

    def put(self, key: str, value: Any) -> None:
        self.content[key] = value
        self.save()

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of the block to those that the step took before, also when it is interrupted."""
        began = perf_counter()
        try:
            yield
        finally:
            seconds = self.content["seconds"]
            seconds[step] = round(seconds.get(step, 0.0) + perf_counter() - began, 2)
            self.save()


def _read(path: Path) -> dict[str, Any]:
    try:
        content = decode_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}): give another directory") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise StoreError(f"{path} was written by another version of munet: give another directory")
    return content
