"""Answers for images that a person hands over: files, arrays, tensors, PIL images."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from munet.inference.asked import form_of
from munet.inference.pictures import pictures_of
from munet.store.consistent import consistent
from munet.store.derived import resolve
from munet.tasks.white import Dark

if TYPE_CHECKING:
    from munet.inference.predict import Prediction, Predictor
    from munet.model.loader import ModelLoader


def answer(
    models: "ModelLoader", word: str, images: Any, *, device: str, batch_size: int, note: Callable[[str], None]
) -> "Prediction":
    """What the model of a task, or any by id, says of images; see `System.predict`. `note` gets a sentence where they
    come out dark (`munet.tasks.white`)."""
    if isinstance(images, Iterator):
        images = list(images)  # they may be read twice

    dark = Dark()

    def ready() -> "tuple[list[Any], Predictor]":
        model = resolve(models.store, word)
        pictures = list(pictures_of(images, form_of(models, model), dark))  # errors are told before torch is there
        from munet.inference.predict import Predictor

        return pictures, Predictor(models, [model], device)

    pictures, predictor = consistent(models.store, ready)
    for sentence in dark.told():
        note(sentence)
    return predictor.predict(pictures, batch_size)[0]
