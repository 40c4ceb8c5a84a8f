"""A model's answers on any labelled images, not only on the splits that its task was recorded with."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from munet.errors import InputError
from munet.inference.asked import form_of
from munet.inference.measures import Answers
from munet.inference.predict import Predictor
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.tasks.form import Form
from munet.tasks.reading import read
from munet.tasks.sources import open_source
from munet.tasks.sources.numbering import NO_CLASS
from munet.text import counted

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader
    from munet.tasks.sources.base import Source

_BATCH = 256


def answers_on(
    models: "ModelLoader",
    word: str,
    address: str,
    *,
    split: str | None = None,
    device: str = "auto",
    skip_bad: bool = False,
    note: Callable[[str], None] = lambda text: None,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """What the model of a task (or any by id) says of the images of a source; classes are matched by their names.

    `split` is one of the source; None takes `test` where there is one, else all there is. Classes that the task does
    not know are left out with a note. InputError where none is known, where the source has no such split, and for an
    image that cannot be used, unless `skip_bad`.
    """
    source = open_source(address, progress)

    def ready() -> tuple[Predictor, Form]:
        model = resolve(models.store, word)
        return Predictor(models, [model], device), form_of(models, model)

    predictor, form = consistent(models.store, ready)
    known = {name: number for number, name in enumerate(predictor.classes[0])}
    for text in source.notes():
        note(text)
    parts = _parts(source, split, address)
    _tell_unused(source, parts, split, note)
    labels = np.concatenate([source.labels(part) for part in parts])
    labels = labels[labels != NO_CLASS]
    to_task = np.array([known.get(name, -1) for name in source.classes], np.int64)
    _tell_unknown(source.classes, labels, to_task, list(known), note)
    batch: list[np.ndarray] = []
    found: list[np.ndarray] = []

    def answer() -> None:
        if batch:
            found.append(predictor.predict(batch)[0].probabilities.double().numpy())
            batch.clear()

    def take(picture: np.ndarray) -> None:
        batch.append(picture)
        if len(batch) == _BATCH:
            answer()

    ranges = [(part, 0, source.counts()[part]) for part in parts]
    reading = read(source, ranges, form=form, to=take, skip_bad=skip_bad, progress=progress)
    answer()
    for text in reading.bad:
        note(f"left out {text}")
    mine = to_task[reading.labels]
    rows = np.flatnonzero(mine >= 0)
    images = [source.name(*reading.examples[row]) for row in rows]
    return Answers(np.concatenate(found)[rows], mine[rows], predictor.classes[0], images)


def _parts(source: "Source", split: str | None, address: str) -> Sequence[str]:
    parts = list(source.counts())
    if split is None:
        return ["test"] if "test" in parts else parts
    if split not in parts:
        raise InputError(f"{address} has no split '{split}': it has {', '.join(parts)}")
    return [split]


def _tell_unused(source: "Source", parts: Sequence[str], split: str | None, note: Callable[[str], None]) -> None:
    """A note of the splits that are there and were not asked for, where none was named."""
    counts = source.counts()
    others = [name for name in counts if name not in parts]
    if split is None and others:
        listed = ", ".join(f"{name} ({counted(counts[name], 'image')})" for name in others)
        used = counted(sum(counts[part] for part in parts), "image")
        note(f"only the split {parts[0]} is measured, {used}; not {listed}: --split {others[0]} measures that")


def _tell_unknown(
    classes: Sequence[str], labels: np.ndarray, to_task: np.ndarray, known: Sequence[str], note: Callable[[str], None]
) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    unknown = [(classes[k], int(n)) for k, n in enumerate(counts) if n and to_task[k] < 0]
    if not unknown:
        return
    some = ", ".join(f"{name} ({n:,})" for name, n in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    images = sum(n for _, n in unknown)
    if images == len(labels):
        shown = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "")
        raise InputError(f"the task knows none of the classes {some}: its own are {shown}")
    note(f"left out {images:,} images of classes that the task does not know: {some}")
