"""Three clusters of tasks: super-classes of CIFAR-100, MNIST and Fashion-MNIST without one class (arXiv 1910.04915,
sec. 5.3), and a version of ours without CIFAR-100.

All images are 32x32x3. Training crops them at random from 40x40 (`transforms.pad_and_crop`), without flips.
"""

from pathlib import Path

import numpy as np

from munet.allocation.data.cifar100 import FINE, SUPER_CLASSES, read_cifar100
from munet.allocation.data.examples import Examples
from munet.allocation.data.resizing import bilinear
from munet.allocation.data.sets import check_splits, hold_out, read_set
from munet.allocation.data.tasks import TaskData
from munet.errors import InputError

SIDE = 32
_HELD = 10  # % of each class that is held out for validation
_HELD_PAPER = 20  # as the published code does with CIFAR-100, 100 of 500 in each class, though it never uses them


def clusters40(
    data: Path | None = None, *, seed: int = 0, splits: str = "clean", tasks: int | None = None
) -> list[TaskData]:
    """40 tasks: 20 super-classes of CIFAR-100 (5 classes each), 10 of MNIST and 10 of Fashion-MNIST (9 classes each).

    `splits`: "clean" holds out 10 % of each class of the training images of every set for validation, the same images
    in all tasks of a set; "paper" trains on 400 of the 500 images of each class of CIFAR-100 and on all of MNIST and
    Fashion-MNIST, which then have no validation. `tasks` keeps the first so many of each cluster. The splits are the
    same for every `seed`. InputError as `munet.allocation.data.load`.
    """
    _check_options(splits, tasks)
    return [*super_classes(data, splits, tasks), *_grey_clusters(data, splits, tasks)]


def clusters_local(
    data: Path | None = None, *, seed: int = 0, splits: str = "clean", tasks: int | None = None
) -> list[TaskData]:
    """30 tasks of 9 classes: cifar10_small, MNIST and Fashion-MNIST, each without one of its ten classes.

    Ours, not the paper's: it needs no CIFAR-100, but `data`/cifar10_small, a small part of CIFAR-10. Options as in
    `clusters40`; with splits="paper" no cluster has a validation split.
    """
    _check_options(splits, tasks)
    return [*leave_one_out("cifar10_small", data, splits, tasks), *_grey_clusters(data, splits, tasks)]


def super_classes(data: Path | None, splits: str, tasks: int | None = None) -> list[TaskData]:
    """A task for each super-class of CIFAR-100: its classes, numbered 0 to 4 in the order of their fine labels."""
    cifar = read_cifar100(data)
    learnable = np.arange(len(cifar.fine) - cifar.tests)
    held = _HELD if splits == "clean" else _HELD_PAPER
    train, validation = hold_out(learnable, cifar.fine[learnable], held, "cifar100")
    parts = {"train": train, "validation": validation, "test": np.arange(len(learnable), len(cifar.fine))}
    made = []
    for coarse, name in list(enumerate(SUPER_CLASSES))[:tasks]:
        fine = np.unique(cifar.fine[cifar.coarse == coarse])
        rows = {part: chosen[cifar.coarse[chosen] == coarse] for part, chosen in parts.items()}
        examples = {
            part: _examples(part, cifar.images, np.searchsorted(fine, cifar.fine[own]), own)
            for part, own in rows.items()
        }
        made.append(TaskData(f"cifar100-{name}", "cifar100", FINE, examples))
    return made


def leave_one_out(name: str, data: Path | None, splits: str, tasks: int | None = None) -> list[TaskData]:
    """Ten tasks: the set `name` without its class 0, without its class 1, ...; the labels above shift down by one."""
    grey = name != "cifar10_small"
    images = read_set(name, data, classes=10, shape=(28, 28, 1) if grey else (SIDE, SIDE, 3))
    base = bilinear(images.images, SIDE) if grey else images.images
    parts = {"train": images.learnable, "test": images.rows["test"]}
    if splits == "clean":
        train, validation = hold_out(images.learnable, images.labels[images.learnable], _HELD, name)
        parts = {"train": train, "validation": validation, "test": images.rows["test"]}
    made = []
    for left_out in list(range(10))[:tasks]:
        rows = {part: chosen[images.labels[chosen] != left_out] for part, chosen in parts.items()}
        examples = {}
        for part, own in rows.items():
            labels = images.labels[own]
            examples[part] = _examples(part, base, labels - (labels > left_out), own)
        made.append(TaskData(f"{name}-without-{left_out}", name, 9, examples))
    return made


def _grey_clusters(data: Path | None, splits: str, tasks: int | None) -> list[TaskData]:
    return [task for name in ("mnist", "fashion_mnist") for task in leave_one_out(name, data, splits, tasks)]


def _examples(part: str, base: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Examples:
    return Examples(
        base,
        labels,
        rows,
        transform="rgb" if base.shape[3] == 1 else "",
        augmentation="crop" if part == "train" else "",
    )


def _check_options(splits: str, tasks: int | None) -> None:
    check_splits(splits)
    if tasks is not None and tasks < 1:
        raise InputError(f"tasks {tasks}: keep at least 1 of each cluster")
