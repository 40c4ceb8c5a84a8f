"""Learned parameter allocation: a training step of the fused network against the plain loop over components.

    python benchmarks/allocation.py
    python benchmarks/allocation.py --threads 2 --only omniglot20

Both have the same modules, parameters, images and sampled allocation (at p = 0.97, where nearly all is on, for
Omniglot, and 0.5 for the others, as they begin); a step is sampling, forward and backward. "Drawings" are images of two
values, which those of Omniglot are; "grey" ones have any. GFLOP are those of the plain step: three times its forward
pass, all components.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from common import Contender, Spread, compare, parse, parser
from reporting import Report
from torch.nn import functional as F

from munet.allocation.network.fused import fuse
from munet.allocation.network.models import clusters, mnist4, omniglot20, synthetic
from munet.allocation.network.network import MultitaskNetwork
from munet.allocation.routing.allocations import FixedAllocation, LearnedAllocation
from munet.allocation.training.measures import flops_by_task

PLAIN, FUSED = "plain", "fused"


@dataclass(frozen=True)
class Case:
    """A network and one batch for it."""

    model: str
    inputs: str
    batch: int
    shape: tuple[int, ...]
    drawings: bool = False
    p: float = 0.5

    def network(self) -> MultitaskNetwork:
        g = torch.Generator().manual_seed(0)
        made: dict[str, Callable[[], MultitaskNetwork]] = {
            "omniglot20": lambda: omniglot20((40,) * 20, g, side=self.shape[-1]),
            "clusters40": lambda: clusters((5,) * 20 + (9,) * 20, g),
            "mnist4": lambda: mnist4(generator=g),
            "synthetic": lambda: synthetic(4, self.shape[0], g),
        }
        return made[self.model]()

    def examples(self) -> torch.Tensor:
        x = torch.rand(self.batch, *self.shape, generator=torch.Generator().manual_seed(1))
        return (x < 0.06).float() if self.drawings else x


CASES = (
    Case("omniglot20", "105 px, drawings", 16, (1, 105, 105), drawings=True, p=0.97),
    Case("omniglot20", "105 px, grey", 16, (1, 105, 105), p=0.97),
    Case("omniglot20", "53 px, grey", 16, (1, 53, 53), p=0.97),
    Case("omniglot20", "53 px, grey", 2, (1, 53, 53), p=0.97),
    Case("clusters40", "32 px", 32, (3, 32, 32)),
    Case("clusters40", "32 px", 4, (3, 32, 32)),
    Case("mnist4", "28 px", 16, (1, 28, 28)),
    Case("synthetic", "32 numbers", 32, (32,)),
)
QUICK = (Case("omniglot20", "21 px, drawings", 2, (1, 21, 21), drawings=True, p=0.97), CASES[-2], CASES[-1])


def steps(case: Case, device: str) -> tuple[dict[str, Callable[[], torch.Tensor]], float]:
    """Name -> a training step, which returns the outputs; and the GFLOP of a plain one."""
    network, x = case.network().to(device), case.examples().to(device)
    names = [f"task {number}" for number in range(len(network.heads))]
    allocation = LearnedAllocation(names, network.routed_sizes, case.p).to(device)
    every = FixedAllocation.shared_bottom(names, network.routed_sizes).to(device)
    operations = 3 * case.batch * flops_by_task(network, every, x[:1])[names[0]] / 1e9

    def step(used: MultitaskNetwork) -> torch.Tensor:
        g = torch.Generator(device=device).manual_seed(2)
        for part in (network, allocation):
            part.zero_grad()
        out = used(x, 0, allocation.weights(0, step=100, generator=g), generator=g)
        targets = torch.arange(case.batch, device=device) % out.shape[1]
        loss = F.cross_entropy(out, targets) if out.shape[1] > 1 else out.square().mean()
        loss.backward()
        return out.detach()

    fast = fuse(network)
    return {PLAIN: lambda: step(network), FUSED: lambda: step(fast)}, operations


def measure(case: Case, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """Both steps of one case, in turns."""
    torch.set_num_threads(threads)
    works, operations = steps(case, args.device)
    plain, fused = works[PLAIN](), works[FUSED]()
    difference = (plain - fused).abs().max().item() / max(1.0, plain.abs().max().item())
    if not difference < 1e-5:
        raise RuntimeError(f"{case.model}, {case.inputs}: the outputs differ by {difference:.1e}")

    def many(work: Callable[[], torch.Tensor]) -> Callable[[Any], None]:
        count = 1 if operations > 1 or args.quick else 20  # small steps are too short to be timed alone

        def run(_: Any) -> None:
            for _ in range(count):
                work()

        return run

    contenders = [Contender(name, many(work)) for name, work in works.items()]
    label = f"{case.model}, {case.inputs}, batch {case.batch}, {threads} threads"
    result = compare(contenders, args.repeats, device=args.device, label=label)
    count = 1 if operations > 1 or args.quick else 20
    return {
        "model": case.model,
        "inputs": case.inputs,
        "batch": case.batch,
        "threads": threads,
        "gflop": operations,
        "difference": difference,
        "seconds": {name: [s / count for s in seconds] for name, seconds in result.seconds.items()},
        "ratio": result.ratio(PLAIN, FUSED),
    }


def main() -> None:
    made = parser(__doc__ or "", repeats=5)
    models = list(dict.fromkeys(case.model for case in CASES))
    made.add_argument("--only", nargs="+", choices=models, default=models, help="default: all models")
    args = parse(made)
    report = Report("allocation", vars(args))
    rows = []
    for case in QUICK if args.quick else CASES:
        for threads in args.threads if case.model in args.only else ():
            one = measure(case, threads, args)
            report.facts.append(one | {"ratio": vars(one["ratio"])})
            times = [Spread.of(one["seconds"][name]) for name in (PLAIN, FUSED)]
            cells = [time.scaled(lambda s: 1000 * s).text(".1f") for time in times]
            rates = [f"{one['gflop'] / time.median:.0f}" for time in times]
            place = [case.model, case.inputs, case.batch, threads, f"{one['gflop']:.3g}"]
            rows.append([*place, *cells, *rates, one["ratio"].text()])
    columns = ["network", "images", "batch", "threads", "GFLOP", "plain, ms", "fused, ms"]
    columns += ["plain, GFLOP/s", "fused, GFLOP/s", "times as fast"]
    report.add_table("A training step, plain and fused: median [quartiles] of the rounds", columns, rows)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
