"""A copy of photo sets with a few training images of each class, for experiments on small sets.

    python tools/few_images.py PHOTOS OUT --images 20 --seed 0

Validation and test images stay as they are. Sets are folders with `train`, `validation` and `test`, or a `labels.csv`
with the columns label and split. Images are links, files beside the sets (the root's weights) too.
"""

import argparse
import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")


def drawn(items: Sequence[Item], count: int, *key: object) -> list[Item]:
    """`count` of the items, or all, as the key says."""
    return random.Random(repr(key)).sample(items, min(count, len(items)))


def folders(source: Path, target: Path, count: int, seed: int) -> int:
    """Link a set of class folders; returns how many training images it keeps."""
    target.mkdir(parents=True)
    for part in source.iterdir():
        if part.name != "train":
            (target / part.name).symlink_to(part)
    kept = 0
    for folder in sorted((source / "train").iterdir()):
        chosen = drawn(sorted(folder.iterdir()), count, seed, source.name, folder.name)
        (target / "train" / folder.name).mkdir(parents=True)
        for image in chosen:
            (target / "train" / folder.name / image.name).symlink_to(image)
        kept += len(chosen)
    return kept


def table(source: Path, target: Path, count: int, seed: int) -> int:
    """Link a set with a table, and write the table anew; returns how many training images it keeps."""
    target.mkdir(parents=True)
    (target / "images").symlink_to(source / "images")
    with open(source / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    classes = defaultdict[str, list[dict[str, str]]](list)
    for row in rows:
        classes[row["label"] if row["split"] == "train" else ""].append(row)
    rest = classes.pop("", [])
    chosen = [row for name in sorted(classes) for row in drawn(classes[name], count, seed, source.name, name)]
    with open(target / "labels.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(chosen + rest)
    return len(chosen)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("photos", type=Path)
    made.add_argument("out", type=Path, help="a folder that is not there yet")
    made.add_argument("--images", type=int, default=20, help="of each class, for training")
    made.add_argument("--seed", type=int, default=0)
    args = made.parse_args()
    args.out.mkdir(parents=True)
    for source in sorted(args.photos.resolve().iterdir()):
        target = args.out / source.name
        if not source.is_dir():
            target.symlink_to(source)
            continue
        make = table if (source / "labels.csv").exists() else folders
        print(f"{source.name}: {make(source.resolve(), target, args.images, args.seed)} training images")


if __name__ == "__main__":
    main()
