"""Fair timing on a machine that is never quite quiet, and what every benchmark shares on the command line.

Contenders take turns, so that what slows the machine for a while slows all of them; a ratio is that of the medians, and
its spread is that of the ratios within the rounds.
"""

import argparse
import gc
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

RESULTS = Path("build/bench")


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Contender:
    """One way of doing the work. `setup` runs before each `run`, untimed, and its value is what `run` is given.

    `run` may return its own seconds (float) where only a part of it is to count; any other value is ignored.
    """

    name: str
    run: Callable[[Any], Any]
    setup: Callable[[], Any] = _nothing


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    def scaled(self, change: Callable[[float], float]) -> "Spread":
        """The spread of change(value), for a monotone change."""
        ends = sorted([change(self.low), change(self.high)])
        return Spread(change(self.median), *ends)

    def text(self, form: str = ".2f") -> str:
        return f"{self.median:{form}} [{self.low:{form}}, {self.high:{form}}]"


@dataclass
class Comparison:
    """Seconds of each contender, one value a round, in the order of the rounds."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def spread(self, name: str) -> Spread:
        return Spread.of(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> Spread:
        """How many times as long `slow` takes: ratio of the medians, quartiles of the ratios within the rounds."""
        pairs = [a / b for a, b in zip(self.seconds[slow], self.seconds[fast], strict=True)]
        paired = Spread.of(pairs)
        return Spread(self.spread(slow).median / self.spread(fast).median, paired.low, paired.high)


def compare(
    contenders: Sequence[Contender], repeats: int, *, warmup: int = 1, device: str = "cpu", label: str = ""
) -> Comparison:
    """Time contenders in `repeats` rounds after `warmup` untimed ones; every other round goes backwards."""
    result = Comparison({contender.name: [] for contender in contenders})
    for number in range(-warmup, repeats):
        order = list(contenders) if number % 2 == 0 else list(reversed(contenders))
        for contender in order:
            prepared = contender.setup()
            gc.collect()
            seconds = timed(lambda c=contender, p=prepared: c.run(p), device)
            if number >= 0:
                result.seconds[contender.name].append(seconds)
        if label:
            text = f"{label}: round {number + 1} of {repeats}" if number >= 0 else f"{label}: warm-up"
            print(text, flush=True)
    return result


def timed(work: Callable[[], Any], device: str = "cpu") -> float:
    """Seconds that some work takes, the device's queue included; its own seconds if it returns a float."""
    synchronise(device)
    began = perf_counter()
    own = work()
    synchronise(device)
    elapsed = perf_counter() - began
    return own if isinstance(own, float) else elapsed


def synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def matmul_rate(
    precision: str, device: str = "cpu", *, shape: tuple[int, int, int] = (2048, 2048, 2048), rounds: int = 5
) -> float:
    """FLOP/s of (m, k) @ (k, n) on the present number of threads: the median of `rounds` products."""
    m, k, n = shape
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(m, k, generator=generator).to(device, dtype)
    b = torch.randn(k, n, generator=generator).to(device, dtype)
    out = torch.empty(m, n, dtype=dtype, device=device)
    product = Contender("product", lambda _: torch.mm(a, b, out=out))
    return 2 * m * k * n / compare([product], rounds, device=device).spread("product").median


def parser(description: str, *, repeats: int) -> argparse.ArgumentParser:
    """Options that all benchmarks have."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores()}), help="default: 1, and all cores")
    made.add_argument("--repeats", type=int, default=repeats, help=f"rounds that count, default {repeats}")
    made.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    made.add_argument("--out", type=Path, default=RESULTS, help=f"folder of the JSON results, default {RESULTS}")
    made.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs; its figures mean nothing")
    return made


def parse(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The options, checked; quick runs have one thread and two rounds."""
    args = made.parse_args()
    if args.repeats < 1 or min(args.threads) < 1:
        made.error("--repeats and --threads must be at least 1")
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        made.error(f"--device {args.device}: this machine has no such device; use cpu")
    if args.quick:
        args.threads, args.repeats = [1], 2
    return args
