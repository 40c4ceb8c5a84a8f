"""What a system that has grown is worth to a task that comes later: samples that it needs there, and in an empty one.

    python benchmarks/later_task.py --data DATA --out build/later

For each held-out task of a benchmark a system is grown on the others, at `--grown` samples a task. Then the held-out
task is evolved with more and more samples: from copies of that system, where the models of other tasks are probed as
parents, and from a system that holds nothing else. Test accuracies; what is done already is not done again.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import munet
from munet.catalog import load_benchmark
from munet.experiments.running import add_tasks, prepare
from munet.fs.atomic import write_atomic

SAMPLES = (0, 1600, 3200, 6400, 12800)


def grown(args: argparse.Namespace, later: str) -> Path:
    """A system of all other tasks, evolved, with the later one added and not evolved."""
    benchmark, path = load_benchmark(args.benchmark), args.out / later / "grown"
    system = prepare(path, benchmark, args.data)
    add_tasks(system, benchmark.tasks, args.data)
    others = [name for name in system.tasks if name != later]
    if any(system.task(name)["model"] is None for name in others):
        evolve(system, others, args.grown, args)
    return path


def empty(args: argparse.Namespace, later: str) -> Path:
    """A system of the later task alone."""
    benchmark, path = load_benchmark(args.benchmark), args.out / later / "empty"
    add_tasks(prepare(path, benchmark, args.data), [t for t in benchmark.tasks if t.name == later], args.data)
    return path


def evolve(system: munet.System, names: list[str], samples: int, args: argparse.Namespace, **settings: Any) -> None:
    munet.evolve(
        system,
        names,
        "adaptive" if samples else "head-only",
        budget=munet.Budget(samples_per_task=samples or None),
        where=munet.Where(executor="local", threads=args.threads),
        settings=settings,
    )


def accuracy(base: Path, later: str, samples: int, args: argparse.Namespace, **settings: Any) -> dict[str, Any]:
    """Test accuracy of the later task after so many samples, and whose model its parent was."""
    path = base.parent / f"{base.name}-{samples}"
    result = path.with_suffix(".json")
    if not result.exists():
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(base, path)
        system = munet.System.open(path)
        evolve(system, [later], samples, args, **settings)
        record, model = system.task(later), system.show(later)
        parent = None if model["parent"] is None else system.manifest(model["parent"])["task"]
        found = {"test": record["test"]["accuracy"] if record["test"] else None, "parent": parent or "root"}
        write_atomic(result, json.dumps(found).encode())
        shutil.rmtree(path)
    return json.loads(result.read_bytes())


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder of the benchmark's image sets")
    made.add_argument("--out", type=Path, default=Path("build/later_task"))
    made.add_argument("--benchmark", default="mccb-local")
    made.add_argument("--later", nargs="+", help="tasks that are held out, one at a time; default: all")
    made.add_argument("--grown", type=int, default=12800, help="samples of each other task")
    made.add_argument("--threads", type=int, default=1)
    args = made.parse_args()
    print(
        "| later task | samples | in the grown system | its parent | in an empty one |\n| --- | --: | --: | --- | --: |"
    )
    for later in args.later or [task.name for task in load_benchmark(args.benchmark).tasks]:
        full, alone = grown(args, later), empty(args, later)
        for samples in SAMPLES:
            probed = {"probed_tasks": 8} if samples else {}
            there = accuracy(full, later, samples, args, **probed)
            here = accuracy(alone, later, samples, args)
            cells = (later, f"{samples:,}", f"{100 * there['test']:.2f}", there["parent"], f"{100 * here['test']:.2f}")
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
