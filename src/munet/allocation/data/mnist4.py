"""MNIST-4: MNIST, MNIST again, MNIST turned, turned MNIST again (arXiv 1910.04915, sec. 5.1; its published code).

The repeated tasks hold the same images; only their order, head and allocation are their own. An allocation that was
learned should find the pairs.
"""

from pathlib import Path

from munet.allocation.data.examples import Examples
from munet.allocation.data.sets import check_splits, read_set
from munet.allocation.data.tasks import TaskData

_TASKS = (
    ("mnist", "mnist", ""),
    ("mnist-2", "mnist", ""),
    ("mnist-rot", "mnist-rot", "rot90"),
    ("mnist-rot-2", "mnist-rot", "rot90"),
)


def mnist4(data: Path | None = None, *, seed: int = 0, splits: str = "clean") -> list[TaskData]:
    """Four tasks of ten classes, 28x28x1, each turned image by 90 degrees counter-clockwise.

    `splits`: "clean" keeps the validation split of the set (57,000 / 3,000 / 10,000); "paper" trains on it too and has
    none (60,000 / 10,000). Nothing is drawn, so `seed` changes nothing. InputError as `munet.allocation.data.load`.
    """
    check_splits(splits)
    images = read_set("mnist", data, classes=10, shape=(28, 28, 1))
    rows = dict(images.rows) if splits == "clean" else {"train": images.learnable, "test": images.rows["test"]}
    targets = {part: images.labels[chosen] for part, chosen in rows.items()}

    def examples(part: str, transform: str) -> Examples:
        return Examples(images.images, targets[part], rows[part], transform=transform)

    return [
        TaskData(name, cluster, 10, {part: examples(part, transform) for part in rows})
        for name, cluster, transform in _TASKS
    ]
