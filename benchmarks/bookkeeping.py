"""What the bookkeeping costs in a system of 10, 100 and 1,000 tasks: 20 models and 100 layers each, tiny tensors.

    python benchmarks/bookkeeping.py --out /tmp/bookkeeping [--json FILE] [--repeats 5]

Each repeat opens every system in a process of its own, goes through one task iteration without the training, and undoes
it; the sizes take turns, so that a busy moment of the machine hits all. The systems are built once and kept under
--out (520 MB for 1,000 tasks). Rows, all in milliseconds unless they say otherwise:

    open             the system, its root's manifest, one task and its model
    begin            the active task: every task's record, every retained model
    begin again      the next task iteration of the same process
    sample a child   one (parent, plan) of mu2net-plus
    commit a child   5 layers, manifest, generation record, all flushed to the disk
    retain           the task's record with its new model, flushed to the disk
    collect at first in a system where no process has collected before: reads every manifest once
    collect          what the task iteration let go, in a fresh process
    collect again    the same in a process that has collected before
    full gc          a dry run in the same process, for comparison
    add a task       name, number and record; no images
    status, gc       `munet status`, `munet status --json`, `munet gc --dry-run` with the start of the interpreter
    memory           peak in MB: of `munet status`, of gc, and of the process that goes through the iteration, there
                     without what it takes to import torch and munet, which stands beside it
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

from synthetic import LAYERS, MODELS, build, task_record

SIZES = (10, 100, 1000)
CHILDREN = 8  # sampled, and committed, in one repeat
LIMITS = {"open": 500.0, "sample a child": 5.0, "commit a child": 50.0, "status": 2000.0, "status --json": 2000.0}
RATIO = {"open": 2.0, "sample a child": 2.0, "commit a child": 2.0}
MEMORY = 500.0  # MB
Figures = dict[str, list[float]]


def clocked(action: Callable[[], Any]) -> tuple[float, Any]:
    """(milliseconds, result)."""
    began = perf_counter()
    result = action()
    return 1000 * (perf_counter() - began), result


# In a process of its own ---------------------------------------------------------------------------------------------


def iteration(path: Path) -> Figures:
    """One task iteration without its training, measured, and undone."""
    import torch

    from munet.evolution.active_task import ActiveTask
    from munet.evolution.runs import Request, begin
    from munet.search import load_method
    from munet.store.gc import collect, gc
    from munet.store.layer_file import serialize
    from munet.store.relations import FILE
    from munet.system import System

    def opened() -> System:
        system = System.open(path)
        system.task("task-0003")
        return system if system.architecture and system.manifest("task-0003") else System.open(path)

    imports = memory()
    figures: Figures = {}
    figures["open"], system = listed(clocked(opened))
    name = "task-0005"
    record, method = system.task(name), load_method("mu2net-plus", {"children": 1})
    request = Request(method, (name,), seed=7, image_size=None, precision="fp32", threads=1)
    run = begin(system.store, request, device="cpu", default_threads=1)
    figures["begin"], active = listed(clocked(lambda: ActiveTask(system.models, run, name)))
    figures["sample a child"] = [clocked(lambda g=g: active.sample_generation(g))[0] for g in range(CHILDREN)]

    store, generator = system.store, torch.Generator().manual_seed(0)
    parent, kept = record["model"], list[str]()
    base = store.get_model(parent)

    def commit(number: int) -> str:
        with store.commit():
            slots = ("head", "norm", "block.0")
            files = [serialize({"weight": torch.randn(4, generator=generator)}) for _ in range(LAYERS)]
            groups = dict(zip(slots, files[:3], strict=True)), dict(zip(slots[1:], files[3:], strict=True))
            trained, momentum = store.put_layer_files(groups)
            child = base | {"parent": parent, "stream": [7, name, 1, 0, number], "momentum": momentum}
            model = store.put_model(child | {"layers": base["layers"] | trained})
            kept.append(model)
            children = [{"child": i, "accepted": True, "model": each} for i, each in enumerate(kept)]
            place = {"task": name, "iteration": 0, "generation": 0}
            store.write_run(run.name, f"{name}-0000-0000", {"format": 1, **place, "children": children})
        return model

    def retain(best: str) -> None:
        active.retain(0, best, {"model": best, "accuracy": 0.5, "examples": 2000})
        store.write_task(record | {"model": best, "last": {"run": run.name, "iteration": 0}})

    try:
        figures["commit a child"] = [clocked(lambda n=n: commit(n))[0] for n in range(CHILDREN)]
        figures["retain"], _ = listed(clocked(lambda: retain(kept[0])))
        (path / FILE).unlink(missing_ok=True)
        figures["collect at first"], _ = listed(clocked(lambda: collect(System.open(path).store, [])))
        fresh = System.open(path).store
        figures["collect"], first = listed(clocked(lambda: collect(fresh, [*kept, parent])))
        figures["collect again"], again = listed(clocked(lambda: collect(fresh, [*kept, parent])))
        assert (first.models, again.models) == (CHILDREN - 1, 0), (first, again)
        figures["begin again"], _ = listed(clocked(lambda: ActiveTask(system.models, run, name)))
        figures["memory"] = [memory() - imports]
        figures["torch's memory"] = [imports]
        figures["full gc"], _ = listed(clocked(lambda: gc(store, dry_run=True)))
        figures["add a task"], _ = listed(clocked(lambda: add(store)))
    finally:
        undo(store, record, run.name, kept, base)
    return figures


def add(store: Any) -> None:
    name = "task-new"
    store.create_task(task_record(name, store.next_added(), None, "0001", {}))


def undo(store: Any, record: dict[str, Any], run: str, models: list[str], base: dict[str, Any]) -> None:
    """Take back what this process put into the system, so that the next one finds it as it was built."""
    from munet.store.gc import collect

    store.write_task(record)
    store.task_path("task-new").unlink(missing_ok=True)
    shutil.rmtree(store.run_path(run, "run.json").parent)
    collect(store, [model for model in models if store.has_model(model)])


def listed(pair: tuple[float, Any]) -> tuple[list[float], Any]:
    return [pair[0]], pair[1]


def memory() -> float:
    """Peak of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# From outside --------------------------------------------------------------------------------------------------------


def command(*words: str) -> tuple[float, float, bytes]:
    """(milliseconds, peak MB, output) of a command."""
    began = perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert process.stdout is not None
    output = process.stdout.read()
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return 1000 * (perf_counter() - began), usage.ru_maxrss / 1024, output


def measure(path: Path) -> Figures:
    """All rows for one system, once."""
    busy = path.with_name(f"{path.name}-measuring")
    busy.touch()  # still there after a kill: the system is not as it was built
    figures: Figures = json.loads(command(sys.executable, __file__, "--inside", str(path))[2])
    munet = [sys.executable, "-c", "from munet.cli import main; main()"]
    for row, words in {
        "status": ("status",),
        "status --json": ("status", "--json"),
        "gc --dry-run": ("gc", "--dry-run"),
    }.items():
        took, peak, _ = command(*munet, words[0], str(path), *words[1:])
        figures[row] = [took]
        figures[f"memory of {row}"] = [peak]
    busy.unlink()
    return figures


def table(found: dict[int, Figures]) -> str:
    """Medians, the middle half in brackets, and the last size against the first."""
    sizes = list(found)
    lines = [f"{'':22}" + "".join(f"{size:>24} tasks" for size in sizes) + f"{'ratio':>10}  goal"]
    for row in found[sizes[0]]:
        values = [found[size][row] for size in sizes]
        cells = "".join(f"{statistics.median(v):>12.2f} {spread(v):>17}" for v in values)
        ratio = statistics.median(values[-1]) / statistics.median(values[0])
        limit = LIMITS.get(row) or (MEMORY if row.startswith("memory") else None)
        goal = f"{limit:.0f}" if limit else ""
        goal += f", ratio {RATIO[row]:.0f}" if row in RATIO else ""
        held = limit is None or statistics.median(values[-1]) <= limit
        held &= row not in RATIO or ratio <= RATIO[row]
        lines.append(f"{row:22}{cells}{ratio:>10.2f}  {goal}{'' if held else '  MISSED'}")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    if len(values) < 2:
        return ""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"[{low:.2f}, {high:.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for the systems")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        with redirect_stdout(sys.stderr):
            figures = iteration(args.inside)
        print(json.dumps(figures))
        return
    if args.out is None:
        parser.error("--out is missing")
    args.out.mkdir(parents=True, exist_ok=True)
    paths = {}
    for size in args.sizes:
        if size < 10:
            parser.error("--sizes: a system takes at least 10 tasks")
        took, paths[size] = clocked(lambda size=size: prepared(args.out / str(size), size))
        print(f"{size} tasks, {size * MODELS} models, {size * MODELS * LAYERS} layers: {took / 1000:.1f} s", flush=True)
    found: dict[int, Figures] = {size: {} for size in args.sizes}
    for _ in range(args.repeats):
        for size, path in paths.items():
            for row, values in measure(path).items():
                found[size].setdefault(row, []).extend(values)
    print(table(found))
    if args.json:
        args.json.write_text(json.dumps({str(size): figures for size, figures in found.items()}, indent=1))


def prepared(path: Path, tasks: int) -> Path:
    """The system of this size, built again if measuring it was cut off."""
    busy = path.with_name(f"{path.name}-measuring")
    if busy.exists():
        shutil.rmtree(path, ignore_errors=True)
        path.with_name(f"{path.name}-synthetic.json").unlink(missing_ok=True)
        busy.unlink()
    return build(path, tasks)


if __name__ == "__main__":
    main()
