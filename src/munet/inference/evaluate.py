"""Accuracy of retained models over whole splits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from munet.inference.asked import models_of
from munet.inference.prepared import preprocessing_of
from munet.model.staged import stage_names
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.store.schema import Manifest, TaskRecord
from munet.tasks.cache.splits import Splits
from munet.tasks.trust import refuse_received
from munet.training import EvalItem, Preprocessing, Step, evaluate_together
from munet.training.devices import choose_device

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader


def evaluate(
    models: "ModelLoader",
    tasks: Sequence[str] | None,
    split: str,
    *,
    device: str = "auto",
    batch_size: int = 512,
    precision: str = "fp32",
    progress: Callable[[int, int], None] | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Any]]:
    """Accuracy of retained models on a whole split; see `System.evaluate`."""
    rest, store = list(models_of(models, tasks, split, precision)), models.store
    names, place = list(rest), choose_device(device)
    records = {name: store.read_task(name) for name in names}
    for record in records.values():
        refuse_received(record)
    contents = {name: content_of(record, split) for name, record in records.items()}
    lengths = {contents[name]: record["splits"][split]["examples"] for name, record in records.items()}
    done, total = 0, sum(lengths.values())

    def report(images: int) -> None:
        nonlocal done
        done += images
        if progress:
            progress(min(done, total), total)  # images of several groups count once for each

    splits, results = Splits(), dict[str, dict[str, Any]]()
    while rest:
        group = consistent(store, partial(_load_group, models, rest, place, precision))
        first = {
            contents[name]: records[name] for name in reversed(group.steps)
        }  # tasks with the same images read once
        images = {content: splits.get(record, split, group.image_size) for content, record in first.items()}
        items = [EvalItem(steps, images[contents[name]], contents[name]) for name, steps in group.steps.items()]
        options = {"device": place, "batch_size": batch_size, "precision": precision, "fixed": True}
        counts = evaluate_together(items, group.preprocessing, **options, note=note, progress=report)
        for name, (correct, examples) in zip(group.steps, counts, strict=True):
            found = {"split": split, "accuracy": correct / examples, "correct": correct, "examples": examples}
            results[name] = found | {"model": group.models[name]}
        rest = [name for name in rest if name not in results]
    for text in splits.notes:
        note(text)
    return {name: results[name] for name in names}


def steps_of(models: "ModelLoader", model: str, device: str, precision: str) -> list[Step]:
    """The stages of a model, named by content."""
    network = models.network(model).on(device, precision)
    stages = [stage for _, stage in network.stages()]
    return list(zip(stage_names(network, models.manifest(model)["layers"]), stages, strict=True))


def content_of(record: TaskRecord, split: str) -> str:
    """What the images of a split are, and whether the record tells what they are made."""
    return f"{record['fingerprint']} {record['splits'][split]['ranges']} {'size' in record['splits']['train']}"


@dataclass(frozen=True)
class _Group:
    """Tasks whose models have one input size, with all that is read of these models: they may be let go meanwhile."""

    image_size: int
    preprocessing: Preprocessing
    models: dict[str, str]  # ids by task
    steps: dict[str, list[Step]]  # the stages of each task's model, named by content


def _load_group(models: "ModelLoader", names: Sequence[str], device: str, precision: str) -> _Group:
    """The next tasks to evaluate, as many as hold about a GiB of layers, so that they share them."""
    ids = {name: resolve(models.store, name) for name in names}
    manifests = {name: models.manifest(model) for name, model in ids.items()}
    group = _first_group(manifests)
    one = manifests[group[0]]
    steps = {name: steps_of(models, ids[name], device, precision) for name in group}
    size = one["hyperparameters"]["image_size"]
    return _Group(size, preprocessing_of(models, one), {name: ids[name] for name in group}, steps)


def _first_group(manifests: Mapping[str, Manifest]) -> list[str]:
    """Tasks whose models have the smallest input size, up to so many layers."""
    group: list[str] = []
    held: dict[str, int] = {}  # layers of the group, with their parameters
    smallest = min(manifest["hyperparameters"]["image_size"] for manifest in manifests.values())
    for name, manifest in manifests.items():
        if manifest["hyperparameters"]["image_size"] != smallest:
            continue
        held |= {layer: manifest["sizes"][slot] for slot, layer in manifest["layers"].items()}
        if group and sum(held.values()) > _GROUP:
            break
        group.append(name)
    return group


_GROUP = 1 << 28  # parameters
