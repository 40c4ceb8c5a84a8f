"""Training of a trunk, in whatever process trains children: heads fitted, tasks mixed, layers packed."""

from collections.abc import Callable, Mapping
from time import perf_counter

import torch

from munet.evolution.head_fit import Tensors, body_of, fitted_head
from munet.evolution.jobs import Job, Result, TrunkGroup
from munet.evolution.new_head import NewHead, new_head
from munet.evolution.origins import initial_layers
from munet.evolution.trunk_checkpoint import TrunkCheckpoint
from munet.model.loader import LayerSource
from munet.model.network import Network
from munet.provenance import now
from munet.store.layer_file import serialize
from munet.store.schema import TaskData
from munet.tasks.cache.splits import Splits
from munet.training.child_state import Outcome
from munet.training.features import FeatureCache
from munet.training.images import ImageSet
from munet.training.multitask import TaskPart, TrunkOutcome, train_trunk

OnCycle = Callable[[int, int, float], None]  # (task, cycle, validation accuracy)


def train_trunk_group(
    group: TrunkGroup,
    layers: LayerSource,
    splits: Splits,
    *,
    device: str,
    cache: FeatureCache | None,
    on_cycle: OnCycle | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> list[Result]:
    """A result for each task. The first has the layers of the trunk, each its own head."""
    began, started = perf_counter(), now()
    first = group.jobs[0]
    body = initial_layers(layers, {s: o for s, o in first.child.origins.items() if s != "head"}, first.key)
    parts = [
        _part(group, number, body, layers, splits, device=device, cache=cache) for number in range(len(group.tasks))
    ]
    trained = [slot for slot in first.child.trainable if slot != "head"]
    network = Network(layers.architecture, body, first.image_size, trained)
    widest = max(part.head["weight"].shape[1] for part in parts)
    network.with_patches = widest > layers.architecture.width
    network = network.on(device, first.recipe.precision, first.recipe.step)

    def tell(cycle: int, accuracies: list[float]) -> None:
        for number, accuracy in enumerate(accuracies):
            if on_cycle is not None:
                on_cycle(number, cycle, accuracy)

    checkpoint = TrunkCheckpoint(group)
    outcome = train_trunk(
        network,
        parts,
        first.recipe,
        key=group.order,
        device=device,
        on_cycle=tell,
        on_state=checkpoint.save,
        resume=checkpoint.load(note),
    )
    heads = [
        None
        if outcome.rejected
        else new_head(job, outcome.trunk, layers, ImageSet.of(part.train, device), part.validation)
        for job, part in zip(group.jobs, parts, strict=True)
    ]
    seconds = perf_counter() - began
    return [_result(outcome, k, heads[k], group.shares[k], started, seconds) for k in range(len(group.tasks))]


def _part(
    group: TrunkGroup,
    number: int,
    body: Mapping[str, Tensors],
    layers: LayerSource,
    splits: Splits,
    *,
    device: str,
    cache: FeatureCache | None,
) -> TaskPart:
    task, job = group.tasks[number], group.jobs[number]
    train = splits.get(task, "train", job.image_size)
    validation = splits.get(task, "validation", job.image_size, group.validation_cap)
    head = _head(job, body, ImageSet.of(train, device), layers, name=split_name(task, "train"), cache=cache)
    pre, margin = job.recipe.preprocessing, job.recipe.margin
    return TaskPart(task["name"], train, validation, head, pre, margin, group.shares[number])


def _head(
    job: Job, body: Mapping[str, Tensors], data: ImageSet, layers: LayerSource, *, name: str, cache: FeatureCache | None
) -> Tensors:
    if job.head is None:
        return initial_layers(layers, {"head": job.child.origins["head"]}, job.key)["head"]
    options = {"name": name, "kind": layers.root, "cache": cache}
    return fitted_head(job, job.head, body_of(job, body), data, layers.architecture, **options)


def split_name(task: TaskData, split: str) -> str:
    """What the images of a task's split are, by content."""
    return f"{task['fingerprint']} {split} {task['splits'][split]['ranges']}"


def _result(
    outcome: TrunkOutcome, number: int, head: NewHead | None, share: float, started: str, seconds: float
) -> Result:
    accuracies = outcome.accuracies[number]
    mine: dict[str, dict[str, torch.Tensor]] = {"head": outcome.heads[number]} if outcome.heads[number] else {}
    if head is not None and head.is_kept(accuracies[-1]):
        mine = {"head": head.layer}
    layers = (outcome.trunk if number == 0 else {}) | mine
    own = Outcome(
        accuracies=accuracies,
        best_cycle=len(accuracies) - 1,
        layers={},
        momentum={},
        samples=outcome.samples[number],
        rejected=outcome.rejected,
        train_seconds=outcome.train_seconds * share,
        validation_seconds=outcome.validation_seconds / len(outcome.accuracies),
    )
    packed = {slot: serialize(tensors) for slot, tensors in layers.items()}
    return Result(number, own, packed, {}, started, seconds * share, head.accuracy if head else None)
