"""All benchmarks, one after another, each in a process of its own: what `make bench` runs.

    python benchmarks                       all of them; JSON and a page of tables in build/bench
    python benchmarks --quick               tiny sizes, to see that they run
    python benchmarks --only roofline augmentation

A benchmark by itself: python benchmarks/NAME.py --help. Close what else runs on the machine: ratios survive other
work, times do not.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from common import RESULTS, Spread
from reporting import Report, markdown

HERE = Path(__file__).resolve().parent
PARTS = (
    "roofline",
    "generation",
    "finetuning",
    "step",
    "shared_evaluation",
    "executors",
    "augmentation",
    "bookkeeping",
    "allocation",
    "serving",
)
PACKAGES = {"augmentation": ("kornia", "torchvision")}  # from the extra `bench`


def run(part: str, args: argparse.Namespace) -> bool:
    """Run one benchmark; whether it came to its end."""
    began = perf_counter()
    print(f"\n=== {part}", flush=True)
    command = [sys.executable, str(HERE / f"{part}.py")]
    figures = args.out / "systems" / "figures.json"
    if part == "bookkeeping":
        figures.parent.mkdir(parents=True, exist_ok=True)
        sizes = ["10"] if args.quick else ["10", "100", "1000"]
        command += ["--out", str(figures.parent), "--json", str(figures), "--sizes", *sizes]
        command += ["--repeats", "1"] if args.quick else []
    else:
        command += ["--out", str(args.out), *(["--quick"] if args.quick else [])]
    done = subprocess.run(command, check=False).returncode == 0
    if done and part == "bookkeeping":
        _record_bookkeeping(figures, args)
    print(f"=== {part}: {'done' if done else 'FAILED'} after {perf_counter() - began:.0f} s", flush=True)
    return done


def _record_bookkeeping(figures: Path, args: argparse.Namespace) -> None:
    """Its figures (tasks -> row -> values) in the form of the others."""
    found = json.loads(figures.read_text())
    report = Report("bookkeeping", {"quick": args.quick})
    report.facts.append(found)
    names = list(dict.fromkeys(row for rows in found.values() for row in rows))
    cells = [
        [Spread.of(found[size][name]).text(",.1f") if name in found[size] else "" for size in found] for name in names
    ]
    rows = [[name, *row] for name, row in zip(names, cells, strict=True)]
    columns = ["", *(f"{int(size):,} tasks" for size in found)]
    report.add_table("Bookkeeping: median [quartiles], milliseconds, memory in MB", columns, rows)
    report.write(args.out)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    made.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the results, default {RESULTS}")
    made.add_argument("--quick", action="store_true", help="tiny sizes; the figures mean nothing")
    args = made.parse_args()
    if args.quick and args.out == RESULTS:
        args.out = RESULTS.with_name(f"{RESULTS.name}-quick")  # real results are not overwritten
    missing = [name for part in args.only for name in PACKAGES.get(part, ()) if not importlib.util.find_spec(name)]
    if missing:
        hint = "pip install -e '.[bench]', or leave the benchmark out with --only"
        made.error(f"{' and '.join(missing)} missing, which `augmentation` compares with: {hint}")
    began = perf_counter()
    failed = [part for part in args.only if not run(part, args)]
    records = [json.loads((args.out / f"{part}.json").read_text()) for part in args.only if part not in failed]
    page = "\n\n".join(f"## {record['benchmark']}\n\n{markdown(record)}" for record in records)
    (args.out / "tables.md").write_text(page + "\n")
    print(f"\n{perf_counter() - began:.0f} s; tables: {args.out / 'tables.md'}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
