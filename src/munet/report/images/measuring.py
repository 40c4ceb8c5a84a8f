"""What the model of a task answers on validation and test, as figures, and the images that a page shows of it.

Measured once for a model and its images, and kept (`kept`): a report that is made again reads no image.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from munet.errors import MunetError
from munet.report.images.kept import keep, key_of, recall
from munet.store.schema import TaskRecord
from munet.tasks.trust import refuse_received

if TYPE_CHECKING:
    import numpy as np

    from munet.inference.measures import Answers
    from munet.model.loader import ModelLoader

THUMBNAILS = 40  # of a task, unless there are more tasks than
_TOGETHER = 800  # thumbnails leave room for
SPLITS = ("validation", "test")
_FORMAT = 1  # to be raised whenever anything here would come out differently
_CELLS = 1000  # of a confusion matrix that are kept, the fullest
_ERRORS = 40  # of a split that are listed
Seen = dict[str, Any]


def seen(
    models: "Callable[[], ModelLoader] | None",
    records: Sequence[TaskRecord],
    *,
    thumbnails: int | None = None,
    private: bool = False,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, Seen]:
    """Task -> what a page shows of its images (docs/report.md, `images`), of every task that has a model.

    It has so many `thumbnails` of each task, `thumbnails_each` unless given; private tasks have none unless
    `private`. What was not measured before is now, unless `models` is None: that reads the images of both splits and
    asks the model. Where it cannot be done `missing` says in a few words why, and `note` all of it.
    """
    grown = [record for record in records if record["model"]]
    thumbnails = thumbnails_each(records) if thumbnails is None else thumbnails
    keys = {record["name"]: _key(record, _thumbnails_of(record, thumbnails, private)) for record in grown}
    found: dict[str, Seen] = {}
    for name, key in keys.items():
        if (known := recall(key)) is not None:
            found[name] = known
    left = [record for record in grown if record["name"] not in found]
    total = sum(record["splits"][split]["examples"] for record in left for split in SPLITS)
    done = 0

    def each() -> None:
        nonlocal done
        done += 1
        if done % 16 == 0 or done == total:
            progress(min(done, total), total)

    for record in left:
        name = record["name"]
        if models is None:
            found[name] = {"missing": "not measured yet: `munet report` does that"}
            continue
        try:
            found[name] = _measured(models(), record, _thumbnails_of(record, thumbnails, private), device, each)
            if not _has_moved_on(models(), record):
                keep(keys[name], found[name])
        except MunetError as error:
            moved = _has_moved_on(models(), record)
            if not moved:
                note(str(error))
            done += sum(record["splits"][split]["examples"] for split in SPLITS)
            found[name] = {"missing": "it was evolved while this page was made" if moved else _why(error)}
    return {record["name"]: found[record["name"]] for record in grown}


def thumbnails_each(records: Sequence[TaskRecord]) -> int:
    """How many thumbnails of each task a page has room for."""
    return min(THUMBNAILS, _TOGETHER // max(1, sum(record["model"] is not None for record in records)))


def _thumbnails_of(record: TaskRecord, thumbnails: int, private: bool) -> int:
    return 0 if record["private"] and not private else thumbnails


def _has_moved_on(models: "ModelLoader", record: TaskRecord) -> bool:
    """Whether somebody evolved or removed a task since its record was read."""
    store = models.store
    return not store.has_task(record["name"]) or store.read_task(record["name"])["model"] != record["model"]


def _why(error: MunetError) -> str:
    """In a few words, without the paths of this machine: a page is handed on."""
    kinds = {
        "untrusted-source": "its images were not opened, for the task came from elsewhere",
        "changed-data": "its images changed since it was added",
    }
    return kinds.get(error.kind, "its images or its model could not be read where this page was made")


def _key(record: TaskRecord, thumbnails: int) -> str:
    test, splits = record.get("test"), record["splits"]
    images = [[splits[split].get("fingerprint"), splits[split]["ranges"]] for split in SPLITS]
    return key_of(_FORMAT, record["model"], test and test.get("temperature"), record["classes"], images, thumbnails)


def _measured(
    models: "ModelLoader", record: TaskRecord, thumbnails: int, device: str, each: Callable[[], None]
) -> Seen:
    refuse_received(record)
    from munet.inference.recorded import recorded_answers
    from munet.tasks.cache.splits import Splits

    splits, name = Splits(), record["name"]
    size = models.manifest(record["model"] or "")["hyperparameters"]["image_size"]
    images = {split: splits.get(record, split, size).images for split in SPLITS}
    answers = {
        split: recorded_answers(models, name, split, device=device, splits=splits, each=each) for split in SPLITS
    }
    return told(answers, images, thumbnails)


def told(answers: "Mapping[str, Answers]", images: "Mapping[str, np.ndarray]", thumbnails: int) -> Seen:
    """What is shown of the answers on each split, and of its images uint8 (N, H, W, C): so many of them."""
    from munet.report.images.thumbnails import thumbnail

    parts = {split: _figures(answers[split]) for split in SPLITS}
    left = thumbnails
    for split, room in (("test", thumbnails * 3 // 10), ("validation", thumbnails // 5)):
        for error in parts[split]["errors"][:room]:
            error.append(thumbnail(images[split][error[0]]))
            left -= 1
    some = _samples(answers["test"], left)
    samples = [[label, number, thumbnail(images["test"][number])] for label, number in some]
    return {"missing": None, "classes": list(answers["test"].classes), "samples": samples, **parts}


def _figures(answers: "Answers") -> dict[str, Any]:
    """The figures of one split as JSON values; classes are named by their numbers."""
    import numpy as np

    from munet.inference.measures import confusion_matrix, measured
    from munet.report.images.confused import confused

    found, labels, predicted = measured(answers), answers.labels, answers.predicted
    matrix = confusion_matrix(labels, predicted, len(answers.classes))
    wrong = matrix - np.diag(matrix.diagonal())
    shown = confused(matrix)
    rows, columns = np.nonzero(wrong)
    order = np.argsort(-wrong[rows, columns], kind="stable")[:_CELLS]
    hardest = [int(n) for n in answers.hardest if labels[n] != predicted[n]]
    return {
        **{key: found[key] for key in ("examples", "correct", "top_5", "nll", "calibration_error")},
        "reliability": [[bin["images"], bin["confidence"], bin["accuracy"]] for bin in found["reliability"]],
        "by_class": [matrix.sum(1).tolist(), matrix.diagonal().tolist(), matrix.sum(0).tolist()],
        "order": shown,
        "cells": [[int(rows[k]), int(columns[k]), int(wrong[rows[k], columns[k]])] for k in order],
        "errors": [
            [n, int(labels[n]), int(predicted[n]), *_sure(answers.probabilities[n], labels[n])]
            for n in hardest[:_ERRORS]
        ],
    }


def _sure(probabilities: "np.ndarray", label: int) -> list[float]:
    """How sure a model is of its answer, and of the right class."""
    return [round(float(probabilities.max()), 4), round(float(probabilities[label]), 4)]


def _samples(answers: "Answers", most: int) -> list[tuple[int, int]]:
    """(class, image) of at most so many images: as many of each class, or one of each of those answered worst."""
    import numpy as np

    labels = answers.labels
    right = np.bincount(labels, answers.predicted == labels, len(answers.classes))
    counts = np.bincount(labels, minlength=len(answers.classes))
    there = [int(k) for k in np.argsort(right / np.maximum(counts, 1), kind="stable") if counts[k]][:most]
    if not there:
        return []
    each = most // len(there)
    return [(k, int(n)) for k in sorted(there) for n in np.flatnonzero(labels == k)[:each]]
