"""A generation of 8 mu2net-plus children: munet's engine against a loop that trains each child by itself with timm.

    python benchmarks/generation.py
    python benchmarks/generation.py --cases characters --precision fp32 --threads 2

Children are sampled by the method itself, on a system that really grew to the generation that is measured; both sides
train the same children on the same batches, and their accuracies are compared. munet starts without anything kept from
earlier generations. Printed beside the ratio: the ceiling (FLOPs of the plain loop / FLOPs that are necessary) and the
utilisation (necessary FLOP/s / FLOP/s of a large matrix product in the same precision on the same threads).
"""

import argparse
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import plain
import torch
from common import Contender, compare, cores, matmul_rate, parse, parser
from memory import peak_of
from necessary import Cost, cost_of
from reporting import Report

import munet
from munet.evolution.active_task import ActiveTask
from munet.evolution.child import job_of, sample_generation
from munet.evolution.child_trainer import ChildTrainer, ComputeSettings
from munet.evolution.events import Event, GenerationStarted
from munet.evolution.jobs import JobGroup, group_jobs
from munet.evolution.origins import initial_layers
from munet.evolution.runs import Request, begin
from munet.search import load_method
from munet.store.schema.task import TaskRecord
from munet.tasks.cache.splits import Splits

CACHE = 2 << 30  # bytes
TASK = "task"
METHOD = "mu2net-plus"


@dataclass(frozen=True)
class Case:
    """A root, and a task with its budget. `data` None: noise of the root's image size."""

    title: str
    root: str
    data: str | None
    train: str  # which part of the data is trained on
    validation: str
    image_size: int
    options: dict[str, Any]
    generations: tuple[int, ...] = (0, 3)


CASES = {
    "characters": Case(
        "mccb-local (kmnist10k), batch 512",
        "builtin:glyphs",
        "kmnist10k",
        "train[:1024]",
        "validation",
        32,
        {"children": 8, "cycles": 2, "batch_size": 512},
    ),
    "small-batches": Case(
        "mccb-local (kmnist10k), batch 32",
        "builtin:glyphs",
        "kmnist10k",
        "train[:1024]",
        "validation",
        32,
        {"children": 8, "cycles": 2, "samples_per_cycle": 512, "batch_size": 32},
    ),
    "vit-b": Case(
        "ViT B/16 x12, 80 px, batch 32",
        "random:vit_base_patch16_224",
        None,
        "train[:32]",
        "train[64:96]",
        80,
        {"children": 8, "cycles": 2, "batch_size": 32},
        (0,),
    ),
}
QUICK = {
    "quick": Case(
        "ViT Ti/16 x2, noise",
        "random:vit_tiny_patch16_224",
        None,
        "train[:48]",
        "train[48:64]",
        32,
        {"children": 3, "cycles": 2, "batch_size": 16},
        (0, 1),
    )
}
ALL = {**CASES, **QUICK}


class Reached(Exception):
    """The generation to measure has begun."""


def make_system(case: Case, folder: Path, data: Path) -> munet.System:
    """A system with one task, nothing evolved."""
    depth = 2 if "x2" in case.title else None
    system = munet.System.create(folder / "system", root=case.root, depth=depth, image_size=case.image_size)
    source = data / case.data if case.data else _noise(folder / "noise", case.image_size)
    system.add_task(
        TASK,
        f"npz:{source}",
        train=case.train,
        validation=case.validation,
        test="train[:8]",
        allow_overlap=True,
        allow_duplicates=True,
    )
    return system


def _noise(folder: Path, side: int) -> Path:
    """An npz data set of noise."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (96, side, side, 3), dtype=np.uint8), np.arange(96) % 10
    np.savez(folder / "train.npz", image=images, label=labels)
    return folder


def draw(system: munet.System, case: Case, generation: int, precision: str) -> tuple[ActiveTask, list[JobGroup]]:
    """The children of a generation, after growing the ones before it."""

    def stop(event: Event) -> None:
        if isinstance(event, GenerationStarted) and event.generation == generation:
            raise Reached

    options = {**case.options, "generations": generation + 1, "task_iterations": 1}
    with suppress(Reached):
        where = munet.Where(executor="local", precision=precision)
        munet.evolve(system, [TASK], METHOD, where=where, seed=1, observer=stop, settings=options)
    method = load_method(METHOD, options)
    request = Request(method, (TASK,), seed=1, image_size=None, precision=precision, threads=None)
    run = begin(system.store, request, device="cpu", default_threads=1)
    active = ActiveTask(system.models, run, TASK)
    jobs = [job_of(active, one) for one in sample_generation(active, generation)]
    groups = group_jobs(
        active.record,
        jobs,
        order=active.order(generation),
        together=True,
        validation_cap=method.validation_cap,
        workers=1,
        memory=CACHE,
    )
    return active, groups


def plain_children(system: munet.System, groups: list[JobGroup]) -> list[plain.Child]:
    """The same children for the plain loop."""
    return [
        plain.Child(
            system.architecture,
            initial_layers(system.models, job.child.origins, job.key),
            job.child.trainable,
            job.recipe,
            group.order,
            {slot: system.models.layer(layer) for slot, layer in job.child.momentum.items()},
        )
        for group in groups
        for job in group.jobs
    ]


@dataclass
class Work:
    """Both sides' way of training one generation."""

    system: munet.System
    record: TaskRecord
    groups: list[JobGroup]
    cap: int
    device: str
    threads: int

    def __post_init__(self) -> None:
        self.splits = Splits()
        size = self.groups[0].jobs[0].image_size
        self.train = self.splits.get(self.record, "train", size)
        self.validation = self.splits.get(self.record, "validation", size, self.cap)
        self.found: dict[str, dict[int, list[float]]] = {}

    def munet(self, cache: int = CACHE) -> None:
        setting = ComputeSettings(self.device, self.threads, cache, reuse=True, allow_changed=False)
        trainer = ChildTrainer(self.system.models, setting, self.splits)
        results = [result for group in self.groups for result in trainer.train(group)]
        self.found["munet"] = {result.number: result.outcome.accuracies for result in results}

    def plain(self) -> None:
        torch.set_num_threads(self.threads)
        numbers = [job.number for group in self.groups for job in group.jobs]
        trained = plain.train_all(
            plain_children(self.system, self.groups), self.train, self.validation, device=self.device
        )
        self.found["plain"] = {n: one.accuracies for n, one in zip(numbers, trained, strict=True)}

    def check(self, precision: str) -> float:
        """Largest difference of an accuracy between the sides; RuntimeError when they do not do the same."""
        ours, theirs = self.found["munet"], self.found["plain"]
        gap = max(abs(a - b) for n in ours for a, b in zip(ours[n], theirs[n], strict=True))
        if gap > {"fp32": 0.02, "bf16": 0.1}[precision]:
            raise RuntimeError(f"the contenders do not train the same: an accuracy differs by {gap:.3f}")
        return gap

    def cost(self) -> Cost:
        classes = len(self.record["classes"])
        return cost_of(
            self.system.architecture, self.groups, classes, len(self.train.labels), len(self.validation.labels)
        )


def prepare(case: Case, generation: int, precision: str, data: Path, folder: Path, threads: int, device: str) -> Work:
    torch.set_num_threads(threads)
    system = make_system(case, folder, data)
    active, groups = draw(system, case, generation, "fp32")
    groups = [_in(precision, group) for group in groups]
    return Work(system, active.record, groups, active.method.validation_cap, device, threads)


def _in(precision: str, group: JobGroup) -> JobGroup:
    jobs = [replace(job, recipe=replace(job.recipe, precision=precision)) for job in group.jobs]
    return replace(group, jobs=tuple(jobs))


def measure(case: Case, generation: int, threads: int, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each precision; all contenders take turns."""
    with tempfile.TemporaryDirectory() as folder:
        works = {}
        for precision in args.precision:
            place = Path(folder) / precision
            place.mkdir()
            works[precision] = prepare(case, generation, precision, args.data, place, threads, args.device)
        contenders = []
        for precision, work in works.items():
            contenders.append(Contender(f"plain {precision}", lambda _, w=work: w.plain()))
            contenders.append(Contender(f"munet {precision}", lambda _, w=work: w.munet()))
        label = f"{case.title}, generation {generation + 1}, {threads} threads"
        # to grow the system was warm-up enough
        result = compare(contenders, args.repeats, warmup=0, device=args.device, label=label)
        rows = []
        for precision, work in works.items():
            cost, ours = work.cost(), result.spread(f"munet {precision}")
            size = 256 if args.quick else 2048
            peak = matmul_rate(precision, args.device, shape=(size, size, size))
            rows.append(
                {
                    "case": case.title,
                    "generation": generation + 1,
                    "threads": threads,
                    "precision": precision,
                    "children": len([job for group in work.groups for job in group.jobs]),
                    "job_groups": len(work.groups),
                    "gap": work.check(precision),
                    "plain": result.spread(f"plain {precision}"),
                    "munet": ours,
                    "ratio": result.ratio(f"plain {precision}", f"munet {precision}"),
                    "against fp32": result.ratio("munet fp32", f"munet {precision}") if "fp32" in works else None,
                    "ceiling": cost.ceiling,
                    "utilisation": cost.necessary / ours.median / peak,
                    "plain utilisation": cost.plain / result.spread(f"plain {precision}").median / peak,
                }
            )
        return rows


def run_once(which: str, name: str, generation: int, data: str, folder: str, cache: int) -> None:
    """One side once, in a process of its own, for its peak memory."""
    work = prepare(ALL[name], generation, "fp32", Path(data), Path(folder), torch.get_num_threads(), "cpu")
    work.plain() if which == "plain" else work.munet(cache)


def memory_row(name: str, args: argparse.Namespace) -> list[str]:
    """Peak memory of either side, munet's with and without anything kept."""
    threads, peaks = max(args.threads), []
    for which, cache in (("plain", 0), ("munet", 0), ("munet", CACHE)):
        with tempfile.TemporaryDirectory() as folder:
            options = {"which": which, "name": name, "generation": 0, "data": str(args.data), "folder": folder}
            peaks.append(peak_of("generation:run_once", threads, cache=cache, **options).grown)
    return [ALL[name].title, *(f"{peak / 2**20:,.0f}" for peak in peaks)]


def main() -> None:
    made = parser(__doc__ or "", repeats=2)
    made.set_defaults(threads=[cores()])  # both numbers of threads would take half an hour
    made.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    made.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    made.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds kmnist10k")
    made.add_argument("--no-memory", action="store_true", help="leave the peak memory out")
    args = parse(made)
    cases = QUICK if args.quick else {name: CASES[name] for name in args.cases}
    for case in list(cases.values()):
        if case.data and not (args.data / case.data).exists():
            made.error(f"{args.data / case.data} is missing: give the folder of image sets with --data")
    report = Report("generation", vars(args))
    found = [
        row
        for case in cases.values()
        for generation in case.generations
        for threads in args.threads
        for row in measure(case, generation, threads, args)
    ]
    columns = ["children of", "generation", "threads", "precision", "plain, s", "munet, s", "plain / munet"]
    columns += ["ceiling", "of the ceiling", "utilisation", "plain's", "against fp32"]
    rows = []
    for one in found:
        against = one["against fp32"].text() if one["against fp32"] else ""
        of = f"{one['ratio'].median / one['ceiling']:.0%}"
        row = [one["case"], one["generation"], one["threads"], one["precision"]]
        row += [one["plain"].text(), one["munet"].text(), one["ratio"].text(), f"{one['ceiling']:.2f}", of]
        rows.append([*row, f"{one['utilisation']:.0%}", f"{one['plain utilisation']:.0%}", against])
        spreads = {name: vars(one[name]) for name in ("plain", "munet", "ratio") if one[name]}
        report.facts.append(one | spreads | {"against fp32": None})
    report.add_table("A generation: median [quartiles] of the rounds", columns, rows)
    if not args.no_memory:
        memory = [memory_row(name, args) for name in cases]
        titles = [
            "children of",
            "plain, MiB",
            "munet, nothing kept, MiB",
            f"munet, {CACHE >> 20:,} MiB to keep in, MiB",
        ]
        report.add_table("Peak memory of the first generation above that of the loaded libraries, fp32", titles, memory)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
