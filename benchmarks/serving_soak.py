"""munet serve under load for as long as you like: models that are replaced, clients that hang up, every answer checked.

    python benchmarks/serving_soak.py --minutes 60
    python benchmarks/serving_soak.py --minutes 3 --tasks 8

First the capacity is measured, five times, with 64 connections that wait for nothing. Then requests come at `--share`
of it, at random times, each on a connection that is free or on a new one; one in twenty is for all tasks, the others
for one, in both parts; one in a hundred clients hangs up before its answer. Every `--replace` seconds a model is
replaced by another one. Each answer names its models, and is compared with what `System.predict` says of them,
computed by a process of its own; memory is read from the kernel. It ends with 1 where a request failed, an answer
differs, or memory grew by more than a tenth between the first and the last fifth.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from common import RESULTS
from load import answer, posted
from reporting import Report
from serving import Running, cores_for, loaded, served
from serving_systems import SMALL, Sharing, image_files, make_system
from shared_evaluation import add_model

import munet

LARGEST = 1e-5  # between the answers of a batch and those of predict
FOR_ALL = 0.05  # of the requests
IDLE = 5.0  # seconds until a connection is not used again; the server closes it after ten


@dataclass
class Seen:
    """What came of all requests so far."""

    answered: int = 0
    hung_up: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    differ: list[str] = field(default_factory=list)
    largest: float = 0.0
    models: set[str] = field(default_factory=set)
    latencies: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """One task and image, and what was said of it."""

    task: str
    model: str
    image: str
    said: tuple[tuple[str, float], ...]


class Soak:
    def __init__(self, server: Running, system: munet.System, images: list[Path], args: argparse.Namespace) -> None:
        self.server, self.system, self.images, self.args = server, system, images, args
        self.tasks = system.tasks  # read once: they stay
        self.seen, self.draw = Seen(), random.Random(0)
        self.bodies = {image: image.read_bytes() for image in images}
        self.free: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []  # open, with when it was used
        self.known: dict[tuple[str, str], dict[str, float]] = {}
        self.once: set[tuple[str | None, str, str, bytes]] = set()  # answers to the letter, compared or about to be
        self.to_compare: asyncio.Queue[Asked] = asyncio.Queue()

    async def run(self, rate: float) -> None:
        end, next_one = perf_counter() + 60 * self.args.minutes, perf_counter()
        others = [asyncio.create_task(work) for work in (self._replacing(), self._watching(), self._comparing())]
        async with asyncio.TaskGroup() as group:
            while (now := perf_counter()) < end:
                next_one += self.draw.expovariate(rate)
                await asyncio.sleep(max(0.0, next_one - now))
                group.create_task(self._one())
        await asyncio.wait_for(self.to_compare.join(), 600)
        for work in others:
            if work.done():
                work.result()  # what ended it
            work.cancel()

    async def _one(self) -> None:
        image, chance = self.draw.choice(self.images), self.draw.random()
        task = None if chance < FOR_ALL else self.draw.choice(self.tasks)
        began = perf_counter()
        try:
            reader, writer = await self._connected()
            try:
                writer.write(posted(path_of(task), "image/png", self.bodies[image]))
                if FOR_ALL <= chance < FOR_ALL + 0.01:
                    await asyncio.sleep(self.draw.random() * 0.01)
                    writer.close()
                    self.seen.hung_up += 1
                    return
                status, text = await asyncio.wait_for(answer(reader), 60)
            except BaseException:
                writer.close()
                raise
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.seen.failed[type(error).__name__] += 1
            return
        self.free.append((perf_counter(), reader, writer))
        self.seen.latencies.append(perf_counter() - began)
        head, _, body = text.partition(b"\r\n\r\n")
        if status != 200:
            self.seen.failed[f"{status} {body[:100]!r}"] += 1
            return
        self.seen.answered += 1
        if (again := (task, image.name, _model(head), body)) in self.once:
            self.seen.compared += 1
            return
        for one in _answers(task, head, json.loads(body), image.name):
            self.to_compare.put_nowait(one)
        if task is not None:
            self.once.add(again)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection that was used last, or a new one; those that the server may soon hang up are closed."""
        now = perf_counter()
        while self.free and now - self.free[0][0] > IDLE:
            self.free.pop(0)[2].close()
        if self.free:
            return self.free.pop()[1:]
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    async def _comparing(self) -> None:
        loop = asyncio.get_running_loop()
        where = str(self.system.path), str(self.images[0].parent)
        with ProcessPoolExecutor(1, initializer=_open, initargs=where) as pool:
            while True:
                asked = await self.to_compare.get()
                if (asked.model, asked.image) not in self.known:
                    found = await loop.run_in_executor(pool, _predicted, asked.model)
                    self.known |= {(asked.model, image): said for image, said in found.items()}
                self._compare(asked, self.known[asked.model, asked.image])
                self.to_compare.task_done()

    def _compare(self, asked: Asked, wanted: dict[str, float]) -> None:
        gaps = [abs(score - wanted[label]) for label, score in asked.said]
        self.seen.compared += 1
        self.seen.models.add(asked.model)
        self.seen.largest = max(self.seen.largest, *gaps)
        if max(gaps) > LARGEST or len(gaps) != len(wanted):
            self.seen.differ.append(f"{asked.task} {asked.model[:10]} {asked.image}: {max(gaps):.1e}")

    async def _replacing(self) -> None:
        """Another model for a task, whose head and norm are new; written by this process, as an evolution would."""
        number = 0
        while True:
            await asyncio.sleep(self.args.replace)
            task, number = self.tasks[number % len(self.tasks)], number + 1
            parent = self.system.task(task)["model"]
            assert parent is not None
            own, key = {"norm"}, f"{task} {number}"
            await asyncio.to_thread(add_model, self.system, task, parent, own, self.args.scale, key=key)

    async def _watching(self) -> None:
        while True:
            self.seen.memory.append(self.server.memory)
            await asyncio.sleep(max(1.0, 0.6 * self.args.minutes))


def path_of(task: str | None) -> str:
    """Where to ask one task, or all, for every class."""
    return "/models?tasks=*&top_k=100" if task is None else f"/models/{task}?top_k=100"


def mixed_file(path: Path, tasks: list[str], images: list[Path]) -> Path:
    """What load.py sends: each image to each task, and so many to all that they are `FOR_ALL` of the requests."""
    single = [[path_of(task), "image/png", str(image)] for task in tasks for image in images]
    for_all = round(len(single) * FOR_ALL / (1 - FOR_ALL))
    every = [[path_of(None), "image/png", str(images[number % len(images)])] for number in range(for_all)]
    path.write_text(json.dumps(single + every))
    return path


def _answers(task: str | None, head: bytes, body: Any, image: str) -> list[Asked]:
    if task is None:
        return [Asked(one["task"], one["model"], image, _pairs(one["answers"])) for one in body["tasks"]]
    return [Asked(task, _model(head), image, _pairs(body))]


def _model(head: bytes) -> str:
    return head.lower().partition(b"x-munet-model: ")[2].partition(b"\r\n")[0].decode()


def _pairs(answers: list[dict[str, Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((one["label"], one["score"]) for one in answers)


_OPENED: list[Any] = []


def _open(path: str, images: str) -> None:
    import torch

    torch.set_num_threads(1)
    _OPENED[:] = [munet.System.open(path), sorted(Path(images).glob("*.png"))]


def _predicted(model: str) -> dict[str, dict[str, float]]:
    """What `System.predict` says of every image, by this model."""
    system, images = _OPENED
    tops = system.predict(model, images, device="cpu").top(1000)
    return {image.name: dict(top) for image, top in zip(images, tops, strict=True)}


def grown(memory: list[float]) -> float:
    """The median of the last fifth by that of the first, the very first seconds left out."""
    part = max(1, len(memory) // 5)
    return statistics.median(memory[-part:]) / statistics.median(memory[1 : 1 + part] or memory)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--minutes", type=float, default=60)
    made.add_argument("--tasks", type=int, default=8)
    made.add_argument("--share", type=float, default=0.8, help="of the measured capacity, default 0.8")
    made.add_argument("--replace", type=float, default=60, help="seconds from one model to the next, default 60")
    made.add_argument("--threads", type=int, default=1)
    made.add_argument("--out", type=Path, default=RESULTS)
    args = made.parse_args()
    args.scale = replace(SMALL, tasks=args.tasks)
    report = Report("serving_soak", {name: value for name, value in vars(args).items() if name != "scale"})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        system = make_system(folder, Sharing("trunk", args.scale))
        images = image_files(folder / "files", args.scale, 16)
        requests = mixed_file(folder / "requests", system.tasks, images)
        with served("trie", system, args.threads) as server:
            capacity = statistics.median(loaded(server, requests, 64, 5)["rate"] for _ in range(5))
            os.sched_setaffinity(0, cores_for(server=False))
            print(f"capacity {capacity:.0f} requests a second; load {args.share * capacity:.0f}", flush=True)
            soak = Soak(server, system, images, args)
            asyncio.run(soak.run(args.share * capacity))
    seen, growth = soak.seen, grown(soak.seen.memory)
    cuts = statistics.quantiles(seen.latencies, n=100)
    rate = f"{seen.answered / 60 / args.minutes:.0f} of {args.share * capacity:.0f}"
    found = {
        "answered a second, of what was asked for": rate,
        "answered": seen.answered,
        "hung up": seen.hung_up,
        "failed": sum(seen.failed.values()),
        "models": len(seen.models),
        "compared": seen.compared,
        "differ": len(seen.differ),
        "largest difference": f"{seen.largest:.1e}",
        "p50, ms": f"{1e3 * cuts[49]:.1f}",
        "p99, ms": f"{1e3 * cuts[98]:.1f}",
        "memory at first, MB": f"{seen.memory[1]:.0f}",
        "at the end": f"{seen.memory[-1]:.0f}",
        "grown": f"{growth:.3f}",
    }
    report.facts.append({"memory_mb": seen.memory, "failed": dict(seen.failed), "differ": seen.differ[:20]})
    report.add_table(f"{args.minutes:g} minutes, {args.tasks} tasks", list(found), [list(found.values())])
    print(report.write(args.out))
    if seen.failed or seen.differ or growth > 1.1:
        sys.exit(f"failed: {dict(seen.failed)}; differ: {seen.differ[:5]}; memory {growth:.2f} times")


if __name__ == "__main__":
    main()
