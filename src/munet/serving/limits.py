"""How much one request, and all of them together, may ask of a server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is refused: bodies of more bytes, images of more pixels, requests that come when so many wait already.

    `seconds` is how long a request may take, from its first byte to its answer; `wait` how long a batch that is not
    full waits for more rows while requests come in parallel; `rows` how many images are computed at once, at most.
    """

    body: int = 32 << 20
    pixels: int = 100_000_000
    queue: int = 512
    seconds: float = 30.0
    wait: float = 0.005
    rows: int = 64
