"""Tasks of a joint run, and the experiments' tasks by name."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from munet.allocation.data.examples import Batches, Examples, epoch_order
from munet.errors import InputError, suggest

__all__ = ["EXPERIMENTS", "PARTS", "Batches", "Examples", "TaskData", "epoch_order", "load", "on_device", "options"]

PARTS = ("train", "validation", "test")

EXPERIMENTS = {
    "mnist4": ("munet.allocation.data.mnist4", "mnist4"),
    "omniglot20": ("munet.allocation.data.omniglot20", "omniglot20"),
    "clusters40": ("munet.allocation.data.clusters", "clusters40"),
    "clusters-local": ("munet.allocation.data.clusters", "clusters_local"),
    "synthetic": ("munet.allocation.data.synthetic", "synthetic"),
}
"""Where the tasks of each experiment are made; nothing is imported before one is asked for."""


@dataclass(frozen=True, eq=False)
class TaskData:
    """A task of a joint run.

    `cluster` groups tasks in figures. `classes` is the number of classes, 0 for the regression of one value. `splits`
    holds "train" and "test", and "validation" unless an experiment has none. `note` says what a reader of results must
    know about the data, "" mostly. InputError where labels do not fit the classes.
    """

    name: str
    cluster: str
    classes: int
    splits: Mapping[str, Examples]
    note: str = ""

    def __post_init__(self) -> None:
        for part in self.splits:
            if part not in PARTS:
                raise InputError(f"task {self.name}: unknown split '{part}'{suggest(part, PARTS)}: {', '.join(PARTS)}")
        if "train" not in self.splits:
            raise InputError(f"task {self.name}: there is no split 'train' to learn from")
        for part, examples in self.splits.items():
            self._check_targets(part, examples.targets)

    def _check_targets(self, part: str, targets: np.ndarray) -> None:
        if (targets.dtype == np.int64) != (self.classes > 0):
            wanted = f"int64 labels of {self.classes} classes" if self.classes else "float32 values (classes is 0)"
            raise InputError(f"task {self.name}, {part}: targets of type {targets.dtype}, but it must have {wanted}")
        if self.classes and len(targets) and not 0 <= targets.min() <= targets.max() < self.classes:
            raise InputError(
                f"task {self.name}, {part}: labels from {targets.min()} to {targets.max()}, "
                f"but {self.classes} classes are numbered 0 to {self.classes - 1}"
            )


def load(name: str, data: Path | None = None, *, seed: int = 0, **given: Any) -> list[TaskData]:
    """The tasks of the experiment `name`, in their fixed order.

    `data` is the folder of image sets (else what MUNET_DATA names, else the hub where it has the set). `given` are
    options of the experiment (`options(name)`; its own page in this package tells what they mean). `seed` moves only
    what is generated; the splits of real sets are the same for every seed. InputError for an unknown name or option, an
    unusable value, and data that is missing or not what it should be.
    """
    maker, known = _maker(name), options(name)
    for option, value in given.items():
        if option not in known:
            listed = ", ".join(known)
            raise InputError(f"{name}: unknown option '{option}' of its data{suggest(option, known)}: {listed}")
        _check_type(name, option, value, known[option])
    return maker(data, seed=seed, **given)


def options(name: str) -> dict[str, Any]:
    """The options of an experiment's data with their defaults. InputError for an unknown name."""
    parameters = inspect.signature(_maker(name)).parameters
    return {option: value.default for option, value in parameters.items() if option not in ("data", "seed")}


def _check_type(name: str, option: str, value: Any, default: Any) -> None:
    """A value is of the type of its default; where that is None, a whole number or None."""
    if value is None and default is None:
        return
    wanted = int if default is None else type(default)
    fits = (int, float) if wanted is float else wanted
    if isinstance(value, bool) != (wanted is bool) or not isinstance(value, fits):
        kind = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[wanted]
        raise InputError(f"{name}: option '{option}' of its data is {value!r}: give {kind}")


def _maker(name: str) -> Callable[..., list[TaskData]]:
    if name not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise InputError(f"unknown experiment '{name}'{suggest(name, EXPERIMENTS)}; known: {known}")
    module, function = EXPERIMENTS[name]
    return getattr(import_module(module), function)


def on_device(tasks: Sequence[TaskData], device: torch.device | str) -> list[TaskData]:
    """The same tasks with their base arrays on `device`, each copied there once however many tasks share it.

    Batches are equal on every device, because their order and augmentation are drawn on the CPU.
    """
    copies: dict[int, Tensor] = {}
    return [
        replace(task, splits={part: each.on_device(device, copies) for part, each in task.splits.items()})
        for task in tasks
    ]
