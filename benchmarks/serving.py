"""munet serve against other ways to answer for many tasks: requests a second, latencies, memory.

    python benchmarks/serving.py                          8 and 124 tasks; 1, 8 and 64 connections; 20 minutes
    python benchmarks/serving.py --parts load --tasks 8
    pip install --target build/litserve litserve          once, for a comparison with it: it is no dependency

Every server is a process of its own on all cores but the last, the load one on the last core. All servers of a case
are started and asked whether they answer the same; then they take turns, and each waits while another one is asked. Of
the parts, `load` compares the servers on models of three blocks that share as those of mccb-local do, `several` one
image for 20 tasks with 20 requests, `latency` a lone request with the forward pass of its model, and `large` is images
of 224 pixels.
"""

import argparse
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from common import Spread, parse, parser
from PIL import Image
from reporting import Report
from serving_servers import NAMES
from serving_systems import DEEP, LARGE, SMALL, Sharing, image_files, make_system, requests_file

import munet
from munet.inference.prepared import batches, preprocessing_of

HERE = Path(__file__).resolve().parent
LITSERVE = Path("build/litserve")
PARTS = ("load", "several", "latency", "large")
SCALES = {"small": SMALL, "deep": DEEP, "large": LARGE}
QUICK = {
    name: replace(scale, depth=2, tasks=min(scale.tasks, 3), image_size=min(scale.image_size, 64))
    for name, scale in SCALES.items()
}


@dataclass(frozen=True)
class Running:
    """A server that answers, and the process behind it."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    said: Any  # the file of what it says

    @property
    def memory(self) -> float:
        """Megabytes that the process and those that it started hold, as they were last seen; pages that they share
        count for each."""
        pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in _family(self.process.pid))
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _family(process: int) -> list[int]:
    children = [Path(f"/proc/{process}/task/{thread}/children") for thread in os.listdir(f"/proc/{process}/task")]
    found = [int(word) for file in children for word in file.read_text().split()]
    return [process, *(one for child in found for one in _family(child))]


def cores_for(server: bool) -> set[int]:
    """All cores but the last for servers, the last one for the load; one core is shared."""
    every = sorted(os.sched_getaffinity(0))
    return set(every[:-1] or every) if server else {every[-1]}


@contextmanager
def started(name: str, system: munet.System, threads: int) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = [str(LITSERVE.resolve())] if name == "litserve" else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MUNET_STATE": str(system.path.parent)}
    environment["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    script = HERE / ("serving_litserve.py" if name == "litserve" else "serving_servers.py")
    command = [sys.executable, str(script), name, str(system.path), str(port)]
    cores = cores_for(server=True)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, preexec_fn=lambda: os.sched_setaffinity(0, cores)
        )
        try:
            yield Running(name, port, process, said)
        finally:
            for one in reversed(_family(process.pid)) if process.poll() is None else []:
                os.kill(one, 15)
            process.wait()


@contextmanager
def served(name: str, system: munet.System, threads: int) -> Iterator[Running]:
    with started(name, system, threads) as server:
        wait_for(server)
        yield server


def wait_for(server: Running) -> None:
    """Until it answers. RuntimeError where it ends instead."""
    end = perf_counter() + 300
    while perf_counter() < end:
        if server.process.poll() is not None:
            server.said.seek(0)
            raise RuntimeError(f"{server.name} ended: {server.said.read().decode()[-2000:]}")
        try:
            connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("GET", "/health", headers={"Host": "localhost"})
            if connection.getresponse().status < 500:  # LitServe says 503 while its workers start
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{server.name} did not start in five minutes")


def ask(server: Running, task: str, image: Path) -> Any:
    """What a server says of an image."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / image.name
        copy.write_bytes(image.read_bytes())
        asked = requests_file(Path(place) / "r", [task], [copy], as_json=server.name == "litserve")
        path, kind, file = json.loads(asked.read_text())[0]
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", path, Path(file).read_bytes(), {"Content-Type": kind, "Host": "localhost"})
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"{server.name} answers {response.status}: {text[:500]!r}")
        return json.loads(text)


def check_equal(servers: Sequence[Running], tasks: list[str], images: list[Path]) -> None:
    """RuntimeError where two servers do not say the same."""
    for task, image in zip([tasks[0], tasks[-1]], images, strict=False):
        first, *others = [ask(server, task, image) for server in servers]
        for server, other in zip(servers[1:], others, strict=True):
            gaps = [abs(a["score"] - b["score"]) for a, b in zip(first, other, strict=True)]
            if [one["label"] for one in first] != [one["label"] for one in other] or max(gaps) > 1e-4:
                raise RuntimeError(f"{servers[0].name} says {first} and {server.name} {other}")


def loaded(server: Running, requests: Path, connections: int, seconds: float) -> dict[str, Any]:
    """What load.py finds of a server."""
    words = ["--port", server.port, "--connections", connections, "--seconds", seconds, "--requests", requests]
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py"), *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores_for(server=False)),
    )
    return json.loads(done.stdout)


def turns(
    servers: Sequence[Running], requests: Callable[[str], Path], connections: int, args: argparse.Namespace
) -> dict[str, list[dict[str, Any]]]:
    """What was found of each server in each round; every other round goes backwards."""
    found: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
    for number in range(args.repeats):
        for server in servers if number % 2 == 0 else reversed(servers):
            one = loaded(server, requests(server.name), connections, args.seconds)
            found[server.name].append(one)
            print(f"{server.name}, {connections} connections: {one}", flush=True)
    return found


def rows_of(found: dict[str, list[dict[str, Any]]], *begin: Any) -> list[list[Any]]:
    """Rows of a table: requests a second, that of the trie by it within the rounds, latencies, wrong answers."""
    rows = []
    for name, rounds in found.items():
        rates = [one["rate"] for one in rounds]
        times = [[one[key] for one in rounds if key in one] for key in ("p50", "p99")]
        ratios = [a["rate"] / max(b["rate"], 1e-9) for a, b in zip(found["trie"], rounds, strict=True)]
        wrong = sum(sum(one["wrong"].values()) for one in rounds)
        middle = [Spread.of(values).text(".1f") if values else "-" for values in times]
        rows.append([*begin, name, Spread.of(rates).text(",.0f"), Spread.of(ratios).text(), *middle, wrong])
    return rows


COLUMNS = ("server", "requests a second", "trie, times that", "p50, ms", "p99, ms", "wrong answers")


def compared(
    report: Report, sharing: Sharing, names: Sequence[str], connections: Sequence[int], args: argparse.Namespace
) -> list[list[Any]]:
    """One system, several servers, several numbers of connections."""
    rows = []
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        system = make_system(folder, sharing)
        images = image_files(folder / "files", sharing.scale, 16)
        files = {name: requests_file(folder / name, system.tasks, images, as_json=name == "litserve") for name in names}
        servers = [stack.enter_context(started(name, system, args.threads[0])) for name in names]
        for server in servers:
            wait_for(server)
        check_equal(servers, system.tasks, images)
        for count in connections:
            found = turns(servers, files.__getitem__, count, args)
            report.facts.append({"tasks": sharing.scale.tasks, "connections": count, "found": found})
            rows += rows_of(found, sharing.scale.tasks, count)
        memory = {server.name: server.memory for server in servers}
        report.facts.append({"tasks": sharing.scale.tasks, "memory_mb": memory})
        cells = [f"{memory[name]:,.0f}" for name in names]
        report.add_table(f"{sharing.scale.tasks} tasks: memory after that, MB", names, [cells])
    return rows


def load(report: Report, args: argparse.Namespace) -> None:
    names = [name for name in NAMES if name != "litserve" or LITSERVE.is_dir()]
    if len(names) < len(NAMES):
        print(f"LitServe is left out: pip install --target {LITSERVE} litserve", flush=True)
    rows = []
    for tasks in args.tasks:
        scale = replace(args.scales["small"], tasks=tasks)
        rows += compared(report, Sharing("trunk", scale), names, args.connections, args)
    title = "Images of 32 pixels, three blocks, shared as in mccb-local: median [quartiles] of the rounds"
    report.add_table(title, ["tasks", "connections", *COLUMNS], rows)


def large(report: Report, args: argparse.Namespace) -> None:
    scale = args.scales["large"]
    rows = compared(report, Sharing("half", scale), ("trie", "one-by-one", "by-task"), [8], args)
    title = f"Images of {scale.image_size} pixels, {scale.depth} blocks, half of them shared"
    report.add_table(title, ["tasks", "connections", *COLUMNS], rows)


def several(report: Report, args: argparse.Namespace) -> None:
    """One request for all tasks, one request for each: one after the other, and all at once."""
    scale = args.scales["deep"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        system = make_system(folder, Sharing("half", scale))
        images = image_files(folder / "files", scale, 16)
        single = requests_file(folder / "single", system.tasks, images)
        every = folder / "every"
        every.write_text(json.dumps([["/models?tasks=*", "image/png", str(image)] for image in images]))
        seconds: dict[str, list[float]] = {"together": [], "one after the other": [], "all at once": []}
        with served("trie", system, args.threads[0]) as server:
            for _ in range(args.repeats):
                for name, file, count in (("together", every, 1), ("one after the other", single, 1)):
                    rate = loaded(server, file, count, args.seconds)["rate"]
                    seconds[name].append((scale.tasks if count == 1 and name != "together" else 1) / rate)
                rate = loaded(server, single, scale.tasks, args.seconds)["rate"]
                seconds["all at once"].append(scale.tasks / rate)
    report.facts.append({"several": seconds, "tasks": scale.tasks})
    rows = [
        [name, Spread.of([1e3 * s for s in values]).text(".1f"), Spread.of(_ratios(values, seconds["together"])).text()]
        for name, values in seconds.items()
    ]
    depth, tasks = scale.depth, scale.tasks
    ceiling = tasks * depth / (depth // 2 + tasks * (depth - depth // 2))
    title = f"One image, {tasks} tasks that share half of {depth} blocks (by blocks computed: {ceiling:.2f} times)"
    report.add_table(title, ["requests", "ms for all tasks", "times together"], rows)


def _ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(values, base, strict=True)]


def latency(report: Report, args: argparse.Namespace) -> None:
    """A lone warm request beside the forward pass of its model on the same core, and what is before it: decoding."""
    scale = args.scales["small"]
    rounds: dict[str, list[float]] = {"request": [], "forward": [], "decoded and prepared": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        system = make_system(folder, Sharing("trunk", scale))
        (image,) = image_files(folder / "files", scale, 1)
        task = system.tasks[-1]
        requests = requests_file(folder / "requests", [task], [image])
        with served("trie", system, args.threads[0]) as server:
            for _ in range(max(args.repeats, 3)):
                rounds["request"].append(loaded(server, requests, 1, args.seconds)["p50"])
                for name, value in _own_times(system, task, image, args.threads[0]).items():
                    rounds[name].append(value)
    over = [a - b for a, b in zip(rounds["request"], rounds["forward"], strict=True)]
    report.facts.append({"latency_ms": rounds, "over_ms": over})
    cells = [Spread.of(values).text() for values in (*rounds.values(), over)]
    report.add_table(
        "A lone request for one task, 32 pixels: medians in ms", [*rounds, "request over forward"], [cells]
    )


@torch.inference_mode()
def _own_times(system: munet.System, task: str, image: Path, threads: int) -> dict[str, float]:
    """Medians in ms on the servers' cores: the forward pass of one image, and what is done before it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores_for(server=True))
    torch.set_num_threads(threads)
    try:
        network, data = system.model(task), image.read_bytes()
        pre = preprocessing_of(system.models, system.manifest(task))

        def prepared() -> torch.Tensor:
            from munet.tasks.images import decode_image

            return next(batches([decode_image(Image.open(io.BytesIO(data)))], pre, 1, "cpu"))

        x = prepared()
        found: dict[str, list[float]] = {"forward": [], "decoded and prepared": []}
        for _ in range(300):
            for name, work in (("forward", lambda: network(x)), ("decoded and prepared", prepared)):
                began = perf_counter()
                work()
                found[name].append(1e3 * (perf_counter() - began))
        return {name: statistics.median(values[50:]) for name, values in found.items()}
    finally:
        os.sched_setaffinity(0, before)


def main() -> None:
    made = parser(__doc__ or "", repeats=3)
    made.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    made.add_argument("--tasks", type=int, nargs="+", default=[8, 124], help="of `load`, default 8 124")
    made.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64], help="of `load`, default 1 8 64")
    made.add_argument("--seconds", type=float, default=5, help="of each case and round, default 5")
    made.set_defaults(threads=[1])
    args = parse(made)
    args.scales = QUICK if args.quick else SCALES
    if args.quick:
        args.tasks, args.connections, args.seconds, args.repeats = [3], [2], 0.5, 1
    report = Report("serving", {name: value for name, value in vars(args).items() if name != "scales"})
    parts = {"load": load, "several": several, "latency": latency, "large": large}
    for name in args.parts:
        parts[name](report, args)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
