"""Finished runs of an experiment, read from disk.

A run lies in `OUT/<benchmark>/<budget>/<method>/<seed>/`. It is finished when it holds `result.json`. The folders name
it, so a folder that somebody renamed goes by its new name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from munet.errors import DamagedError, InputError, suggest

FORMAT = 1
RESULT = "result.json"
TREE = "<benchmark>/<budget>/<method>/<seed>"

Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=())


class TaskResult(_Part):
    """The retained model of one task. Accuracies are 0..1, FLOPs those of one forward pass of one image."""

    name: str
    classes: Count
    validation_accuracy: Fraction
    test_accuracy: Fraction
    validation_examples: Count
    test_examples: Count
    train_examples: Count
    parameters: Count
    accounted_parameters: Amount
    flops: Amount
    image_size: Count
    num_blocks: Count
    model: str
    splits: dict[str, dict[str, Any]] = {}
    note: str | None = None


class Moment(_Part):
    """Where a system stood when a task iteration ended; `samples` and `flops_spent` are sums since the run began."""

    iteration: Count
    task: str
    samples: Count
    flops_spent: Amount
    tasks: Count
    test_accuracy: Fraction | None = None  # of the task
    mean_test_accuracy: Fraction
    mean_validation_accuracy: Fraction
    parameters_per_task: Amount
    flops_per_task: Amount
    segment: str | None = None


class Result(_Part):
    """One finished run: a method with a seed on a benchmark."""

    format: int
    benchmark: str
    budget: str
    method: str
    seed: int
    tasks: Annotated[tuple[TaskResult, ...], Field(min_length=1)]
    parameters_per_task: Amount
    flops_per_task: Amount
    samples: Count
    flops_spent: dict[str, Amount]
    device_hours: Amount
    device: str = "unknown"
    precision: str = "unknown"
    threads: int | None = None
    children: Count = 0
    history: tuple[Moment, ...] = ()
    request: dict[str, Any] = {}
    seconds: dict[str, Amount] = {}
    versions: dict[str, Any] = {}
    machine: dict[str, Any] = {}
    started: str = ""
    finished: str = ""

    @property
    def samples_per_task(self) -> float:
        """Training samples, spread evenly over the tasks."""
        return self.samples / len(self.tasks)

    @property
    def total_flops(self) -> float:
        """FLOPs spent in training and validation."""
        return sum(self.flops_spent.values())

    def accuracies(self, part: str) -> dict[str, float]:
        """Task -> accuracy on `part` ("test" or "validation"), in the order of the benchmark."""
        return {task.name: getattr(task, f"{part}_accuracy") for task in self.tasks}


Runs = Mapping[str, Sequence[Result]]  # method -> its results


def tasks_of(runs: Runs) -> list[str]:
    """Tasks of all runs, in the order of the benchmark."""
    return list(dict.fromkeys(task.name for results in runs.values() for result in results for task in result.tasks))


@dataclass(frozen=True)
class Place:
    """Which run, finished or not. `seed` is None where a method has no run at all."""

    benchmark: str
    budget: str
    method: str
    seed: int | None


@dataclass(frozen=True)
class Found:
    """What lies on disk of what was asked for. `damaged` holds one line for each file that cannot be read."""

    results: tuple[Result, ...]
    unfinished: tuple[Place, ...] = ()
    missing: tuple[Place, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def runs(self) -> dict[str, list[Result]]:
        """Method -> its results by seed, in the order of `results`."""
        runs: dict[str, list[Result]] = {}
        for result in self.results:
            runs.setdefault(result.method, []).append(result)
        return runs


def read_result(path: Path) -> Result:
    """The result in this file. DamagedError: cut short, not what a run writes; InputError: of a newer munet."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedError(
            f"{path} is cut short or no JSON ({error}); remove it and run the experiment again"
        ) from None
    written = value.get("format") if isinstance(value, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise InputError(f"{path} has format {written}, this munet reads up to {FORMAT}: update munet")
    try:
        return Result.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        text = f"{path} is no result of a run: {where}: {first['msg'].lower()}"
        raise DamagedError(f"{text}; remove it and run the experiment again") from None


def benchmarks(out: Path) -> list[str]:
    """Benchmarks that have runs under `out`. InputError where there is no such folder."""
    if not out.is_dir():
        raise InputError(
            f"{out}: no such folder; --out names the one that `munet experiment run` wrote", kind="missing-file"
        )
    return _folders(out)


def budgets(out: Path, benchmark: str) -> list[str]:
    """Budgets at which `benchmark` was run. InputError where it was not."""
    known = benchmarks(out)
    if benchmark not in known:
        there = f"there are: {', '.join(known)}" if known else f"it has no runs at all ({TREE})"
        raise InputError(f"{out} has no runs of '{benchmark}'{suggest(benchmark, known)}; {there}")
    return _folders(out / benchmark)


def find(
    out: Path, benchmark: str, budget: str, methods: Sequence[str] | None = None, seeds: int | None = None
) -> Found:
    """The runs of a benchmark at a budget, in the order of `methods` (all that are there, baselines first, if None).

    With `seeds`, only 0 to `seeds` - 1, and those that are not there are named as missing. InputError: a benchmark,
    budget or method that has no runs and is none.
    """
    known = budgets(out, benchmark)
    if budget not in known:
        there = f"; there is: {', '.join(known)}" if known else ""
        raise InputError(f"{out / benchmark} has no runs at budget '{budget}'{suggest(budget, known)}{there}")
    folder = out / benchmark / budget
    there = _folders(folder)
    asked = in_order(there) if methods is None else [m if m in there else _folder_of(m) for m in methods]
    results, unfinished, missing, damaged = [], [], [], []
    for method in dict.fromkeys(asked):
        stored = sorted(_seeds(folder / method))
        wanted = stored if seeds is None else range(seeds)
        if not wanted:
            missing.append(Place(benchmark, budget, method, None))
        for seed in wanted:
            place, file = Place(benchmark, budget, method, seed), folder / method / str(seed) / RESULT
            if seed not in stored:
                missing.append(place)
            elif not file.exists():
                unfinished.append(place)
            else:
                try:
                    named = {"benchmark": benchmark, "budget": budget, "method": method, "seed": seed}
                    results.append(read_result(file).model_copy(update=named))
                except (DamagedError, InputError) as error:
                    damaged.append(str(error))
    return Found(tuple(results), tuple(unfinished), tuple(missing), tuple(damaged))


def _folders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _seeds(path: Path) -> Iterator[int]:
    for name in _folders(path) if path.is_dir() else ():
        if re.fullmatch(r"0|[1-9][0-9]*", name):
            yield int(name)


# Methods and their names

RANKS = (  # in the order of the papers' tables
    *("multi-head", "finetune-above", "finetune-full", "adapters"),
    *("munet-no-autotune", "munet", "mu2net", "mu2net-plus", "mu2net-plus-no-compute"),
)


@dataclass(frozen=True)
class Name:
    """The folder name of a method in its parts, `base[:argument][+name=value]...`, whether or not it is one today."""

    base: str
    argument: str | None
    options: Mapping[str, str]

    @classmethod
    def of(cls, method: str) -> "Name":
        head, *words = method.split("+")
        base, colon, argument = head.partition(":")
        options: dict[str, str] = {}
        for word in words:
            key, _, value = word.partition("=")
            options[key] = value
        return cls(base, argument if colon else None, options)

    def __str__(self) -> str:
        head = self.base if self.argument is None else f"{self.base}:{self.argument}"
        return "+".join([head, *(f"{name}={value}" if value else name for name, value in self.options.items())])


def in_order(methods: Iterable[str]) -> list[str]:
    """Baselines first, the papers' methods in the order of the papers, smaller before larger; then all others."""

    def rank(method: str) -> tuple[Any, ...]:
        spec = Name.of(method)
        place = RANKS.index(spec.base) if spec.base in RANKS else len(RANKS)
        others = {name: value for name, value in spec.options.items() if name != "scale"}
        scale = as_number(spec.options.get("scale", "1"))
        argument = as_number(spec.argument or "")
        # of finetune-above, the one that trains least is the smallest
        turned = None if argument is None else -argument if spec.base == "finetune-above" else argument
        return place, spec.base, len(others), str(sorted(others.items())), turned or 0.0, scale or 0.0, method

    return sorted(methods, key=rank)


def as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _folder_of(method: str) -> str:
    """The folder that a method's runs would have. InputError for what is no method."""
    from munet.experiments.spec import Spec

    return Spec.parse(method).folder
