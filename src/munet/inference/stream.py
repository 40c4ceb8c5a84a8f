"""Answers for any number of image files, one after the other, in memory that does not grow. Imports torch late."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
from munet.tasks.images import read_bytes
from munet.tasks.sources.walk import files_below
from munet.tasks.white import Dark

if TYPE_CHECKING:
    from munet.inference.predict import Predictor
    from munet.model.loader import ModelLoader

_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Answer:
    """What models say of one file: for each its likeliest (class, probability), or why the file could not be read."""

    file: Path
    models: Sequence[tuple[str, str]]  # (task, id) of each
    tops: list[list[tuple[str, float]]] = field(default_factory=list)
    error: str | None = None

    @property
    def top(self) -> list[tuple[str, float]]:
        """That of the first model, which for most is the only one."""
        return self.tops[0] if self.tops else []


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
    words: str | Sequence[str],
    files: Iterable[Path],
    *,
    top: int = 1,
    device: str = "auto",
    batch_size: int = 64,
    skip_bad: bool = False,
    note: Callable[[str], None] = warnings.warn,
) -> Iterator[Answer]:
    """The `top` likeliest classes of each file by each model, in order, as they are computed. A word is a task
    or an id.

    InputError for the first file that is no image, after the answers of the batches before; with `skip_bad` its answer
    says what is wrong. At the end `note` gets a sentence where images came out dark (`munet.tasks.white`).
    """
    words = [words] if isinstance(words, str) else words
    for word in words:
        resolve(models.store, word)  # a mistake is told at once
    return _answers(models, words, files, top, device, batch_size, skip_bad, note)


def _answers(
    models: "ModelLoader",
    words: Sequence[str],
    files: Iterable[Path],
    top: int,
    device: str,
    batch_size: int,
    skip_bad: bool,
    note: Callable[[str], None],
) -> Iterator[Answer]:
    together: _Together | None = None
    rest, dark = iter(files), Dark()
    with ThreadPoolExecutor(_THREADS) as pool:
        while part := list(islice(rest, batch_size)):
            read = partial(_read_batch, models, words, together, part, pool, device, skip_bad, dark)
            together, pictures, good = consistent(models.store, read)
            tops = iter(together.answer(good, top))
            for file, picture in zip(part, pictures, strict=True):
                if isinstance(picture, InputError):
                    yield Answer(file, together.models, error=str(picture))
                else:
                    yield Answer(file, together.models, next(tops))
    for sentence in dark.told():
        note(sentence)


def _read_batch(
    models: "ModelLoader",
    words: Sequence[str],
    together: "_Together | None",
    files: Sequence[Path],
    pool: ThreadPoolExecutor,
    device: str,
    skip_bad: bool,
    dark: Dark,
) -> "tuple[_Together, list[list[np.ndarray] | InputError], list[list[np.ndarray]]]":
    """Who answers for some files: who did before, else the models that the tasks retain now; and the pictures."""
    if together is None or not together.ready:
        together = _Together(models, [resolve(models.store, word) for word in words], device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd but readable files, among the answers
        pictures = list(pool.map(partial(together.read, dark=dark), files))
    for picture in pictures:
        if isinstance(picture, InputError) and not skip_bad:
            hint = "repair or remove it, or say --skip-bad to go on without"
            raise InputError(f"{picture}; {hint}", kind=picture.kind) from picture
    good = [picture for picture in pictures if not isinstance(picture, InputError)]
    if good:
        together.load()
    return together, pictures, good


class _Together:
    """Models in groups: those whose images have one form, in which each is decoded once, and whose inputs one size.

    They are loaded with the first good image: bad files are told before torch is imported.
    """

    def __init__(self, models: "ModelLoader", ids: Sequence[str], device: str) -> None:
        self._loader, self._device, self._ids = models, device, list(ids)
        self.models = [(with_head(models, model)[1], model) for model in ids]
        self._groups: dict[tuple[Form, int], list[int]] = {}
        for number, model in enumerate(ids):
            size = models.manifest(model)["hyperparameters"]["image_size"]
            self._groups.setdefault((form_of(models, model), size), []).append(number)
        self._forms = list(dict.fromkeys(form for form, _ in self._groups))
        self._predictors: list[Predictor] = []

    @property
    def ready(self) -> bool:
        """Whether the models are loaded: then they answer to the end, whatever is retained meanwhile."""
        return bool(self._predictors)

    def load(self) -> None:
        if not self._predictors:
            from munet.inference.predict import Predictor

            groups = self._groups.values()
            self._predictors = [
                Predictor(self._loader, [self._ids[k] for k in group], self._device) for group in groups
            ]

    def read(self, file: Path, dark: Dark) -> list[np.ndarray] | InputError:
        """A file in each of the forms; what is wrong with it. `dark` hears how bright it is."""
        try:
            data, pictures = read_bytes(file), list[np.ndarray]()
            for form in self._forms:
                picture, brightest = form.looked_at(data, str(file))
                dark.add(str(file), data, brightest, form.white)
                pictures.append(picture)
            return pictures
        except InputError as error:
            return error

    def answer(self, pictures: Sequence[list[np.ndarray]], top: int) -> list[list[list[tuple[str, float]]]]:
        """The likeliest classes of each image by each model."""
        if not pictures:
            return []
        found: dict[int, list[list[tuple[str, float]]]] = {}
        for ((form, _), group), predictor in zip(self._groups.items(), self._predictors, strict=True):
            which = self._forms.index(form)
            made = predictor.predict([picture[which] for picture in pictures], len(pictures))
            found |= {number: prediction.top(top) for number, prediction in zip(group, made, strict=True)}
        return [[found[number][row] for number in range(len(self._ids))] for row in range(len(pictures))]
