"""Requests near to valid ones, as an ASGI server hands them on: what a server may be sent by anybody."""

import base64
import io
import json
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
TASKS = (*["four"] * 12, *["three"] * 8, "nope", "..", "", "\x00", "ü", "\ufffd", "a" * 3000, "four,three", "*")
WORDS = ("0", "1", "-1", "2", "1e9", "four", "three", "*", ",", "", "é", "\u0660", "\x00", "\ud800", "9" * 400, "NaN")
KEYS = ("inputs", "parameters", "datatype", "shape", "data", "top_k", "id", "name")
TYPES = ("application/json", "application/json; charset=latin-1", "image/png", "multipart/form-data", "\xff", "")


@dataclass(frozen=True)
class Sent:
    """A request."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def requests(seed: int, count: int) -> list[Sent]:
    """So many requests; the same for the same seed."""
    draw = random.Random(seed)
    images = [_image(kind, number) for number, kind in enumerate(FORMATS)]
    return [_request(draw, images) for _ in range(count)]


def _image(kind: str, seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def _request(draw: random.Random, images: list[bytes]) -> Sent:
    task = draw.choice(TASKS)
    path = draw.choice([
        "/models", *[f"/models/{task}"] * 9, *[f"/v2/models/{task}/infer"] * 9, *["/models"] * 5,
        f"/v2/models/{task}", f"/v2/models/{task}/ready", "/v2", "/v2/health/ready", "/metrics", "/openapi.json", "/",
        f"/{task}", "/models/", "//models", "/models/four/../..",
    ])  # fmt: skip
    method = draw.choice(["POST"] * 40 + ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW", ""])
    pairs = [(draw.choice(("tasks", "top_k", "token", "x")), draw.choice(WORDS)) for _ in range(draw.randrange(3))]
    # servers let nothing but ASCII through; what it stands for may be anything
    query = "&".join(f"{name}={quote_from_bytes(_bytes(value), '*,')}" for name, value in pairs).encode()
    host = draw.choice([b"localhost"] * 80 + [b"evil.example", b"[", b"", b"\xff"])
    headers = [(b"host", host)]
    if "/infer" in path or draw.random() < 0.4:
        kind, body = b"application/json", _json_body(draw, images)
    else:
        kind, body = b"image/png", _damaged(draw, draw.choice(images))
    headers.append((b"content-type", kind if draw.random() < 0.9 else draw.choice(TYPES).encode("latin-1")))
    more = [b"authorization", b"cookie", b"accept", b"content-length", b"range", b"if-none-match"]
    for name in draw.sample(more, draw.choice([0, 0, 0, 1, 2])):
        headers += [(name, _bytes(draw.choice(WORDS)))]
    return Sent(method, path, query, headers, body)


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")


def _damaged(draw: random.Random, data: bytes) -> bytes:
    """Half of the time as it was; else cut, flipped, repeated, or something else."""
    kind, made = draw.randrange(8), bytearray(data)
    if kind == 0:
        return data[: draw.randrange(len(data) + 1)]
    if kind == 1:
        return draw.randbytes(draw.randrange(200))
    if kind == 2:
        return data * 2
    if kind == 3:
        for _ in range(draw.randrange(1, 9)):
            made[draw.randrange(min(len(made), 200))] = draw.randrange(256)
    return bytes(made)


def _json_body(draw: random.Random, images: list[bytes]) -> bytes:
    if draw.random() < 0.03:
        return draw.choice([b"[" * 100_000, b'{"inputs":' * 50_000, b"\xff\xfe{}", b"NaN", b"1" * 10_000, b"null"])
    text = base64.b64encode(_damaged(draw, draw.choice(images))).decode()
    whole: dict[str, Any] = draw.choice([
        {"inputs": text, "parameters": {"top_k": 2}},
        {"id": "1", "inputs": [{"name": "image", "datatype": "BYTES", "shape": [2], "data": [text, text]}]},
        {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": list(range(12))}]},
    ])  # fmt: skip
    for _ in range(draw.choice([0, 1, 1, 2])):
        _replace_one(draw, whole)
    made = json.dumps(whole).encode()
    return _damaged(draw, made) if draw.random() < 0.1 else made


def _replace_one(draw: random.Random, whole: Any) -> None:
    """Put another value at some place in an object, or under a new key."""
    place = whole
    while True:
        inner = list(place.values()) if isinstance(place, dict) else place
        deeper = [one for one in inner if isinstance(one, dict | list) and one]
        if not deeper or draw.random() < 0.3:
            break
        place = draw.choice(deeper)
    if isinstance(place, dict):
        place[draw.choice([*place, draw.choice(KEYS)])] = _value(draw)
    else:
        place[draw.randrange(len(place))] = _value(draw)


def _value(draw: random.Random, depth: int = 2) -> Any:
    kinds = [
        None, True, 0, -1, 2**31, 2**63, 10**30, 0.5, float("nan"), float("inf"), [], {}, "BYTES", "UINT8", "FP32",
        [1], [0], [64], [65], [1, 1, 1, 1], [1, 10**9, 10**9, 3], [1, 2, 2, 4], ["", ""], *WORDS,
    ]  # fmt: skip
    if depth and draw.random() < 0.3:
        parts = [_value(draw, depth - 1) for _ in range(draw.randrange(4))]
        return parts if draw.random() < 0.6 else {draw.choice(KEYS): part for part in parts}
    return draw.choice(kinds)
