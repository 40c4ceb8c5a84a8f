"""One training step: munet's two forms against a loop with timm, and against the matrix products in it.

    python benchmarks/step.py                          ViT Ti/16 x3, 32 px, batch 32; ViT B/16 x12, 224 px, batch 8
    python benchmarks/step.py --networks ti --compile  also torch.compile, which needs a C++ compiler
    python benchmarks/step.py --precision fp32         by default bf16 too, where the processor computes in it

A step is forward, cross entropy, backward, clip of the global norm and SGD with momentum, all layers trained, on a
batch that lies ready. timm's loop has the fused optimiser; in bfloat16 it is timed with PyTorch's attention and
with timm's own, since that is faster on some CPUs. The products are all dense and attention products of the fused form
(forward, and twice backward), one after another, written to memory that is there. Contenders take turns.
Seconds are those of the processor on one thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import process_time
from typing import Any

import torch
from common import Contender, Spread, compare, parse, parser
from finetuning import QUICK, Setup, make_child
from plain import Child, autocast, build
from reporting import Report
from torch.nn import functional as F

from munet.model.network import Network
from munet.model.vit import ViTArchitecture
from munet.training.child_state import ChildState, TrainItem
from munet.training.devices import fast_bf16
from munet.training.memory import Parts

Step = Callable[[], Any]
TI, B16 = "random:vit_tiny_patch16_224", "random:vit_base_patch16_224"

SETUPS = {
    "ti": Setup("ViT Ti/16 x3, 32 px, batch 32", TI, 3, 32, 32, 40),
    "b": Setup("ViT B/16 x12, 224 px, batch 8", B16, 12, 224, 8, 1, 5),
}


def timm_step(child: Child, precision: str, images: torch.Tensor, labels: torch.Tensor, form: str) -> Step:
    """A step of timm's model; `form` is plain, own (attention) or compiled."""
    model: Any = build(child.architecture, child.layers, images.shape[-1])
    for module in model.modules():
        if form == "own" and hasattr(module, "fused_attn"):
            module.fused_attn = False
    parameters = list(model.parameters())
    optimiser = torch.optim.SGD(parameters, lr=0.01, momentum=0.9, fused=True)
    run = torch.compile(model) if form == "compiled" else model

    def step() -> None:
        with autocast("cpu", precision):
            logits = run(images)
        F.cross_entropy(logits.float(), labels).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


def munet_step(child: Child, precision: str, images: torch.Tensor, labels: torch.Tensor, form: str) -> Step:
    """A step of munet's trainer; `form` is plain or fused."""
    recipe = replace(child.recipe, precision=precision, step=form)
    network = Network(child.architecture, child.layers, images.shape[-1], child.trainable)
    network = network.on("cpu", precision, form)
    state = ChildState(TrainItem(network, recipe), 2**20, torch.device("cpu"), Parts())
    return lambda: state.step(images, labels)


def products(a: ViTArchitecture, depth: int, image_size: int, batch: int, precision: str) -> Step:
    """The matrix products of a fused step, without what lies between them."""
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    tokens, width = a.tokens(image_size), a.width
    rows, patches, pixels = batch * tokens, batch * (tokens - a.prefix_tokens), a.channels * a.patch_size**2
    mlp = [(width, a.mlp_hidden), (a.mlp_hidden, width)]
    full = [(rows, *shape) for shape in [(width, 3 * width), (width, width), *mlp]]
    last = [(rows, width, 2 * width)] + [(batch, *shape) for shape in [(width, width), (width, width), *mlp]]
    calls = [call for shape in [(patches, pixels, width)] for call in _dense(shape, dtype)[::2]]
    calls += [call for shape in full for call in _dense(shape, dtype)] * (depth - 1)
    calls += [call for shape in last for call in _dense(shape, dtype)]
    calls += _attention(batch * a.heads, tokens, tokens, width // a.heads, dtype) * (depth - 1)
    calls += _attention(batch * a.heads, 1, tokens, width // a.heads, dtype)

    def run() -> None:
        for call in calls:
            call()

    return run


def _dense(shape: tuple[int, int, int], dtype: torch.dtype) -> list[Step]:
    """Product, gradient of the input, gradient of the weight."""
    m, k, n = shape
    x, weight, y = (torch.randn(size).to(dtype) for size in ((m, k), (n, k), (m, n)))
    d_x, d_weight = torch.empty_like(x), torch.empty_like(weight)
    return [
        lambda: torch.mm(x, weight.t(), out=y),
        lambda: torch.mm(y, weight, out=d_x),
        lambda: torch.mm(y.t(), x, out=d_weight),
    ]


def _attention(heads: int, queries: int, tokens: int, size: int, dtype: torch.dtype) -> list[Step]:
    """Scores and mixture, and their four gradients."""
    q, k = torch.randn(heads, queries, size).to(dtype), torch.randn(heads, tokens, size).to(dtype)
    scores, d_q, d_k = torch.empty(heads, queries, tokens, dtype=dtype), torch.empty_like(q), torch.empty_like(k)
    return [
        lambda: torch.bmm(q, k.transpose(1, 2), out=scores),
        lambda: torch.bmm(scores, k, out=d_q),
        lambda: torch.bmm(scores.transpose(1, 2), q, out=d_k),
    ] * 2


def contenders(setup: Setup, precisions: Sequence[str], compiled: bool) -> dict[str, Step]:
    """Every step, by name."""
    generator = torch.Generator().manual_seed(0)
    child = make_child(setup, "fp32")
    images = torch.randn((setup.batch_size, 3, setup.image_size, setup.image_size), generator=generator)
    labels = torch.randint(0, 10, (setup.batch_size,), generator=generator)
    steps: dict[str, Step] = {}
    for precision in precisions:
        for form in ("plain", *(["own"] if precision == "bf16" else []), *(["compiled"] if compiled else [])):
            name = {"plain": "timm", "own": "timm, own attention", "compiled": "timm, compiled"}[form]
            steps[f"{name}, {precision}"] = timm_step(child, precision, images, labels, form)
        for form in ("plain", "fused"):
            steps[f"munet {form}, {precision}"] = munet_step(child, precision, images, labels, form)
        facts = setup.depth, setup.image_size, setup.batch_size, precision
        steps[f"products, {precision}"] = products(child.architecture, *facts)
    return steps


def measure(setup: Setup, precisions: Sequence[str], repeats: int, compiled: bool, report: Report) -> None:
    """Time a network's steps in turns and put them into the report."""
    steps = contenders(setup, precisions, compiled)

    def several(step: Step) -> float:
        began = process_time()  # one thread: what else runs on the machine takes turns with it, and does not count
        for _ in range(setup.steps):
            step()
        return process_time() - began

    turns = [Contender(name, lambda _, step=step: several(step)) for name, step in steps.items()]
    found = compare(turns, min(repeats, setup.repeats), label=setup.title)
    best = min((name for name in steps if name.startswith("timm")), key=lambda name: found.spread(name).median)
    rows = []
    for name in steps:
        precision = name.rpartition(", ")[2]
        spread = found.spread(name).scaled(lambda seconds: seconds / setup.steps)
        least = Spread.of([min(found.seconds[name]) / setup.steps])
        rate, share = setup.batch_size / spread.median, found.ratio(f"products, {precision}", name)
        gain = found.ratio(best, name)
        report.facts.append(
            {
                "network": setup.title,
                "step": name,
                "seconds": spread.median,
                "least": least.median,
                "samples_per_second": rate,
                "against_timm": gain.median,
                "share_of_products": share.median,
            }
        )
        times = spread.scaled(lambda s: 1000 * s).text(",.2f")
        rows.append([name, times, f"{1000 * least.median:,.2f}", f"{rate:,.0f}", gain.text(), share.text()])
    columns = ["step", "ms, median [quartiles]", "least", "samples/s", f"times as fast as {best}", "share of products"]
    report.add_table(f"{setup.title}, one core, processor time", columns, rows)


def main() -> None:
    made = parser(__doc__ or "", repeats=15)
    made.add_argument("--networks", nargs="+", choices=SETUPS, default=list(SETUPS))
    known = ["fp32", "bf16"] if fast_bf16("cpu") else ["fp32"]
    made.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=known)
    made.add_argument("--compile", action="store_true", help="also timm's model through torch.compile")
    args = parse(made)
    torch.set_num_threads(1)
    report = Report("step", vars(args))
    for setup in [QUICK["quick"]] if args.quick else [SETUPS[name] for name in args.networks]:
        measure(setup, args.precision, args.repeats, args.compile, report)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
