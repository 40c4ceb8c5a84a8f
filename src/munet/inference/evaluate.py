"""Accuracy of retained models over whole splits."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.inference.asked import models_of
from munet.inference.prepared import preprocessing_of
from munet.model.staged import stage_names
from munet.store.derived import resolve
from munet.store.schema import Manifest, TaskRecord
from munet.tasks.cache.splits import Splits
from munet.training import EvalItem, Step, evaluate_together
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
    ids, store = models_of(models, tasks, split, precision), models.store
    names = list(ids)
    place = choose_device(device)
    manifests = {name: models.manifest(model) for name, model in ids.items()}
    contents = {name: _content(store.read_task(name), split) for name in names}
    lengths = {contents[name]: store.read_task(name)["splits"][split]["examples"] for name in names}
    done, total = 0, sum(lengths.values())

    def report(images: int) -> None:
        nonlocal done
        done += images
        if progress:
            progress(min(done, total), total)  # images of several groups count once for each

    splits, results = Splits(), dict[str, dict[str, Any]]()
    for group in _groups(manifests):
        size = manifests[group[0]]["hyperparameters"]["image_size"]
        first = {
            contents[name]: store.read_task(name) for name in reversed(group)
        }  # tasks with the same images read once
        images = {content: splits.get(record, split, size) for content, record in first.items()}
        steps = {name: _steps(models, name, manifests[name], place, precision) for name in group}
        items = [EvalItem(steps[name], images[contents[name]], contents[name]) for name in group]
        pre = preprocessing_of(models, manifests[group[0]])
        options = {"device": place, "batch_size": batch_size, "precision": precision, "fixed": True}
        counts = evaluate_together(items, pre, **options, note=note, progress=report)
        for name, (correct, examples) in zip(group, counts, strict=True):
            found = {"split": split, "accuracy": correct / examples, "correct": correct, "examples": examples}
            results[name] = found | {"model": ids[name]}
    for text in splits.notes:
        note(text)
    return {name: results[name] for name in names}


def _content(record: TaskRecord, split: str) -> str:
    """What the images of a split are, and whether the record tells what they are made."""
    return f"{record['fingerprint']} {record['splits'][split]['ranges']} {'size' in record['splits']['train']}"


def _groups(manifests: Mapping[str, Manifest]) -> list[list[str]]:
    """Tasks whose models have one input size, as many as hold about a GiB of layers, so that they share them."""
    groups: list[list[str]] = []
    held: dict[str, int] = {}  # layers of the last group, with their parameters
    size = None
    for name, manifest in sorted(manifests.items(), key=lambda item: item[1]["hyperparameters"]["image_size"]):
        mine = {layer: manifest["sizes"][slot] for slot, layer in manifest["layers"].items()}
        if size != manifest["hyperparameters"]["image_size"] or sum((held | mine).values()) > _GROUP:
            groups.append([])
            held, size = {}, manifest["hyperparameters"]["image_size"]
        groups[-1].append(name)
        held |= mine
    return groups


def _steps(models: "ModelLoader", name: str, manifest: Manifest, device: str, precision: str) -> list[Step]:
    """The stages of a task's model, named by content."""
    network = models.network(resolve(models.store, name)).on(device, precision)
    stages = [stage for _, stage in network.stages()]
    return list(zip(stage_names(network, manifest["layers"]), stages, strict=True))


_GROUP = 1 << 28  # parameters
