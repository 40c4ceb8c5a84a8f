"""Where the images of an experiment come from, for the records of a system, without reading them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from munet.allocation.data.sets import folder_of, missing
from munet.allocation.data.tasks import options

_SHAPES = {"mnist4": (1, 28, 28), "clusters40": (3, 32, 32), "clusters-local": (3, 32, 32)}
Values = tuple[float, ...]


def input_shape(experiment: str, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Of an image as the network takes it; `given` are the options of the run's data."""
    if experiment == "omniglot20":
        side = _option(experiment, given, "image_size")
        return 1, side, side
    return _SHAPES[experiment]


def normalisation(experiment: str, given: Mapping[str, Any]) -> tuple[Values, Values]:
    """Mean and std of each channel: (image / 255 - mean) / std is what the network was trained on.

    Omniglot has black strokes on white, and is inverted before training.
    """
    channels = input_shape(experiment, given)[0]
    if experiment == "omniglot20" and _option(experiment, given, "invert"):
        return (1.0,) * channels, (-1.0,) * channels
    return (0.0,) * channels, (1.0,) * channels


def readable(experiment: str, given: Mapping[str, Any], data: Path | None) -> dict[str, str]:
    """Task -> source, for tasks that a source of munet reads as they were trained: same images, labels and splits.

    Those of mnist4 that are not turned. What turns images, or takes some classes of a set, is no source.
    """
    if experiment != "mnist4" or _option(experiment, given, "splits") != "clean" or missing("mnist", data):
        return {}
    return dict.fromkeys(("mnist", "mnist-2"), f"npz:{folder_of('mnist', data)}")


def _option(experiment: str, given: Mapping[str, Any], name: str) -> Any:
    return given.get(name, options(experiment)[name])
