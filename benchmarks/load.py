"""Load on a server from a process of its own: connections that stay open, each with one request under way.

    python benchmarks/load.py --port 8000 --connections 8 --seconds 5 --requests FILE

FILE is JSON: a list of [path, content type, file of the body]. Which comes next is drawn evenly, by a seed. Prints
JSON: requests a second, p50 and p99 in milliseconds, and how many answers were none of 200. Imports nothing heavy.
"""

import argparse
import asyncio
import json
import random
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any


class Wave:
    """What is sent to one server over several connections until `seconds` after `warmup` have gone by."""

    def __init__(self, host: str, port: int, requests: Sequence[bytes], seconds: float, warmup: float) -> None:
        self._address, self._requests = (host, port), requests
        self._begin = perf_counter() + warmup
        self._end = self._begin + seconds
        self.seconds = seconds
        self.latencies: list[float] = []
        self.wrong: Counter[str] = Counter()

    async def run(self, connections: int) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(connections):
                group.create_task(self._one(random.Random(number)))

    async def _one(self, draw: random.Random) -> None:
        while perf_counter() < self._end:
            try:
                reader, writer = await asyncio.open_connection(*self._address)
                while perf_counter() < self._end:
                    await self._ask(draw.choice(self._requests), reader, writer)
                writer.close()
            except (OSError, asyncio.IncompleteReadError) as error:
                self.wrong[type(error).__name__] += 1

    async def _ask(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = perf_counter()
        writer.write(request)
        status, _ = await answer(reader)
        done = perf_counter()
        if self._begin <= done < self._end:
            self.latencies.append(done - began)
            if status != 200:
                self.wrong[str(status)] += 1

    def found(self) -> dict[str, Any]:
        """Requests a second, and what half and all but a hundredth of the answers took at most, in milliseconds."""
        answered = len(self.latencies)
        if answered < 2:
            return {"requests": answered, "rate": answered / self.seconds, "wrong": dict(self.wrong)}
        cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
        rate = (answered - sum(self.wrong.values())) / self.seconds
        return {
            "requests": answered,
            "rate": rate,
            "p50": 1e3 * cuts[49],
            "p99": 1e3 * cuts[98],
            "wrong": dict(self.wrong),
        }


def posted(path: str, kind: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(status, head and body) of an answer that says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(head[9:12]), head + await reader.readexactly(int(length))


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, required=True)
    made.add_argument("--connections", type=int, default=1)
    made.add_argument("--seconds", type=float, default=5)
    made.add_argument("--warmup", type=float, default=0.5, help="seconds before, which do not count")
    made.add_argument("--requests", type=Path, required=True)
    args = made.parse_args()
    requests = [
        posted(path, kind, Path(file).read_bytes()) for path, kind, file in json.loads(args.requests.read_text())
    ]
    wave = Wave(args.host, args.port, requests, args.seconds, args.warmup)
    asyncio.run(wave.run(args.connections))
    print(json.dumps(wave.found()))


if __name__ == "__main__":
    main()
