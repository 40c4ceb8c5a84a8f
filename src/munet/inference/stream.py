"""Answers for any number of image files, one after the other, in memory that does not grow. Imports torch late."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from munet.errors import InputError
from munet.inference.asked import form_of
from munet.tasks.form import Form
from munet.tasks.image_files import is_image
from munet.tasks.images import read_bytes
from munet.tasks.sources.walk import files_below

if TYPE_CHECKING:
    from munet.inference.predict import Predictor
    from munet.model.loader import ModelLoader

_THREADS = 8


@dataclass(frozen=True)
class Answer:
    """What models say of one file: for each its likeliest (class, probability), or why the file could not be read."""

    file: Path
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
    ids: Sequence[str],
    files: Iterable[Path],
    *,
    top: int = 1,
    device: str = "auto",
    batch_size: int = 64,
    skip_bad: bool = False,
) -> Iterator[Answer]:
    """The `top` likeliest classes of each file by each model, in order, as they are computed.

    InputError for the first file that is no image, after the answers of the batches before; with `skip_bad` its answer
    says what is wrong.
    """
    together = _Together(models, ids, device)
    rest = iter(files)
    with ThreadPoolExecutor(_THREADS) as pool:
        while part := list(islice(rest, batch_size)):
            pictures = list(pool.map(together.read, part))
            good = [picture for picture in pictures if not isinstance(picture, InputError)]
            for picture in pictures:
                if isinstance(picture, InputError) and not skip_bad:
                    hint = "repair or remove it, or say --skip-bad to go on without"
                    raise InputError(f"{picture}; {hint}", kind=picture.kind) from picture
            tops = iter(together.answer(good, top))
            for file, picture in zip(part, pictures, strict=True):
                yield Answer(file, error=str(picture)) if isinstance(picture, InputError) else Answer(file, next(tops))


class _Together:
    """Models in groups: those whose images have one form, in which each is decoded once, and whose inputs one size."""

    def __init__(self, models: "ModelLoader", ids: Sequence[str], device: str) -> None:
        self._models, self._device = models, device
        self._groups: dict[tuple[Form, int], list[int]] = {}
        for number, model in enumerate(ids):
            size = models.manifest(model)["hyperparameters"]["image_size"]
            self._groups.setdefault((form_of(models, model), size), []).append(number)
        self._ids = list(ids)
        self._forms = list(dict.fromkeys(form for form, _ in self._groups))
        self._predictors: list[Predictor] = []

    def read(self, file: Path) -> list[np.ndarray] | InputError:
        """A file in each of the forms; what is wrong with it."""
        try:
            data = file if len(self._forms) == 1 else read_bytes(file)
            return [form.picture(data, str(file)) for form in self._forms]
        except InputError as error:
            return error

    def answer(self, pictures: Sequence[list[np.ndarray]], top: int) -> list[list[list[tuple[str, float]]]]:
        """The likeliest classes of each image by each model."""
        if not pictures:
            return []
        if not self._predictors:
            from munet.inference.predict import Predictor  # files that cannot be read are told before torch

            groups = self._groups.values()
            self._predictors = [
                Predictor(self._models, [self._ids[k] for k in group], self._device) for group in groups
            ]
        found: dict[int, list[list[tuple[str, float]]]] = {}
        for ((form, _), group), predictor in zip(self._groups.items(), self._predictors, strict=True):
            which = self._forms.index(form)
            made = predictor.predict([picture[which] for picture in pictures], len(pictures))
            found |= {number: prediction.top(top) for number, prediction in zip(group, made, strict=True)}
        return [[found[number][row] for number in range(len(self._ids))] for row in range(len(pictures))]
