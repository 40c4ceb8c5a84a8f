"""Work for executors: siblings to train, as plain values. The same job gives the same child wherever it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from munet.evolution.inheritance import ChildSpec
from munet.rng import Key
from munet.store.schema import TaskRecord
from munet.training import Outcome, Recipe


@dataclass(frozen=True)
class HeadFit:
    """How a head in closed form is made: for which classes, from how many images, of which features, how sure."""

    classes: int
    examples: int  # of training, at most
    features: str  # one of `search.space.HEAD_FEATURES`
    factor: float  # times the temperature of the highest held-out likelihood
    views: int = 1  # of each image: as it is, and the others changed as the child's images are in training


@dataclass(frozen=True)
class Job:
    """One child to train."""

    number: int  # of the child in its generation
    key: Key  # names the random streams of the child
    child: ChildSpec
    recipe: Recipe
    image_size: int
    keep_momentum: bool
    head: HeadFit | None = None  # where the child's head starts in closed form
    untrained: bool = False  # the closed-form head is all that is new, and it stays as it is
    last_head: HeadFit | None = None  # the head is made anew after training, and kept where it answers no worse

    @property
    def trained(self) -> int:
        """Parameters that the child trains."""
        return sum(self.child.sizes[slot] for slot in self.child.trainable)


@dataclass(frozen=True)
class JobGroup:
    """Siblings that are trained side by side, on the same batches."""

    task: TaskRecord  # the task's record: where its images are
    order: Key  # names the streams of data order and augmentation, which siblings share
    validation_cap: int
    jobs: tuple[Job, ...]

    @property
    def label(self) -> str:
        """What it is called in a sentence; children are counted from 1, as on the screen: child 3 of digits."""
        numbers = [str(job.number + 1) for job in self.jobs]
        several = f"children {', '.join(numbers[:-1])} and {numbers[-1]}"
        return f"{several if len(numbers) > 1 else f'child {numbers[0]}'} of {self.task['name']}"


@dataclass(frozen=True)
class TrunkGroup:
    """One trunk to train for several tasks: job k is the path of task k, and all paths have the trunk's layers."""

    tasks: tuple[TaskRecord, ...]  # their records
    order: Key  # names the streams of data order and augmentation, with each task's name
    validation_cap: int
    jobs: tuple[Job, ...]
    shares: tuple[float, ...]  # of the samples
    checkpoint: str | None = None  # the file that holds the training between its cycles

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        return f"the trunk of {len(self.tasks)} tasks"


Work = JobGroup | TrunkGroup


@dataclass(frozen=True)
class Result:
    """A trained child: what training measured, and the layers that it is made of, as the files that will be stored."""

    number: int
    outcome: Outcome  # without its tensors
    layers: Mapping[str, bytes]  # slot -> safetensors; empty when it was rejected
    momentum: Mapping[str, bytes]
    started: str  # UTC
    seconds: float  # since then, its share of what its job group did together included
    new_head: float | None = None  # validation accuracy with the head made anew, which is kept where that is no worse


_STATE = 18  # bytes for each trained parameter: value, gradient, momentum, best value, best momentum


def group_jobs(
    task: TaskRecord,
    jobs: Sequence[Job],
    *,
    order: Key | None,
    together: bool,
    validation_cap: int,
    workers: int,
    memory: int,
) -> list[JobGroup]:
    """Group siblings with the same random augmentation, which is then computed once for all of them.

    Siblings without random augmentation share cached activations instead, so each is a group of its own: one worker
    trains those with the lowest trainable layer first, whose activations the next ones continue from; several workers
    take the longest work first, so that they end together. `order` names the data order that siblings share; with
    None, or where `together` is false, each child is a group of its own. A group has at most a worker's part of the
    generation, and what its further members train fits in `memory` bytes. Grouping changes how fast children are
    trained, never what they learn.
    """
    if order is None or not together or any(job.untrained for job in jobs):
        return [JobGroup(task, order or job.key, validation_cap, (job,)) for job in jobs]
    alike: dict[object, list[Job]] = {}
    for job in jobs:
        pre = job.recipe.preprocessing
        alike.setdefault(job.number if pre.deterministic else pre, []).append(job)
    most = -(-len(jobs) // workers)
    groups = [
        JobGroup(task, order, validation_cap, part)
        for siblings in alike.values()
        for part in _cut(siblings, most, memory)
    ]
    if workers > 1:
        return sorted(groups, key=lambda group: -sum(_work(job) for job in group.jobs))
    return sorted(groups, key=lambda group: min(_frozen(job) for job in group.jobs))


def _cut(siblings: Sequence[Job], most: int, memory: int) -> list[tuple[Job, ...]]:
    """Siblings in parts of at most `most` jobs whose state, but for the first one's, fits in memory."""
    parts: list[list[Job]] = []
    room = 0
    for job in siblings:
        if not parts or len(parts[-1]) == most or job.trained * _STATE > room:
            parts.append([job])
            room = memory
        else:
            parts[-1].append(job)
            room -= job.trained * _STATE
    return [tuple(part) for part in parts]


def _frozen(job: Job) -> int:
    """Slots below the lowest one that the child trains."""
    return min(number for number, slot in enumerate(job.child.origins) if slot in job.child.trainable)


def _work(job: Job) -> int:
    """How long a child takes beside its siblings: parameters that an image meets, thrice above the cut, by pixels."""
    sizes = [job.child.sizes[slot] for slot in job.child.origins]
    return job.image_size**2 * (sum(sizes) + 2 * sum(sizes[_frozen(job) :]))
