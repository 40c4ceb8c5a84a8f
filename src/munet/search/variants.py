"""What the papers vary about any method: the preprocessing that it starts with, the samples that it may train on."""

from collections.abc import Mapping

from munet.errors import InputError, suggest
from munet.search.method import Method

STARTS = ("published", "none")

_OFF = {
    "crop_area_min": 1.0,
    "crop_aspect_min": 1.0,
    "flip": False,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "hue": 0.0,
}


def starting_preprocessing(start: str) -> Mapping[str, object]:
    """Overrides for `load_method`: `published` leaves a method's own defaults, `none` starts without augmentation.

    What a method tunes, it may still switch on. Raises InputError for another word.
    """
    if start not in STARTS:
        raise InputError(f"preprocessing '{start}' is unknown{suggest(start, STARTS)}; choose {' or '.join(STARTS)}")
    return {} if start == "published" else {f"defaults.{key}": value for key, value in _OFF.items()}


def with_samples_per_task(method: Method, samples: int) -> Method:
    """The method with cycles of such a length that each task is trained on `samples` images in one run.

    All children and all their cycles count. A task with fewer images than a cycle goes through them again, so every
    task gets as many. Raises InputError where a cycle would be less than one batch, or no whole number of samples.
    """
    each, rest = divmod(samples, method.child_cycles)
    shape = f"{method.child_cycles} cycles ({_shape(method)})"
    if each < method.batch_size:
        raise InputError(
            f"{samples} samples a task over {shape} of {method.name} leave {each} for a cycle, less than a batch of "
            f"{method.batch_size}: give at least {method.batch_size * method.child_cycles}, or fewer cycles"
        )
    if rest:
        raise InputError(
            f"{samples} samples a task do not divide into {shape} of {method.name}: give "
            f"{samples - rest} or {samples - rest + method.child_cycles}"
        )
    return method.model_copy(update={"samples_per_cycle": each, "at_most_epoch": False})


def _shape(method: Method) -> str:
    return (
        f"{method.task_iterations} task iterations x {method.generations} generations x {method.children} children "
        f"x {method.cycles} cycles"
    )
