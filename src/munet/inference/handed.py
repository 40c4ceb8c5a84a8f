"""Answers for images that a person hands over: files, arrays, tensors, PIL images."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from munet.inference.asked import form_of
from munet.inference.pictures import pictures_of
from munet.store.consistent import consistent
from munet.store.derived import resolve

if TYPE_CHECKING:
    from munet.inference.predict import Prediction, Predictor
    from munet.model.loader import ModelLoader


def answer(models: "ModelLoader", word: str, images: Any, *, device: str, batch_size: int) -> "Prediction":
    """What the model of a task, or any by id, says of images; see `System.predict`."""
    if isinstance(images, Iterator):
        images = list(images)  # they may be read twice

    def ready() -> "tuple[list[Any], Predictor]":
        model = resolve(models.store, word)
        pictures = list(pictures_of(images, form_of(models, model)))  # errors are told before torch is there
        from munet.inference.predict import Predictor

        return pictures, Predictor(models, [model], device)

    pictures, predictor = consistent(models.store, ready)
    return predictor.predict(pictures, batch_size)[0]
