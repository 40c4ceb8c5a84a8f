"""How long until a set of tasks is answered as well as tuned fine-tuning answers it: munet against a plain timm loop.

    python benchmarks/time_to_accuracy.py characters --data DATA
    python benchmarks/time_to_accuracy.py photographs --data DATA --ours head-only adaptive:4000
    python benchmarks/time_to_accuracy.py characters --data DATA --lora 3e-3 --ours adaptive

The plain loop (plain.py) fine-tunes a whole network for each task, with the recipe of `finetune-tuned` or
`finetune-tuned-photos`. Of it only setting up and training count, not its validation and test. munet's seconds are
those of all of `evolve`, from a system with its tasks added: reading, heads, training, validation, tests. Same process,
same threads; a column says who was ahead in mean test accuracy.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

import lora
import plain
import torch
from common import cores, parse, parser
from reporting import Report
from torch import nn

import munet
from munet.catalog import load_benchmark
from munet.evolution.active_task import ActiveTask
from munet.evolution.child import job_of, sample_generation
from munet.evolution.origins import initial_layers
from munet.evolution.runs import Request, begin
from munet.experiments.running import add_tasks, prepare
from munet.search import load_method, with_samples_per_task
from munet.tasks.cache.splits import Splits
from munet.training.images import SplitLike

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Case:
    """A benchmark of the catalog, the fine-tuning to compare with, and what of munet is measured."""

    benchmark: str
    tuned: str
    samples: int  # of the fine-tuning, for each task
    ours: tuple[str, ...]  # METHOD or METHOD:SAMPLES


CASES = {
    "characters": Case("mccb-local", "finetune-tuned", 51_200, ("head-only", "adaptive:12800", "adaptive:25600")),
    "photographs": Case("photos-local", "finetune-tuned-photos", 4_000, ("head-only", "adaptive:4000")),
}


@dataclass
class Outcome:
    """What one way came to."""

    name: str
    seconds: float
    accuracy: float  # mean over the tasks, on test images
    parameters: float  # a task, shared ones divided


def make_system(case: Case, folder: Path, data: Path) -> munet.System:
    """A system of the benchmark with all of its tasks, nothing evolved."""
    benchmark = load_benchmark(case.benchmark)
    system = prepare(folder / "system", benchmark, data)
    add_tasks(system, benchmark.tasks, data, lambda task: print(f"reading {task}", flush=True))
    return system


@dataclass(frozen=True)
class Tuned:
    """What the plain side trains for a task: a child of the fine-tuning, and its images."""

    name: str
    child: plain.Child
    train: SplitLike
    validation: SplitLike
    test: SplitLike


def tuned_children(system: munet.System, case: Case, threads: int, precision: str, seed: int) -> Iterator[Tuned]:
    """One child of the root for each task, as the fine-tuning that is compared with trains it."""
    torch.set_num_threads(threads)
    # timm's head reads one feature vector
    tuned = load_method(case.tuned, {"defaults.head_features": "pooled"})
    method, splits = with_samples_per_task(tuned, case.samples), Splits()
    request = Request(method, tuple(system.tasks), seed=seed, image_size=None, precision=precision, threads=threads)
    run = begin(system.store, request, device="cpu", default_threads=threads)
    for name in system.tasks:
        active = ActiveTask(system.models, run, name)
        (job,) = [job_of(active, one) for one in sample_generation(active, 0)]
        tensors = initial_layers(system.models, job.child.origins, job.key)
        child = plain.Child(system.architecture, tensors, job.child.trainable, job.recipe, job.key)
        yield Tuned(name, child, *(splits.get(active.record, part, job.image_size) for part in PARTS))


def tested(model: nn.Module, task: Tuned) -> float:
    return plain.accuracy(model, plain.Data.of(task.test, "cpu"), task.child.recipe, "cpu")


def plain_loop(system: munet.System, case: Case, threads: int, precision: str, seed: int) -> Outcome:
    """Fine-tune the root for each task by itself with timm."""
    seconds, accuracies, parameters = 0.0, list[float](), 0
    for task in tuned_children(system, case, threads, precision, seed):
        child = task.child
        trained = plain.train(child, task.train, task.validation)
        seconds += trained.seconds["setup"] + trained.seconds["train"]
        model = plain.build(child.architecture, child.layers, child.recipe.preprocessing.image_size)
        model.load_state_dict(trained.state, strict=False)
        accuracies.append(tested(model, task))
        parameters += sum(parameter.numel() for parameter in model.parameters())
        print(f"timm, {task.name}: {100 * accuracies[-1]:.2f} % after {seconds:.0f} s", flush=True)
    name = f"timm loop, {case.tuned}, {case.samples:,} samples"
    return Outcome(name, seconds, sum(accuracies) / len(accuracies), parameters / len(accuracies))


def lora_loop(system: munet.System, case: Case, made: lora.Lora, threads: int, precision: str, seed: int) -> Outcome:
    """One root for all tasks, and for each what PEFT adds to it."""
    seconds, accuracies, validated, own, shared = 0.0, list[float](), list[float](), 0, 0
    for task in tuned_children(system, case, threads, precision, seed):
        adapted = lora.train(task.child, made, task.train)
        seconds, own = seconds + adapted.seconds, own + adapted.own
        shared = sum(t.numel() for slot, names in task.child.layers.items() if slot != "head" for t in names.values())
        accuracies.append(tested(adapted.model, task))
        validation = plain.Data.of(task.validation, "cpu")
        validated.append(plain.accuracy(adapted.model, validation, task.child.recipe, "cpu"))
        print(f"LoRA, {task.name}: {100 * accuracies[-1]:.2f} % after {seconds:.0f} s", flush=True)
    print(f"LoRA: mean validation {100 * sum(validated) / len(validated):.2f} %", flush=True)
    name = f"PEFT, LoRA of rank {made.rank}, rate {made.learning_rate:g}, {case.samples:,} samples"
    return Outcome(name, seconds, sum(accuracies) / len(accuracies), (own + shared) / len(accuracies))


def ours(case: Case, word: str, data: Path, threads: int, precision: str, seed: int) -> Outcome:
    """`evolve` from the beginning, of all tasks."""
    method, _, samples = word.partition(":")
    budget = munet.Budget(samples_per_task=int(samples) if samples else None)
    with tempfile.TemporaryDirectory() as folder:
        system = make_system(case, Path(folder), data)
        began = perf_counter()
        munet.evolve(
            system,
            method=method,
            budget=budget,
            seed=seed,
            where=munet.Where(executor="local", threads=threads, precision=precision),
        )
        seconds, found = perf_counter() - began, system.status()
    name = f"munet, {method}" + (f", {int(samples):,} samples" if samples else "")
    return Outcome(name, seconds, found["mean_test_accuracy"], found["parameters_per_task"])


def measure(case: Case, args: argparse.Namespace, threads: int) -> list[Outcome]:
    outcomes, words = list[Outcome](), case.ours if args.ours is None else args.ours
    if not args.no_loop:
        with tempfile.TemporaryDirectory() as folder:
            system = make_system(case, Path(folder), args.data)
            outcomes.append(plain_loop(system, case, threads, args.precision, args.seed))
    for rate in args.lora:
        with tempfile.TemporaryDirectory() as folder:
            system, made = make_system(case, Path(folder), args.data), lora.Lora(args.rank, rate)
            outcomes.append(lora_loop(system, case, made, threads, args.precision, args.seed))
    return [*outcomes, *(ours(case, word, args.data, threads, args.munet_precision, args.seed) for word in words)]


def main() -> None:
    made = parser(__doc__ or "", repeats=1)
    made.add_argument("case", choices=CASES, help="which tasks")
    made.add_argument("--data", type=Path, required=True, help="folder of the benchmark's image sets")
    made.add_argument("--ours", nargs="*", metavar="METHOD[:SAMPLES]", help="what of munet is measured")
    made.add_argument("--lora", nargs="+", type=float, default=[], metavar="RATE", help="PEFT's LoRA at these rates")
    made.add_argument("--rank", type=int, default=16, help="of LoRA")
    made.add_argument(
        "--no-loop",
        action="store_true",
        help="leave out the plain loop; the first way is what others are compared with",
    )
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--samples", type=int, help="of the fine-tuning, for each task")
    made.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32", help="of the plain loop: take its better"
    )
    made.add_argument("--munet-precision", choices=("auto", "fp32", "bf16"), default="auto", help="default: auto")
    args = parse(made)
    case = CASES[args.case]
    case = replace(case, samples=args.samples or case.samples)
    report = Report("time_to_accuracy", vars(args))
    for threads in args.threads if args.threads != made.get_default("threads") else [cores()]:
        outcomes = measure(case, args, threads)
        first = outcomes[0]
        rows = [
            (
                *(one.name, f"{100 * one.accuracy:.2f}", f"{one.seconds:.0f}", f"{one.seconds / first.seconds:.2f}"),
                *(f"{one.parameters:,.0f}", "-" if one is first else "yes" if one.accuracy >= first.accuracy else "no"),
            )
            for one in outcomes
        ]
        report.facts += [{"threads": threads, **asdict(one)} for one in outcomes]
        columns = ("way", "mean test %", "seconds", "of the loop's", "parameters a task", "as good")
        report.add_table(f"{case.benchmark}, {threads} threads", columns, rows)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
