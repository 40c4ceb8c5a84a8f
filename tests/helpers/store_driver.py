"""A light process that forks writers and lets them die: run by test_store_kill.py and test_store_faults.py.

    store_driver.py kill FOLDER KILLS SIZE WRITER SEED   SIGKILL at random moments; WRITER is `whole` or `naive`
    store_driver.py exit FOLDER                     os._exit at the k-th system call, for every k
    store_driver.py commit PATH TASK SECONDS SEED   commit children in a loop, as one of several processes
    store_driver.py collect PATH SECONDS            gc in a loop
    store_driver.py release PATH SECONDS            a local collection of every model that some task ever retained

Forking needs a process without threads, which that of the tests is not. Prints one JSON object.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from munet.fs.tree import Tree
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import collect, gc
from store_tools import (
    REAL,
    Faults,
    generation,
    layer_bytes,
    make_store,
    put_child,
    task_record,
    temporary_files_in,
)


def write_naive(files: Tree, path: Path | str, data: bytes) -> None:
    """What a store without care would do: write to the final path."""
    with open(path, "wb", buffering=0) as file:
        for start in range(0, len(data), 4096):
            file.write(data[start : start + 4096])


def write_for_ever(path: Path, size: int, seed: int, acknowledge: Callable[[str], None]) -> None:
    """Commit child after child of one task, and say so after each."""
    store = Store.open(path)
    (run,) = store.runs()
    number = 0
    while True:
        tag = f"{seed}.{number}"
        with store.commit():
            parent = store.read_task("a")["model"] or store.root
            model = put_child(store, "a", parent, tag, size)
            store.write_run(run, f"a-{seed:04d}-{number:04d}", generation(("a", seed, number), [model]))
            store.write_task(task_record("a", model=model, last={"run": run, "iteration": seed}, tag=tag))
        acknowledge(f"{tag} {model}")
        number += 1


def child(work: Callable[[Callable[[str], None]], None]) -> tuple[int, TextIO]:
    """Fork a process that does the work; (pid, pipe from which its acknowledgements can be read)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            work(lambda line: _write_line(writing, line))
        finally:
            os._exit(0)
    os.close(writing)
    return pid, os.fdopen(reading, "r")


def _write_line(descriptor: int, line: str) -> None:
    REAL["write"](descriptor, f"{line}\n".encode())


def acknowledged(pid: int, pipe: TextIO) -> list[list[str]]:
    """What the dead process had said. An acknowledgement is one write of less than a page, so never half a line."""
    os.waitpid(pid, 0)
    with pipe:
        return [line.split() for line in pipe.read().splitlines()]


def kill_often(folder: Path, kills: int, size: int, writer: str, seed: int) -> dict:
    os.fsync = lambda descriptor: None  # no power is cut, and waiting for the disk would leave no time to be killed in
    if writer == "naive":
        setattr(Tree, "write", write_naive)  # noqa: B010  # a type checker minds the name of the first argument
    moments = random.Random(seed)
    store = make_store(folder / "s")
    store.create_task(task_record("a"))
    store.new_run({})
    result = {"kills": 0, "acknowledged": 0, "damaged": 0, "lost": 0, "strays": 0}
    # on until one died in the middle of a write: when that happens is luck, and 20 times as many are never needed
    for number in range(20 * kills):
        if number >= kills and (result["strays"] or writer == "naive"):
            break
        pid, pipe = child(partial(write_for_ever, store.path, size, number))
        said = [pipe.readline().split() for _ in range(moments.randrange(4))]
        time.sleep(moments.uniform(0, 0.006))
        os.kill(pid, signal.SIGKILL)
        said += acknowledged(pid, pipe)
        result["kills"] += 1
        result["acknowledged"] += len(said)
        bad, lost = judge(store.path, said)
        result["damaged"] += bad
        result["lost"] += lost
        result["strays"] += len(temporary_files_in(store.path))
        if bad or lost:  # only the naive writer comes here: begin again
            shutil.rmtree(store.path)
            store = make_store(folder / "s")
            store.create_task(task_record("a"))
            store.new_run({})
        elif number % 10 == 9:
            gc(store)
            assert not temporary_files_in(store.path)
    return result


def judge(path: Path, said: list[list[str]]) -> tuple[int, int]:
    """(damaged files, acknowledged commits that are lost)."""
    store = Store.open(path)
    damaged = len(fsck(store).damaged)
    if damaged or not said:
        return damaged, 0
    tag, model = said[-1]
    record = store.read_task("a")
    last, now = (tuple(int(part) for part in text.split(".")) for text in (tag, record.get("tag", "")))
    # The ref may be one commit further: it was written, and the process died before it could say so.
    kept = record["model"] == model if now == last else now == (last[0], last[1] + 1)
    history = all(store.has_model(model) for _, model in said)
    return 0, 0 if kept and history else 1


def one_of_each(path: Path, acknowledge: Callable[[str], None]) -> None:
    """Every kind of write once, each acknowledged."""
    store = Store.open(path)
    acknowledge("loose " + store.put_layer_bytes(layer_bytes("loose", 300)))
    store.create_task(task_record("new", 9))
    acknowledge("task new")
    run = store.new_run({"config": True})
    acknowledge(f"run {run}")
    with store.commit():
        model = put_child(store, "a", store.root, "child", 300)
        acknowledge(f"model {model}")
        store.write_run(run, "a-0000-0000", generation(("a", 0, 0), [model]))
        store.write_task(task_record("a", model=model))
        acknowledge(f"ref {model}")
    gc(store)
    acknowledge("gc done")


def check_steps(path: Path, said: list[list[str]]) -> list[str]:
    """What is wrong with a system in which `one_of_each` was cut off after these acknowledgements."""
    store = Store.open(path)
    wrong = [str(damage) for damage in fsck(store).damaged]
    for what, name in said:
        there = {
            "loose": lambda n: dict(said).get("gc") or "ref" in dict(said) or store.get_layer_bytes(n),
            "task": lambda n: store.read_task(n) == task_record("new", 9),
            "run": lambda n: store.read_run(n, "run.json") == {"config": True},
            "model": lambda n: store.get_model(n)["task"] == "a",
            "ref": lambda n: store.read_task("a") == task_record("a", model=n),
            "gc": lambda n: not temporary_files_in(path),
        }[what](name)
        wrong += [] if there else [f"{what} {name} was acknowledged and is gone"]
    if store.read_task("a")["model"] not in (None, dict(said).get("model")):
        wrong.append("the ref names what was never acknowledged")
    return wrong


def finish_after(path: Path) -> list[str]:
    """What is wrong when the same work is done again after the accident."""
    store = Store.open(path)
    with Faults().injected():
        if "new" not in store.tasks():
            store.create_task(task_record("new", 9))
        with store.commit():
            model = put_child(store, "a", store.root, "child", 300)
            store.write_task(task_record("a", model=model))
        gc(store)
    report = fsck(store)
    return [str(damage) for damage in report.damaged] + report.strays


def one_of_each_until(k: int, path: Path, acknowledge: Callable[[str], None]) -> None:
    with Faults(k, die=True).injected():
        one_of_each(path, acknowledge)


def exit_everywhere(folder: Path) -> dict:
    """The process ends at its k-th system call that touches the disk, half of the bytes written if it is a write."""
    make_store(folder / "template").create_task(task_record("a"))
    k, wrong = 1, []
    while True:
        path = folder / "s"
        shutil.copytree(folder / "template", path)

        pid, pipe = child(partial(one_of_each_until, k, path))
        said = acknowledged(pid, pipe)
        wrong += [f"k={k}: {line}" for line in check_steps(path, said) + finish_after(path)]
        shutil.rmtree(path)
        if ["gc", "done"] in said:
            return {"cases": k, "wrong": wrong}
        k += 1


def commit_loop(path: Path, task: str, seconds: float, seed: int) -> dict:
    """Commit children from a small pool of contents, so that processes meet at the same objects; check each at once."""
    store, draw, count, model = Store.open(path), random.Random(seed), 0, ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with store.commit():
            model = put_child(store, task, store.root, f"pool {draw.randrange(6)}", 200)
            store.write_task(task_record(task, model=model))
        manifest = store.get_model(model)
        for layer in (*manifest["layers"].values(), *manifest["momentum"].values()):
            store.get_layer_bytes(layer)
        store.put_layer_bytes(layer_bytes(f"loose {draw.random()}", 50))
        count += 1
        time.sleep(draw.uniform(0, 0.02))  # as training would: gc takes its turn when no commit runs
    return {"commits": count, "model": model}


def collect_loop(path: Path, seconds: float) -> dict:
    store, removed, rounds = Store.open(path), 0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        removed += gc(store).layers
        rounds += 1
    return {"rounds": rounds, "removed": removed}


def release_loop(path: Path, seconds: float) -> dict:
    store, removed, rounds = Store.open(path), 0, 0
    seen: dict[str, None] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen |= {record["model"]: None for record in store.task_records() if record["model"]}
        removed += collect(store, list(seen)).layers
        rounds += 1
    return {"rounds": rounds, "removed": removed}


def main() -> None:
    what, path, *rest = sys.argv[1:]
    if what == "kill":
        result = kill_often(Path(path), int(rest[0]), int(rest[1]), rest[2], int(rest[3]))
    elif what == "exit":
        result = exit_everywhere(Path(path))
    elif what == "commit":
        result = commit_loop(Path(path), rest[0], float(rest[1]), int(rest[2]))
    elif what == "release":
        result = release_loop(Path(path), float(rest[0]))
    else:
        result = collect_loop(Path(path), float(rest[0]))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
