"""Answers for any number of image files, one after the other, in memory that does not grow. Imports torch late."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from munet.errors import InputError
from munet.inference.asked import form_of
from munet.tasks.image_files import is_image
from munet.tasks.sources.walk import files_below

if TYPE_CHECKING:
    from munet.model.loader import ModelLoader

_THREADS = 8


@dataclass(frozen=True)
class Answer:
    """What a model says of one file: its likeliest (class, probability), or why it could not be read."""

    file: Path
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
    model: str,
    files: Iterable[Path],
    *,
    top: int = 1,
    device: str = "auto",
    batch_size: int = 64,
    skip_bad: bool = False,
) -> Iterator[Answer]:
    """The `top` likeliest classes of each file, in order, as they are computed.

    InputError for the first file that is no image, after the answers of the batches before; with `skip_bad` its answer
    says what is wrong.
    """
    form = form_of(models, model)
    predictor = None
    rest = iter(files)

    def read(file: Path) -> np.ndarray | InputError:
        try:
            return form.picture(file)
        except InputError as error:
            return error

    with ThreadPoolExecutor(_THREADS) as pool:
        while part := list(islice(rest, batch_size)):
            pictures = list(pool.map(read, part))
            good = [picture for picture in pictures if isinstance(picture, np.ndarray)]
            for picture in pictures:
                if isinstance(picture, InputError) and not skip_bad:
                    hint = "repair or remove it, or say --skip-bad to go on without"
                    raise InputError(f"{picture}; {hint}", kind=picture.kind) from picture
            tops: Iterator[list[tuple[str, float]]] = iter(())
            if good:
                if predictor is None:
                    from munet.inference.predict import Predictor  # files that cannot be read are told before torch

                    predictor = Predictor(models, model, device)
                tops = iter(predictor.predict(good, batch_size).top(top))
            for file, picture in zip(part, pictures, strict=True):
                yield Answer(file, error=str(picture)) if isinstance(picture, InputError) else Answer(file, next(tops))
