"""How long a run will take: a few seconds of training are measured, the rest is counted.

`--time` turns it round: the samples that fit in so many seconds. They become part of what the run was asked, so that it
replays; the same command goes on with those of an interrupted run, and does not measure again.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import torch

from munet.errors import InputError
from munet.evolution.runs import Request
from munet.evolution.work import READ, disk, trained_on
from munet.model.loader import ModelLoader
from munet.model.network import Network
from munet.model.slots import blocks_in, parse
from munet.search import Method, with_samples_per_task
from munet.store import Store
from munet.store.run_records import read_config
from munet.store.schema import TaskRecord
from munet.text import counted
from munet.training import Preprocessing, Recipe
from munet.training.child_state import TrainItem
from munet.training.trainer import TrainingSession

_MEASURED = 2.0  # seconds of steps
_MARGIN = 0.85  # of the time that was asked for: what is not counted needs some too


@dataclass(frozen=True)
class Speed:
    """What one machine does: training steps with a root, on images of no meaning."""

    images: float  # a second, by one worker
    workers: int

    @property
    def rate(self) -> float:
        """Images a second of all workers."""
        return self.images * self.workers


@dataclass(frozen=True)
class Estimate:
    """What a run comes to."""

    seconds: float
    samples: int  # images that are trained on, over all tasks
    speed: Speed
    disk: int  # bytes at most


def measure_speed(
    models: ModelLoader, method: Method, image_size: int, *, device: str, precision: str, threads: int, workers: int
) -> Speed:
    """Train the root on any images for a few seconds, as children of the method would be."""
    torch.set_num_threads(threads)
    root, architecture = models.manifest(models.root), models.architecture
    tensors = {slot: models.layer(layer) for slot, layer in root["layers"].items() if slot != "head"}
    tensors["head"] = {"weight": torch.zeros(10, architecture.width), "bias": torch.zeros(10)}
    trained = [slot for slot in tensors if _is_trained(slot, method, blocks_in(root["layers"]))]
    network = Network(architecture, tensors, image_size, trained).on(device, precision, method.step)
    pre = Preprocessing.from_hyperparameters(
        {**method.defaults, "image_size": image_size},
        variant=method.preprocessing,
        mean=architecture.mean,
        std=architecture.std,
    )
    recipe = Recipe(
        learning_rate=1e-6,
        preprocessing=pre,
        cycles=1000,
        samples_per_cycle=4 * method.batch_size,
        batch_size=method.batch_size,
        at_most_epoch=False,
        precision=precision,
        step=method.step,
        keep="last",
    )
    shape = (4 * method.batch_size, image_size, image_size, len(pre.mean))
    images = _Images(torch.arange(math.prod(shape)).remainder(251).to(torch.uint8).view(shape))
    item, one = TrainItem(network, recipe), _Images(images.images[:1])
    session = TrainingSession([item], images, one, ("speed",), device, None, None, lambda text: None, None, "")
    session.advance(1)  # the first steps are slower
    began, cycles = perf_counter(), 0
    while perf_counter() - began < _MEASURED and cycles < recipe.cycles - 1:
        session.advance(1)
        cycles += 1
    return Speed(cycles * recipe.samples_per_cycle / (perf_counter() - began), workers)


class _Images:
    """Images that nobody looks at, with labels."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images, self.labels = images, torch.arange(len(images)).remainder(10)


def _is_trained(slot: str, method: Method, num_blocks: int) -> bool:
    if method.clone != "probe":
        return True
    number = parse(slot).number
    return slot in ("norm", "head") or (number is not None and number >= num_blocks - -(-2 * num_blocks // 3))


def estimated(
    method: Method, tasks: Sequence[TaskRecord], speed: Speed, read: int, root_parameters: int = 0
) -> Estimate:
    """What a run of a method over tasks takes at a speed, and the disk that it fills with such a root.

    `read`: the images that it reads without training on them.
    """
    samples = sum(trained_on(method, task) for task in tasks)
    images = samples + READ * read
    return Estimate(images / speed.rate, samples, speed, disk(method, tasks, root_parameters))


def within(seconds: float, method: Method, tasks: int, speed: Speed, read: int) -> Method:
    """The method with as many samples of each of so many tasks as fit in so many seconds, after `read` images are read.

    InputError where not even one batch does; it says what would be enough.
    """
    fixed = READ * read
    least = method.batch_size * method.child_cycles
    samples = int((seconds * _MARGIN * speed.rate - fixed) / tasks)
    if samples < least:
        needed = (fixed + 2 * least * tasks) / (_MARGIN * speed.rate)
        raise InputError(
            f"a time of {seconds:g} s is too short here for {counted(tasks, 'task')}: give "
            f"{max(1, round(needed + 0.5))}s or more, or take the method head-only, which trains nothing"
        )
    return with_samples_per_task(method, samples - samples % least)


def interrupted(store: Store, request: Request, *, but: str | None) -> Method | None:
    """The method of an interrupted run, not `but`, that was asked for the same except for the number of samples."""
    asked = request.to_json()
    for name in store.unfinished_runs():
        if name == but:
            continue
        found = read_config(store, name)["request"]
        method, wanted = dict(found["method"] or {}), dict(asked["method"] or {})
        samples = method.pop("samples_per_cycle", None)
        wanted.pop("samples_per_cycle")
        if samples is not None and {**found, "method": method} == {**asked, "method": wanted}:
            return request.method.model_copy(update={"samples_per_cycle": samples})
    return None
