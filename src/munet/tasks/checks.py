"""Checks of the splits of a new task, so that an unusable one is refused before hours of training."""

from collections.abc import Mapping

import numpy as np

from munet.errors import InputError
from munet.tasks.planning import Selection
from munet.tasks.sources.base import Source
from munet.tasks.sources.numbering import NO_CLASS
from munet.text import counted


def _way_out(source: Source) -> str:
    if source.order_kind == "stratified":
        return "choose other slices"
    return "shuffle the data, choose other slices, or add '?order=stratified' to the address of the source"


def check_classes(
    source: Source, plan: Mapping[str, Selection], labels: Mapping[str, np.ndarray], *, rare: bool = False
) -> None:
    """InputError unless there are two classes, each with two images (or one, where they may be `rare`), all of them
    trained on.

    `labels` holds int64 (N,) for train, validation and test, unusable images left out.
    """
    classes = source.classes
    for name, selection in plan.items():
        if not len(labels[name]):
            raise InputError(f"{source.address}: no usable image is left in {name} '{selection.expression}'")
    present = np.bincount(np.concatenate(list(labels.values())), minlength=len(classes))
    if np.any(present == 1) and not rare:
        name, others = classes[int(np.argmax(present == 1))], int(np.count_nonzero(present == 1)) - 1
        more = f" (so have {others:,} more)" if others else ""
        raise InputError(
            f"{source.address}: class '{name}' has one usable image only{more}: add images of it, or say --rare keep "
            "to train on it all the same, --rare drop to leave out classes with fewer than three"
        )
    _check_trained(source, plan, labels)
    if np.count_nonzero(present) < 2:
        only = classes[int(np.argmax(present))]
        raise InputError(
            f"{source.address}: every image is of class '{only}': there must be at least 2 classes{_unlabelled(source)}"
        )
    _check_judged(source, plan, labels)


def refuse_single_images(source: Source) -> None:
    """InputError where no class has a second image: what names the classes may name the images."""
    labels = np.concatenate([source.stored_labels(split) for split in source.counts()])
    present = np.unique(labels[(labels >= 0) & (labels < len(source.classes))], return_counts=True)[1]
    if len(present) < 2 or present.max() > 1:
        return
    column = source.options.get("label")
    way_out = "add images of each"
    if column is not None:
        way_out = (
            f"does '{column}' tell which image it is, and not of which class? Say ?label= for another, or add images"
        )
    raise InputError(
        f"{source.address}: each of the {len(present):,} classes has one image, so none is left to test what was "
        f"learned: {way_out}"
    )


def _unlabelled(source: Source) -> str:
    """Why images are of no class, where some are."""
    count = sum(int(np.count_nonzero(source.stored_labels(split) == NO_CLASS)) for split in source.counts())
    return f"; {counted(count, 'image')} with {source.no_label}" if count else ""


def _check_trained(source: Source, plan: Mapping[str, Selection], labels: Mapping[str, np.ndarray]) -> None:
    """Each class of the splits that are read must have training examples."""
    used = {split for selection in plan.values() for split, _, _ in selection.ranges}
    there = np.unique(np.concatenate([source.labels(split) for split in sorted(used)]))
    left_out = np.setdiff1d(there[there != NO_CLASS], labels["train"])
    if len(left_out):
        _refuse_elsewhere(source, {split for split, _, _ in plan["train"].ranges}, used, left_out.tolist())
        shown = ", ".join(f"'{source.classes[label]}'" for label in left_out[:3])
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        lacks = f"train '{plan['train'].expression}' has no example of class {shown}{more}"
        raise InputError(f"{source.address}: {lacks}: {_way_out(source)}")


def _refuse_elsewhere(source: Source, trained: set[str], used: set[str], left_out: list[int]) -> None:
    """InputError where no other slice of the splits that are trained on could hold a class."""
    for label in left_out:
        if any(label in source.labels(split) for split in trained):
            continue
        split = next(split for split in sorted(used) if label in source.labels(split))
        count = int(np.count_nonzero(source.labels(split) == label))
        raise InputError(
            f"{source.address}: class '{source.classes[label]}' is in {split} only ({counted(count, 'image')}), so it "
            f"cannot be learned: put images of it in {' or '.join(sorted(trained))}, or take it out of {split}"
        )


def _check_judged(source: Source, plan: Mapping[str, Selection], labels: Mapping[str, np.ndarray]) -> None:
    """A slice of data that is sorted by class must not leave validation or test with one class."""
    for name in ("validation", "test"):
        if len(np.unique(labels[name])) > 1:
            continue
        for split, start, stop in plan[name].ranges:
            stored = source.labels(split)
            if stop - start < len(stored) and len(np.unique(stored)) > 1 and np.all(np.diff(stored) >= 0):
                raise InputError(
                    f"{source.address}: {name} '{plan[name].expression}' holds class "
                    f"'{source.classes[stored[start]]}' only, because the data is sorted by class: {_way_out(source)}"
                )
