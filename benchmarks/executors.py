"""What executors cost and bring: the same generation in this process, in worker processes, on a local Ray.

    python benchmarks/executors.py
    python benchmarks/executors.py --cases characters --no-ray

Children are sampled by mu2net-plus itself. Executors are started and have trained the generation once before the clock
runs, as in a run of many generations; each then trains it again, with the activations of the round before at hand, so
little is left to compute and what handing out costs weighs the most. The start of workers is timed apart. All executors
with the same threads must give the same layers, bit for bit.
"""

import argparse
import hashlib
import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from common import Contender, Spread, compare, cores, parse, parser
from generation import CACHE, CASES, QUICK, Case, draw, make_system
from reporting import Report

import munet
from munet.evolution.active_task import ActiveTask
from munet.evolution.child_trainer import ComputeSettings
from munet.evolution.executors import Executor, WorkerPlan, join_cluster, start_executor
from munet.evolution.jobs import Job, JobGroup, group_jobs
from munet.tasks.cache.splits import Splits

GENERATION = 0


@dataclass(frozen=True)
class Way:
    """An executor with so many workers of so many threads."""

    executor: str
    workers: int
    threads: int

    @property
    def name(self) -> str:
        return f"{self.executor}, {self.workers} x {self.threads}"


@dataclass
class Generation:
    """The children to train, and what became of them."""

    system: munet.System
    active: ActiveTask
    jobs: list[Job]

    def groups(self, workers: int) -> list[JobGroup]:
        """The children as a run puts them together for so many workers."""
        return group_jobs(
            self.active.record,
            self.jobs,
            order=self.active.order(GENERATION),
            together=True,
            validation_cap=self.active.method.validation_cap,
            workers=workers,
            memory=CACHE // workers,
        )

    @contextmanager
    def started(self, way: Way) -> Iterator[tuple[Executor, float]]:
        """An executor that has trained the generation once, and the seconds until its first result."""
        plan = WorkerPlan(way.executor, way.workers, way.threads, ("cpu",))
        compute = ComputeSettings("cpu", way.threads, CACHE // way.workers, reuse=True, allow_changed=False)
        splits = Splits()
        splits.check(self.active.record, self.jobs[0].image_size)
        began = perf_counter()
        with join_cluster(plan, self.system.store) as cluster:
            executor = start_executor(plan, self.system.models, compute, splits, cluster)
            try:
                (first,) = executor.run(self.groups(len(self.jobs))[:1], _cycle, print)
                seconds = perf_counter() - began - first.seconds
                train(executor, self.groups(way.workers))
                yield executor, seconds
            finally:
                executor.close()


def _cycle(child: int, cycle: int, accuracy: float) -> None:
    """Nobody looks on."""


def train(executor: Executor, groups: Sequence[JobGroup]) -> str:
    """Train a generation; a hash of what all its children became."""
    results = sorted(executor.run(groups, _cycle, print), key=lambda result: result.number)
    digest = hashlib.sha256()
    for result in results:
        for slot in sorted(result.layers):
            digest.update(result.layers[slot])
    return digest.hexdigest()


def measure(case: Case, ways: Sequence[Way], args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each executor; all take turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        torch.set_num_threads(1)
        system = make_system(case, Path(folder), args.data)
        active, groups = draw(system, case, GENERATION, "fp32")
        work = Generation(system, active, [job for group in groups for job in group.jobs])
        started = {way: stack.enter_context(work.started(way)) for way in ways}
        hashes: dict[int, set[str]] = {}

        def contender(way: Way) -> Contender:
            parts = work.groups(way.workers)
            return Contender(
                way.name, lambda _: hashes.setdefault(way.threads, set()).add(train(started[way][0], parts))
            )

        result = compare([contender(way) for way in ways], args.repeats, label=case.title)
        if any(len(found) > 1 for found in hashes.values()):
            raise RuntimeError("executors differ in what their children became")
        return [
            {
                "case": case.title,
                "executor": way.name,
                "seconds": result.spread(way.name),
                "overhead": _overhead(way, ways, result.ratio),
                "speed": result.ratio(ways[-1].name, way.name),
                "start": started[way][1],
            }
            for way in ways
        ]


def _overhead(way: Way, ways: Sequence[Way], ratio: Any) -> Spread | None:
    """How much longer than in this process, with as many threads and workers."""
    same = Way("local", way.workers, way.threads)
    return ratio(way.name, same.name).scaled(lambda r: r - 1) if same in ways and way != same else None


def main() -> None:
    made = parser(__doc__ or "", repeats=5)
    made.add_argument("--cases", nargs="+", choices=CASES, default=["small-batches"])
    made.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds kmnist10k")
    made.add_argument("--no-ray", action="store_true", help="leave Ray out")
    args = parse(made)
    cases = QUICK if args.quick else {name: CASES[name] for name in args.cases}
    for case in cases.values():
        if case.data and not (args.data / case.data).exists():
            made.error(f"{args.data / case.data} is missing: give the folder of image sets with --data")
    ways = [Way("local", 1, 1), Way("processes", 1, 1)]
    if importlib.util.find_spec("ray") and not args.no_ray:
        ways.append(Way("ray", 1, 1))
    if (most := cores()) > 1:
        ways += [Way("processes", most, 1), Way("local", 1, most)]
    report = Report("executors", vars(args))
    rows = []
    for one in [row for case in cases.values() for row in measure(case, ways, args)]:
        overhead = one["overhead"]
        cells = [overhead.text("+.1%") if overhead else "", one["speed"].text(), f"{one['start']:.1f}"]
        rows.append([one["case"], one["executor"], one["seconds"].text(), *cells])
        report.facts.append({k: vars(v) if isinstance(v, Spread) else v for k, v in one.items()})
    columns = ["children of", "executor, workers x threads", "generation, s", "overhead against local"]
    report.add_table(
        "The same generation on each executor: median [quartiles] of the rounds",
        [*columns, f"speed against {ways[-1].name}", "start, s"],
        rows,
    )
    print(report.write(args.out))


if __name__ == "__main__":
    main()
