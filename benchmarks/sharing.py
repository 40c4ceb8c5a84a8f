"""What sharing costs: requests and bytes of a push, the time of a clone without weights, two runs in one directory.

    python benchmarks/sharing.py push --out /tmp/sharing [--tasks 124] [--delay 0.05]
    python benchmarks/sharing.py two --out /tmp/two [--rounds 3] [--children 4]

`push` takes a made-up system (`synthetic.py`: 20 models and 100 layers a task) and a store in memory that answers after
a delay. `two` evolves two tasks of one directory at once, each process on a core of its own (taskset), and says how
much longer that takes than each alone on that core, and how much more of the core. Agents that are killed are in
`together.py`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from synthetic import build

from munet.fs.bucket import Bucket, Listed
from munet.sharing.copying import Copied, copy_root
from munet.sharing.exchange import exchange
from munet.sharing.folder import FolderPlace
from munet.sharing.objects import ObjectPlace
from munet.store import Store
from munet.store.fsck import fsck


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


# -- two at once ------------------------------------------------------------------------------------------------------


def two(out: Path, rounds: int, children: int) -> None:
    """Two runs of one directory, each on a core of its own, against each of them alone on that core."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2 or shutil.which("taskset") is None:
        raise SystemExit("this takes two cores and the program taskset")
    out.mkdir(parents=True)
    names = ["first", "second"]
    _munet("init", out / "start", "--root", "random:vit_tiny_patch16_224", "--depth", "2", "--image-size", "32")
    for seed, name in enumerate(names):
        bars(out / name, seed, 2000)
        _munet("add", out / "start", name, f"npz:{out / name}")
    places = dict(zip(names, cores, strict=True))
    walls, cpus = list[float](), list[float]()
    for number in range(rounds):
        alone = dict[str, Took]()
        for name in names:
            alone |= _timed(out / f"{number}-{name}", out / "start", {name: places[name]}, children)
        both = _timed(out / f"{number}-both", out / "start", places, children)
        for name in names:
            walls.append(both[name].wall / alone[name].wall)
            cpus.append(both[name].cpu / alone[name].cpu)
            print(f"round {number} {name}: {alone[name]} alone, {both[name]} beside the other", flush=True)
    print(f"two at once take {median(walls):.3f} times as long (median of {len(walls)}, at most {max(walls):.3f})")
    print(f"and {median(cpus):.3f} times the work of the core (at most {max(cpus):.3f})")


class Took(NamedTuple):
    """Seconds of a process."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of the core)"


def _timed(path: Path, start: Path, places: dict[str, int], children: int) -> dict[str, Took]:
    """Seconds of `munet evolve` of these tasks, each on its core, all begun at once in a fresh copy of a system."""
    shutil.copytree(start, path)
    budget = ["--method", "mu2net-plus", "--task-iterations", "1", "--generations", "2", "--children", str(children)]
    budget += ["--cycles", "1", "--samples-per-cycle", "1024", "--batch-size", "32", "--set", "space.image_size=[32]"]
    where = ["--threads", "1", "--executor", "local", "--yes", "--trust-sources"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running, started = dict[int, str](), list[subprocess.Popen[bytes]]()  # names by process id
    began = time.perf_counter()
    for name, core in places.items():
        command = [
            "taskset",
            "-c",
            str(core),
            sys.executable,
            "-m",
            "munet",
            "evolve",
            str(path),
            name,
            *budget,
            *where,
        ]
        with open(path.with_suffix(f".{name}.log"), "wb") as log:
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        running[started[-1].pid] = name
    took = dict[str, Took]()
    while running:
        process, status, used = os.wait3(0)
        name = running.pop(process)
        took[name] = Took(time.perf_counter() - began, used.ru_utime + used.ru_stime)
        if status:
            raise SystemExit(path.with_suffix(f".{name}.log").read_text())
    return took


def bars(folder: Path, seed: int, train: int) -> None:
    """Images of bars of two directions among noise: the source of a task."""
    draw = np.random.default_rng(seed)
    folder.mkdir()
    for split, number in (("train", train), ("test", 64)):
        labels = np.arange(number) % 2
        pixels = draw.integers(0, 120, (number, 32, 32), dtype=np.uint8)
        for image, label in zip(pixels, labels, strict=True):
            place = draw.integers(0, 28)
            (image if label else image.T)[place : place + 4] += 30
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
    other = parts.add_parser("two")
    other.add_argument("--rounds", type=int, default=3)
    other.add_argument("--children", type=int, default=4, help="of each of two generations")
    for part in (one, other):
        part.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.part == "push":
        push(given.out, given.tasks, given.delay)
    else:
        two(given.out.absolute(), given.rounds, given.children)


if __name__ == "__main__":
    main()
