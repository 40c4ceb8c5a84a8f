"""Methods at equal training samples on eight real character sets, from `builtin:glyphs`.

    python benchmarks/mccb_local.py --data ../shared/data --out /tmp/mccb --method mu2net-plus --seed 0

Every method sees 160 child-cycles of 512 samples a task in batches of 32. The same command goes on where it stopped
and prints one JSON object: accuracies, parameters, times. `--table` prints what all finished runs in --out hold.
"""

import argparse
import json
import statistics
from pathlib import Path
from time import perf_counter
from typing import Any

import munet
from munet.events import Event, RunFinished, TaskFinished

TASKS = (
    "femnist_digits6k",
    "letters_az6k",
    "kmnist10k",
    "mnist",
    "omniglot32_drawers",
    "cmaterdb_bangla",
    "cmaterdb_devanagari",
    "cmaterdb_telugu",
)
COMMON = {"children": 4, "samples_per_cycle": 512, "batch_size": 32}
PLAIN = {"defaults.crop_area_min": 1.0, "defaults.crop_aspect_min": 1.0, "defaults.flip": False}
METHODS: dict[str, dict[str, Any]] = {
    "munet": {"method": "munet", "task_iterations": 2, "generations": 4, "cycles": 5},
    "mu2net-plus": {"method": "mu2net-plus", "task_iterations": 5, "generations": 4, "cycles": 2},
    "finetune-full": {"method": "finetune-full", "cycles": 40},
    "finetune-full-plain": {"method": "finetune-full", "cycles": 40, "settings": PLAIN},
}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Grow (or go on growing) one system and say what came of it."""
    path = args.out / f"{args.method}-{args.seed}"
    result = path.with_suffix(".json")
    if result.exists():
        return json.loads(result.read_text())
    if (path / "munet.json").exists():
        system = munet.System.open(path)
    else:
        system = munet.System.create(path, root="builtin:glyphs")
    for task in TASKS:
        if task not in system.tasks:
            system.add_task(task, f"npz:{args.data / task}")
    began = perf_counter()
    last: dict[str, Any] = {}

    def observe(event: Event) -> None:
        if isinstance(event, TaskFinished):
            print(
                f"{perf_counter() - began:7.1f} s  {event.iteration}  {event.task:22} {event.test_accuracy}", flush=True
            )
        elif isinstance(event, RunFinished):
            last.update(train=event.train_seconds, validation=event.validation_seconds)
            last.update(test=event.test_seconds, samples=event.samples)

    options = {**COMMON, **METHODS[args.method]}
    munet.evolve(system, seed=args.seed, threads=args.threads, observer=observe, **options)
    status = system.status()
    summary = {
        "method": args.method,
        "seed": args.seed,
        "threads": args.threads,
        "seconds": round(perf_counter() - began, 1),
        "clock": last,
        "mean_test_accuracy": status["mean_test_accuracy"],
        "parameters_per_task": status["parameters_per_task"],
        "flops": statistics.mean(row["flops"] for row in status["tasks"]),
        "test": {row["name"]: row["test_accuracy"] for row in status["tasks"]},
        "validation": {row["name"]: row["validation_accuracy"] for row in status["tasks"]},
    }
    result.write_text(json.dumps(summary, indent=1))
    return summary


def table(out: Path) -> str:
    """Markdown: mean and range over seeds of each method."""
    runs = [json.loads(file.read_text()) for file in sorted(out.glob("*.json"))]
    lines = [
        "| method | seeds | test %, 8 tasks | without omniglot | params/task | MFLOPs | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for method in METHODS:
        mine = [one for one in runs if one["method"] == method]
        if mine:
            full = [100 * one["mean_test_accuracy"] for one in mine]
            rest = [100 * statistics.mean(v for k, v in one["test"].items() if "omniglot" not in k) for one in mine]
            size = statistics.mean(one["parameters_per_task"] for one in mine)
            compute = statistics.mean(one["flops"] for one in mine) / 1e6
            minutes = [one["seconds"] / 60 for one in mine]
            cells = [f"{statistics.mean(v):.1f} [{min(v):.1f}, {max(v):.1f}]" for v in (full, rest)]
            row = [method, len(mine), *cells, f"{size:,.0f}", f"{compute:.1f}", f"{statistics.mean(minutes):.1f}"]
            lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--method", choices=METHODS, default="mu2net-plus")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print(table(args.out) if args.table else json.dumps(run(args), indent=1))


if __name__ == "__main__":
    main()
