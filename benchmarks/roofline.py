"""What this machine multiplies: FLOP/s of matrix products, large ones and those that the networks are made of.

    python benchmarks/roofline.py

The large product is the ceiling that every other benchmark is measured against. The others are the dense layer of a
block's MLP on a batch: rows x width -> 4 width, and what the same rows cost with the weights of ViT-Ti and ViT-B.
"""

import torch
from common import matmul_rate, parse, parser
from reporting import Report

# rows are images times tokens: 5 tokens at 32 px and 26 at 80 px, in patches of 16
SHAPES = {
    "large: 2048 x 2048 x 2048": (2048, 2048, 2048),
    "large: 4096 x 4096 x 4096": (4096, 4096, 4096),
    "Ti/16, 32 px, batch 32: 160 x 192 x 768": (160, 192, 768),
    "Ti/16, 32 px, batch 512: 2560 x 192 x 768": (2560, 192, 768),
    "B/16, 80 px, batch 32: 832 x 768 x 3072": (832, 768, 3072),
}
QUICK = {"small: 64 x 64 x 64": (64, 64, 64)}


def main() -> None:
    made = parser(__doc__ or "", repeats=7)
    made.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32", "bf16"])
    args = parse(made)
    report = Report("roofline", vars(args))
    rows = []
    for name, shape in (QUICK if args.quick else SHAPES).items():
        for precision in args.precision:
            for threads in args.threads:
                torch.set_num_threads(threads)
                rate = matmul_rate(precision, args.device, shape=shape, rounds=args.repeats)
                report.facts.append({"shape": shape, "precision": precision, "threads": threads, "flops": rate})
                rows.append([name, precision, threads, f"{rate / 1e9:,.0f}"])
    report.add_table("Matrix products: median of the rounds", ["product", "precision", "threads", "GFLOP/s"], rows)
    print(report.write(args.out))


if __name__ == "__main__":
    main()
