"""What sharing costs: requests and bytes of a push, the time of a clone without weights, and agents that are killed.

    python benchmarks/sharing.py push --out /tmp/sharing [--tasks 124] [--delay 0.05]
    python benchmarks/sharing.py agents --out /tmp/agents --remote URL [--minutes 5] [--agents 3]

`push` takes a made-up system (`synthetic.py`: 20 models and 100 layers a task) and a store in memory that answers after
a delay. `agents` starts agents, each a process with a system and a task of its own and one task that all have, and
kills one at random every few seconds. At the end everything that any of them told has to be at the remote, whole,
and each retained model has to be as accurate on its test images as its record says.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import build

import munet
from munet.fs.bucket import Bucket, Listed
from munet.sharing.agent import agent
from munet.sharing.checking import check
from munet.sharing.copying import Copied, copy_root
from munet.sharing.exchange import Outcome, exchange
from munet.sharing.folder import FolderPlace
from munet.sharing.objects import ObjectPlace
from munet.sharing.remotes import existing
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.retained import history_of


class Counted(Bucket):
    """A store that answers after a delay, and notes what it was asked."""

    def __init__(self, store: Any, delay: float) -> None:
        super().__init__(store, "memory:///fleet")
        self._delay = delay
        self.asked: list[tuple[str, str, int]] = []  # method, key, bytes

    def _note(self, method: str, key: str, size: int = 0) -> None:
        time.sleep(self._delay)
        self.asked.append((method, key, size))

    def get(self, key: str, most: int) -> tuple[bytes | None, dict[str, str]]:
        data, mark = super().get(key, most)
        self._note("get", key, len(data or b""))
        return data, mark

    def modified(self, key: str) -> datetime | None:
        self._note("head", key)
        return super().modified(key)

    def put(self, key: str, data: bytes, mode: Any) -> dict[str, str] | None:
        self._note("put", key, len(data))
        return super().put(key, data, mode)

    def names(self, folder: str) -> list[str]:
        self._note("list", folder)
        return super().names(folder)

    def list(self, folder: str) -> Iterator[Listed]:
        self._note("list", folder)
        return super().list(folder)

    def delete(self, keys: Any) -> None:
        for key in keys:
            self._note("delete", key)
            super().delete([key])

    def told(self) -> str:
        """What was asked since the last time: by method, and how much of it were layers."""
        asked, self.asked = self.asked, []
        count = Counter(f"{method} {key.partition('/')[0].partition('-')[0]}" for method, key, _ in asked)
        layers = sum(size for _, key, size in asked if key.startswith("layers/"))
        other = sum(size for _, key, size in asked) - layers
        objects = sum(key.startswith(("layers/", "models/")) for _, key, _ in asked)
        return (
            f"{len(asked)} requests, {len(asked) - objects} of them beside objects; layers {layers:,} bytes, "
            f"all else {other:,}; {dict(sorted(count.items()))}"
        )


def push(out: Path, tasks: int, delay: float) -> None:
    from obstore.store import MemoryStore

    out.mkdir(parents=True, exist_ok=True)
    mine = FolderPlace(Store.open(build(out / f"synthetic-{tasks + 1}", tasks + 1)))
    store = MemoryStore()
    there = ObjectPlace(Counted(store, 0))
    names = mine.tasks()
    there.mark(copy_root(mine, there, Copied()))
    exchange(mine, there, names[:-1])

    bucket = Counted(store, delay)

    def asked(tasks: list[str] | None) -> None:
        place = ObjectPlace(bucket)
        began = time.perf_counter()
        bucket.refuse_unconditional()
        place.open()
        exchange(mine, place, tasks)
        what = "all tasks, nothing new" if tasks is None else f"one new task into {len(names) - 1}"
        print(f"push of {what}: {time.perf_counter() - began:.1f} s, {bucket.told()}")

    asked(names[-1:])
    asked(None)
    began = time.perf_counter()
    source = ObjectPlace(bucket)
    source.open()
    path = out / f"clone-{os.getpid()}"

    def target(made: Store) -> FolderPlace:
        return FolderPlace(made, on_use_from=bucket.name)

    made = Store.create(path, lambda made: copy_root(source, target(made), Copied()))
    exchange(source, target(made))
    print(f"clone --no-weights of {len(made.task_names())} tasks: {time.perf_counter() - began:.1f} s, {bucket.told()}")
    report = fsck(made)
    print(f"fsck of the clone: {'whole' if report.ok else report.damaged}, {report.elsewhere} layers elsewhere")


# -- agents -----------------------------------------------------------------------------------------------------------


def agents(out: Path, remote: str, minutes: float, count: int) -> None:
    out.mkdir(parents=True)
    _munet("init", out / "first", "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    names = ["common", *(f"own-{number}" for number in range(count))]
    for seed, name in enumerate(names):
        _images(out / name, seed)
        _munet("add", out / "first", name, f"npz:{out / name}", "--allow-duplicates")
    _munet("remote", "add", out / "first", "origin", remote)
    _munet("push", out / "first")
    for number in range(count):
        _munet("clone", remote, out / f"system-{number}")
        for name in names:
            _munet("task", "move", out / f"system-{number}", name, f"npz:{out / name}")
    kills = _kill_again_and_again(out, minutes, count)
    lines = [line for number in range(count) for line in (out / f"log-{number}").read_text().splitlines()]
    told = {tuple(words[1:]) for line in lines if (words := line.split())[:1] == ["told"] and len(words[-1]) == 64}
    place = existing(remote)
    report = check(place) if isinstance(place, ObjectPlace) else fsck(Store.open(Path(remote)))
    histories = {name: history_of(record) for name in names if (record := place.task(name).record)}
    lost = [model for task, model in told if model not in histories[task]]
    _munet("clone", remote, out / "last")
    last = munet.System.open(out / "last")
    for name in names:
        last.move_task(name, f"npz:{out / name}")
    measured = last.evaluate()
    wrong = [
        name for name, found in measured.items() if found["accuracy"] != (last.task(name)["test"] or {})["accuracy"]
    ]
    retained = {
        name: (len(known), sorted({who for one in known.values() for who in one["by"]}))
        for name, known in histories.items()
    }
    print(json.dumps(retained))
    print(f"{count} agents, {minutes} minutes, {kills} kills; {len(told)} models told, {len(lost)} of them lost")
    print(f"{len(report.damaged)} damaged objects; {len(wrong)} of {len(measured)} models measure other than recorded")
    sys.exit(bool(lost or report.damaged or wrong))


def work(path: Path, seed: int, tasks: list[str]) -> None:
    """What `munet agent` does, with runs of a few small children."""
    system = munet.System.open(path)
    budget = munet.Budget(task_iterations=1, generations=1, children=2, cycles=1, samples_per_cycle=64, batch_size=16)
    where = munet.Where(threads=1, executor="local")

    def told(outcome: Outcome) -> None:
        if outcome.model is not None and outcome.refused is None:
            print("told", outcome.task, outcome.model, flush=True)

    def evolve() -> None:
        munet.evolve(system, tasks, "mu2net-plus", budget=budget, where=where, seed=seed)

    agent(system, tasks, evolve, lambda: time.sleep(1), remote="origin", told=told, note=print)


def _kill_again_and_again(out: Path, minutes: float, count: int) -> int:
    draw, kills, running = random.Random(0), 0, dict[int, subprocess.Popen[bytes]]()
    end = time.monotonic() + 60 * minutes

    def start(number: int) -> None:
        command = [
            sys.executable,
            __file__,
            "work",
            str(out / f"system-{number}"),
            str(number),
            "common",
            f"own-{number}",
        ]
        environment = {**os.environ, "MUNET_AUTHOR": f"agent-{number}"}
        with open(out / f"log-{number}", "ab") as log:
            running[number] = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    for number in range(count):
        start(number)
    while time.monotonic() < end:
        time.sleep(draw.uniform(5, 25))
        number = draw.randrange(count)
        _kill(running[number])
        kills += 1
        start(number)
    for process in running.values():
        _kill(process)
    return kills


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _images(folder: Path, seed: int) -> None:
    """Bars of two directions among noise."""
    draw = np.random.default_rng(seed)
    folder.mkdir()
    for split, number in (("train", 96), ("test", 32)):
        labels = np.arange(number) % 2
        pixels = draw.integers(0, 120, (number, 32, 32), dtype=np.uint8)
        for image, label in zip(pixels, labels, strict=True):
            place = draw.integers(0, 28)
            (image if label else image.T)[place : place + 4] += 100
        np.savez(folder / f"{split}.npz", image=pixels, label=labels)


def _munet(*words: str | Path) -> None:
    done = subprocess.run([sys.executable, "-m", "munet", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"munet {' '.join(map(str, words))}: {done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    one = parts.add_parser("push")
    one.add_argument("--tasks", type=int, default=124)
    one.add_argument("--delay", type=float, default=0.05, help="seconds a request")
    two = parts.add_parser("agents")
    two.add_argument("--remote", required=True)
    two.add_argument("--minutes", type=float, default=5)
    two.add_argument("--agents", type=int, default=3)
    worker = parts.add_parser("work", help="one agent")
    worker.add_argument("system", type=Path)
    worker.add_argument("seed", type=int)
    worker.add_argument("tasks", nargs="+")
    for part in (one, two):
        part.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.part == "work":
        work(given.system, given.seed, given.tasks)
    elif given.part == "push":
        push(given.out, given.tasks, given.delay)
    else:
        agents(given.out, given.remote, given.minutes, given.agents)


if __name__ == "__main__":
    main()
