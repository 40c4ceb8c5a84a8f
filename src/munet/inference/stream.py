"""Answers for any number of image files, one after the other, in memory that does not grow. Imports torch late."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from munet.errors import InputError
from munet.inference.asked import form_of, with_head
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.tasks.form import Form
from munet.tasks.image_files import is_image
from munet.tasks.sources.walk import files_below

if TYPE_CHECKING:
    from munet.inference.predict import Predictor
    from munet.model.loader import ModelLoader

_THREADS = 8


@dataclass(frozen=True)
class Answer:
    """What a model says of one file: its likeliest (class, probability), or why it could not be read."""

    file: Path
    task: str
    model: str  # id
    top: list[tuple[str, float]] = field(default_factory=list)
    error: str | None = None


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths with each folder replaced by the image files in it and below, in the order of their names.

    InputError for a folder that holds none. Hidden files are left out.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [file for file in files_below(path) if is_image(file)]
        if not found:
            raise InputError(f"{path}: no image file is in this folder: give another, or files", kind="missing-file")
        yield from sorted(found)


def answers(
    models: "ModelLoader",
    word: str,
    files: Iterable[Path],
    *,
    top: int = 1,
    device: str = "auto",
    batch_size: int = 64,
    skip_bad: bool = False,
) -> Iterator[Answer]:
    """The `top` likeliest classes of each file, in order, as they are computed, by one model of a task (or any by id).

    InputError for the first file that is no image, after the answers of the batches before; with `skip_bad` its answer
    says what is wrong.
    """
    ready: _Ready | None = None
    rest = iter(files)
    with ThreadPoolExecutor(_THREADS) as pool:
        while part := list(islice(rest, batch_size)):
            read = partial(_read_batch, models, word, ready, part, pool, device, skip_bad)
            batch = consistent(models.store, read)
            ready = batch.by
            tops: Iterator[list[tuple[str, float]]] = iter(())
            if ready.predictor is not None and batch.good:
                tops = iter(ready.predictor.predict(batch.good, batch_size).top(top))
            for file, picture in zip(part, batch.pictures, strict=True):
                if isinstance(picture, InputError):
                    yield Answer(file, ready.task, ready.model, error=str(picture))
                else:
                    yield Answer(file, ready.task, ready.model, next(tops))


@dataclass(frozen=True)
class _Ready:
    """Who answers. The predictor is there with the first good image: bad files are told before torch is imported."""

    task: str
    model: str
    form: Form
    predictor: "Predictor | None"


@dataclass(frozen=True)
class _Batch:
    by: _Ready
    pictures: list[np.ndarray | InputError]

    @property
    def good(self) -> list[np.ndarray]:
        return [picture for picture in self.pictures if isinstance(picture, np.ndarray)]


def _read_batch(
    models: "ModelLoader",
    word: str,
    ready: _Ready | None,
    files: Sequence[Path],
    pool: ThreadPoolExecutor,
    device: str,
    skip_bad: bool,
) -> _Batch:
    """The pictures of some files, and who answers for them: who did before, else the model that the task retains."""
    if ready is None or ready.predictor is None:
        model = resolve(models.store, word)
        ready = _Ready(with_head(models, model)[1], model, form_of(models, model), None)
    form = ready.form

    def read(file: Path) -> np.ndarray | InputError:
        try:
            return form.picture(file)
        except InputError as error:
            return error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd but readable files, among the answers
        batch = _Batch(ready, list(pool.map(read, files)))
    for picture in batch.pictures:
        if isinstance(picture, InputError) and not skip_bad:
            hint = "repair or remove it, or say --skip-bad to go on without"
            raise InputError(f"{picture}; {hint}", kind=picture.kind) from picture
    if ready.predictor is None and batch.good:
        from munet.inference.predict import Predictor

        return _Batch(replace(ready, predictor=Predictor(models, ready.model, device)), batch.pictures)
    return batch
