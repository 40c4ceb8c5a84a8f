"""Augmentation of a batch: crop, flip, brightness, contrast, saturation and hue with random parameters.

    python benchmarks/augmentation.py
    python benchmarks/augmentation.py --sides 32 --threads 2

munet, kornia and torchvision.transforms.v2 each turn the same uint8 images into a normalised float32 batch of the same
size, from the layout that suits them. All draw parameters for each image, but for one row of torchvision's that draws
one set a batch, which is fast and no augmentation of single images. kornia is shown with each of its crops (by slices,
and by sampling, as ours) and each of its colour operations; the ratio is that to its fastest. The operations are those
of each library: their colours differ in detail, their work does not.
Needs the extra: pip install 'munet-ml[bench]'
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import torch
from common import Contender, Spread, compare, parse, parser
from reporting import Report

from munet.training import Preprocessing, augment

AREA, ASPECT, DELTA, HUE = 0.5, 0.75, 0.2, 0.1  # least area, least aspect, the colours' ranges
MEAN = STD = (0.5, 0.5, 0.5)
MUNET, PER_IMAGE, PER_BATCH = "munet", "torchvision v2, each image", "torchvision v2, one set a batch"


def munet_pipeline(images_BHWC: torch.Tensor, side: int) -> Callable[[], torch.Tensor]:
    pre = Preprocessing(
        side,
        crop_area_min=AREA,
        crop_aspect_min=ASPECT,
        flip=True,
        brightness=DELTA,
        contrast=DELTA,
        saturation=DELTA,
        hue=HUE,
        mean=MEAN,
        std=STD,
    )
    generator = torch.Generator().manual_seed(0)
    return lambda: augment(images_BHWC, pre, generator)


def kornia_pipeline(images_BCHW: torch.Tensor, side: int, crop: str, colours: str) -> Callable[[], torch.Tensor]:
    import kornia.augmentation as K  # pyright: ignore[reportMissingImports]  # the extra bench

    order = (0, 1, 2, 3)  # a fixed order, as ours, is kornia's faster way
    steps = K.AugmentationSequential(
        K.RandomResizedCrop((side, side), scale=(AREA, 1.0), ratio=(ASPECT, 1 / ASPECT), cropping_mode=crop),
        K.RandomHorizontalFlip(p=0.5),
        getattr(K, colours)(DELTA, DELTA, DELTA, HUE, order=order),
        K.Normalize(torch.tensor(MEAN), torch.tensor(STD)),
        data_keys=["input"],
    )

    def run() -> torch.Tensor:
        with torch.no_grad():
            return steps(images_BCHW.float() / 255)

    return run


def torchvision_pipeline(images_BCHW: torch.Tensor, side: int, each: bool) -> Callable[[], torch.Tensor]:
    from torchvision.transforms import v2

    steps = v2.Compose(
        [
            v2.RandomResizedCrop(side, scale=(AREA, 1.0), ratio=(ASPECT, 1 / ASPECT), antialias=False),
            v2.RandomHorizontalFlip(0.5),
            v2.ColorJitter(DELTA, DELTA, DELTA, HUE),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    return (lambda: torch.stack([steps(image) for image in images_BCHW])) if each else (lambda: steps(images_BCHW))


def pipelines(images_BHWC: torch.Tensor, side: int) -> dict[str, Callable[[], torch.Tensor]]:
    """Name -> the whole work on one batch."""
    images_BCHW = images_BHWC.permute(0, 3, 1, 2).contiguous()
    found = {MUNET: munet_pipeline(images_BHWC, side)}
    for colours in ("ColorJiggle", "ColorJitter"):
        for crop in ("slice", "resample"):
            found[f"kornia, {colours}, crop by {crop}"] = kornia_pipeline(images_BCHW, side, crop, colours)
    found[PER_IMAGE] = torchvision_pipeline(images_BCHW, side, each=True)
    found[PER_BATCH] = torchvision_pipeline(images_BCHW, side, each=False)
    return found


def measure(count: int, side: int, threads: int, args: argparse.Namespace) -> dict[str, Any]:
    """All contenders on one batch."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)  # kornia and torchvision draw from the global generator
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=generator).to(args.device)
    works = pipelines(images, side)
    for name, work in works.items():
        batch = work()
        if batch.shape != (count, 3, side, side) or batch.dtype != torch.float32:
            raise RuntimeError(f"{name} made {batch.dtype} {tuple(batch.shape)}")
    contenders = [Contender(name, lambda _, work=work: work()) for name, work in works.items()]
    label = f"{count} images of {side} px, {threads} threads"
    result = compare(contenders, args.repeats, device=args.device, label=label)
    kornia = min((name for name in works if name.startswith("kornia")), key=lambda name: result.spread(name).median)
    ratios = {name: result.ratio(name, MUNET) for name in works}
    return {"side": side, "threads": threads, "seconds": result.seconds, "fastest_kornia": kornia, "ratios": ratios}


def main() -> None:
    made = parser(__doc__ or "", repeats=7)
    made.add_argument("--sides", type=int, nargs="+", default=[32, 80], help="pixels, default 32 80")
    made.add_argument("--batch", type=int, default=512)
    args = parse(made)
    for package in ("kornia", "torchvision"):
        if importlib.util.find_spec(package) is None:
            sys.exit(
                f"{package} is missing: pip install 'munet-ml[bench]', or in a checkout: pip install -e '.[bench]'"
            )
    if args.quick:
        args.sides, args.batch = [16], 8
    report = Report("augmentation", vars(args))
    rows = []
    for side in args.sides:
        for threads in args.threads:
            one = measure(args.batch, side, threads, args)
            report.facts.append(one | {"ratios": {name: vars(ratio) for name, ratio in one["ratios"].items()}})
            for name, seconds in one["seconds"].items():
                best = " (its fastest)" if name == one["fastest_kornia"] else ""
                time = Spread.of(seconds).scaled(lambda s: 1000 * s).text(".1f")
                rows.append([f"{args.batch} x {side} px", threads, name + best, time, one["ratios"][name].text(".1f")])
    report.add_table(
        "Augmentation of a batch: median [quartiles] of the rounds",
        ["batch", "threads", "contender", "ms", "times munet's"],
        rows,
    )
    print(report.write(args.out))


if __name__ == "__main__":
    main()
