"""Full fine-tuning: samples a second of munet's trainer against the plain loop of plain.py, and near which ceiling.

    python benchmarks/finetuning.py
    python benchmarks/finetuning.py --networks ti32-512 --precision fp32 --threads 2

Both train every layer, on the same batches, for two cycles with a small validation after each; the second cycle counts,
so that neither setting up nor warming up does. No cycle is better than the first, so neither copies a best state in it.
The FLOP/s are those of munet.model.cost (a training step is three forward passes); the ceiling is the product of two
2048 x 2048 matrices in the same precision on the same threads, measured beside each row. Both are checked to do the
same: the losses of the first cycle must agree.
"""

import argparse
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from common import Contender, compare, matmul_rate, parse, parser
from memory import peak_of
from plain import Child, Data
from plain import train as train_plain
from reporting import Report

from munet.model.cost import flops
from munet.model.network import Network
from munet.model.weight_init import new_head
from munet.roots import load_root
from munet.training import Preprocessing, Recipe, train

CLASSES = 10
TOLERANCE = {"fp32": 1e-3, "bf16": 3e-2}  # relative, on the mean loss of the first cycle


@dataclass(frozen=True)
class Setup:
    """A root, its depth and image size, and how much one cycle trains; `repeats` caps the rounds of slow ones."""

    title: str
    root: str
    depth: int
    image_size: int
    batch_size: int
    steps: int  # in a cycle
    repeats: int = 100


NETWORKS = {
    "ti32-32": Setup("ViT Ti/16 x3, 32 px, batch 32", "random:vit_tiny_patch16_224", 3, 32, 32, 32),
    "ti32-512": Setup("ViT Ti/16 x3, 32 px, batch 512", "random:vit_tiny_patch16_224", 3, 32, 512, 3),
    "b80-32": Setup("ViT B/16 x12, 80 px, batch 32", "random:vit_base_patch16_224", 12, 80, 32, 1, 3),
}
QUICK = {"quick": Setup("ViT Ti/16 x1, 32 px, batch 8", "random:vit_tiny_patch16_224", 1, 32, 8, 3)}


def make_child(setup: Setup, precision: str) -> Child:
    """A network of random weights whose layers are all trained."""
    root = load_root(setup.root, depth=setup.depth, image_size=setup.image_size)
    layers = {**root.layers, "head": new_head(root.architecture.width, CLASSES)}
    recipe = Recipe(
        learning_rate=0.01,
        preprocessing=Preprocessing(setup.image_size),
        cycles=2,
        samples_per_cycle=setup.steps * setup.batch_size,
        batch_size=setup.batch_size,
        precision=precision,
    )
    return Child(root.architecture, layers, tuple(layers), recipe, ("benchmark", "finetuning"))


def make_data(setup: Setup) -> tuple[Data, Data]:
    """Noise to train on; few images to validate on, all of a class that training never shows, so none is ever right."""
    generator = torch.Generator().manual_seed(0)
    count, side = 2 * setup.steps * setup.batch_size, setup.image_size
    images = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, CLASSES - 1, (count,), generator=generator)
    few = -(-setup.steps * setup.batch_size // 64)
    return Data(images, labels), Data(images[:few], torch.full((few,), CLASSES - 1))


def run_munet(child: Child, data: tuple[Data, Data], device: str) -> tuple[float, float]:
    """Seconds of the second cycle and mean loss of the first."""
    network = Network(child.architecture, child.layers, child.recipe.preprocessing.image_size, child.trainable)
    ends: list[float] = []
    outcome = train(
        network.on(device, child.recipe.precision),
        child.recipe,
        *data,
        key=child.key,
        device=device,
        on_cycle=lambda *_: ends.append(perf_counter()),
    )
    return _second(ends), outcome.losses[0]


def run_plain(child: Child, data: tuple[Data, Data], device: str) -> tuple[float, float]:
    """Seconds of the second cycle and mean loss of the first."""
    ends: list[float] = []
    trained = train_plain(child, *data, device=device, on_cycle=lambda *_: ends.append(perf_counter()))
    return _second(ends), trained.losses[0]


def _second(ends: list[float]) -> float:
    """Length of the last cycle; of one cycle there is none to measure."""
    return ends[-1] - ends[-2] if len(ends) > 1 else 0.0


def measure(setup: Setup, precision: str, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """One row: both contenders in turns, the ceiling before and after them."""
    torch.set_num_threads(threads)
    child, data = make_child(setup, precision), make_data(setup)
    losses: dict[str, float] = {}

    def contender(name: str, work: Any) -> Contender:
        def run(_: None) -> float:
            seconds, losses[name] = work(child, data, args.device)
            return seconds

        return Contender(name, run)

    size = 256 if args.quick else 2048
    ceilings = [matmul_rate(precision, args.device, shape=(size, size, size))]
    repeats = min(args.repeats, setup.repeats)
    label = f"{setup.title}, {precision}, {threads} threads"
    contenders = [contender("plain", run_plain), contender("munet", run_munet)]
    # the first cycle of each run is its warm-up
    result = compare(contenders, repeats, warmup=0, device=args.device, label=label)
    ceilings.append(matmul_rate(precision, args.device, shape=(size, size, size)))
    _check_equal(losses, precision)
    samples = setup.steps * setup.batch_size
    forward = flops(child.architecture, setup.depth, setup.image_size, CLASSES)
    return {
        "network": setup.title,
        "precision": precision,
        "threads": threads,
        "samples": samples,
        "seconds": result.seconds,
        "rates": {name: result.spread(name).scaled(lambda s: samples / s) for name in result.seconds},
        "ratio": result.ratio("plain", "munet"),
        "flops": 3 * forward * samples / result.spread("munet").median,
        "ceiling": sum(ceilings) / 2,
        "losses": losses,
    }


def _check_equal(losses: dict[str, float], precision: str) -> None:
    """The contenders must have done the same work; RuntimeError otherwise."""
    gap = abs(losses["munet"] / losses["plain"] - 1)
    if gap > TOLERANCE[precision]:
        raise RuntimeError(f"the contenders do not train the same: their losses differ by {gap:.1e}")


def run_once(which: str, name: str, precision: str, device: str) -> None:
    """One cycle in a process of its own, for its peak memory."""
    setup = {**NETWORKS, **QUICK}[name]
    child = make_child(setup, precision)
    child = replace(child, recipe=replace(child.recipe, cycles=1))
    {"munet": run_munet, "plain": run_plain}[which](child, make_data(setup), device)


def memory_row(name: str, setup: Setup, threads: int, device: str) -> list[str]:
    peaks = {
        which: peak_of("finetuning:run_once", threads, which=which, name=name, precision="fp32", device=device)
        for which in ("plain", "munet")
    }
    cells = [f"{peaks[which].grown / 2**20:,.0f}" for which in ("plain", "munet")]
    return [setup.title, *cells, f"{peaks['munet'].grown / peaks['plain'].grown:.2f}"]


def main() -> None:
    made = parser(__doc__ or "", repeats=5)
    made.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    made.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    args = parse(made)
    chosen = QUICK if args.quick else {name: NETWORKS[name] for name in args.networks}
    report = Report("finetuning", vars(args))
    found = [
        measure(setup, precision, threads, args)
        for setup in chosen.values()
        for precision in args.precision
        for threads in args.threads
    ]
    columns = ["network", "precision", "threads", "plain, samples/s", "munet, samples/s", "munet / plain"]
    columns += ["munet, GFLOP/s", "matrix product, GFLOP/s", "share"]
    rows = []
    for one in found:
        rates = [one["rates"][name].text(",.0f") for name in ("plain", "munet")]
        speeds = [f"{one['flops'] / 1e9:,.0f}", f"{one['ceiling'] / 1e9:,.0f}", f"{one['flops'] / one['ceiling']:.0%}"]
        rows.append([one["network"], one["precision"], one["threads"], *rates, one["ratio"].text(), *speeds])
        report.facts.append(one | {"rates": None, "ratio": vars(one["ratio"])})
    report.add_table("Full fine-tuning: median [quartiles] of the rounds", columns, rows)
    threads = max(args.threads)
    memory = [memory_row(name, setup, threads, args.device) for name, setup in chosen.items()]
    title = f"Peak memory of one cycle above that of the loaded libraries, fp32, {threads} threads"
    report.add_table(title, ["network", "plain, MiB", "munet, MiB", "munet / plain"], memory)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
