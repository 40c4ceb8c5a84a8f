"""The search space: what each hyperparameter may be, and how a value moves to one of its neighbours.

Value lists are ordered and ascending. A change is always one step (muNet sec. 2.1, "Hyperparameter change"), which is
why a lineage reads as a schedule of each hyperparameter.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from munet.errors import suggest

Value = bool | int | float | str
V = TypeVar("V", bound=Value)

SCHEDULES = ("constant", "cosine", "restarts")
OPTIMISERS = ("sgd", "adamw")
AUGMENTATIONS = ("none", "mild", "strong")  # of drawings: how far they are shifted, turned, scaled and bent
HEAD_FEATURES = ("pooled", "class-token+patches")
_WORDS = {"schedule": SCHEDULES, "optimiser": OPTIMISERS, "augmentation": AUGMENTATIONS, "head_features": HEAD_FEATURES}


@dataclass(frozen=True)
class Domain:
    """What one hyperparameter may be: its type, and a test together with the words that explain it."""

    kind: type
    allowed: str
    accepts: Callable[[float], bool] = lambda value: True


def _number(allowed: str, accepts: Callable[[float], bool]) -> Domain:
    return Domain(float, f"a number {allowed}", accepts)


def _delta() -> Domain:
    return _number("from 0 (off) to 1", lambda value: 0 <= value <= 1)


def _word(key: str) -> Domain:
    return Domain(str, "one of " + ", ".join(_WORDS[key]))


_FLAG = Domain(bool, "true or false")

DOMAINS: dict[str, Domain] = {
    "learning_rate": _number("above 0", lambda value: value > 0),
    "schedule": _word("schedule"),
    "warmup_ratio": _number("from 0, below 1", lambda value: 0 <= value < 1),
    "momentum": _number("from 0, below 1", lambda value: 0 <= value < 1),
    "nesterov": _FLAG,
    "optimiser": _word("optimiser"),
    "weight_decay": _number("from 0 (off)", lambda value: value >= 0),
    "layer_decay": _number("above 0, up to 1 (off)", lambda value: 0 < value <= 1),
    "head_rate": _number("above 0", lambda value: value > 0),
    "margin": _number("from 0 (off)", lambda value: value >= 0),
    "augmentation": _word("augmentation"),
    "head_features": _word("head_features"),
    "crop": _FLAG,
    "crop_area_min": _number("above 0, up to 1 (off)", lambda value: 0 < value <= 1),
    "crop_aspect_min": _number("above 0, up to 1", lambda value: 0 < value <= 1),
    "flip": _FLAG,
    "brightness": _delta(),
    "contrast": _delta(),
    "saturation": _delta(),
    "hue": _number("from 0 (off) to 0.5", lambda value: 0 <= value <= 0.5),
    "jpeg_quality": _number("from 0 (off), below 1", lambda value: 0 <= value < 1),
    "image_size": Domain(int, "a whole number of pixels above 0", lambda value: value > 0),
    "adapter_dim": Domain(int, "a whole number above 0", lambda value: value > 0),
}
"""Every hyperparameter there is, in the order of the papers' tables."""

PREPROCESSING_KEYS = frozenset(
    {
        "crop",
        "crop_area_min",
        "crop_aspect_min",
        "flip",
        "brightness",
        "contrast",
        "saturation",
        "hue",
        "jpeg_quality",
        "augmentation",
        "image_size",
    }
)
"""What the images go through; the published code draws these once a generation."""

_OURS = {"optimiser", "weight_decay", "layer_decay", "head_rate", "margin", "augmentation", "head_features"}
REQUIRED_KEYS = frozenset(DOMAINS) - {"crop", "jpeg_quality", "image_size", "adapter_dim"} - _OURS
"""What every child needs a value of. The image size starts at the root's own; ours are off where they are missing."""


def check_value(key: str, value: object, setting: str) -> Value:
    """`value` in the type of hyperparameter `key`; ValueError that names `setting` and what is allowed."""
    domain = DOMAINS.get(key)
    if domain is None:
        raise ValueError(f"{setting}: there is no hyperparameter '{key}'{suggest(key, DOMAINS)}")
    if domain.kind is bool:
        good = isinstance(value, bool)
    elif domain.kind is str:
        good = value in _WORDS[key]
    else:
        good = _is_number(value, whole=domain.kind is int) and domain.accepts(value)  # type: ignore[arg-type]
    if not good:
        raise ValueError(f"{setting} is {value!r}; it must be {domain.allowed}")
    return domain.kind(value)


def _is_number(value: object, whole: bool) -> bool:
    # a bool is an int to Python but not to a person, and 32.0 is a whole number to both
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return not whole or value == int(value)


def check_values(key: str, values: Sequence[object], setting: str) -> tuple[Value, ...]:
    """The list of hyperparameter `key`: each value allowed, ascending, none twice."""
    checked = tuple(check_value(key, value, setting) for value in values)
    if not checked:
        raise ValueError(f"{setting} is empty; list at least one value, or 'none' to leave {key} untuned")
    ranks = [rank(value) for value in checked]
    if any(low >= high for low, high in pairwise(ranks)):
        raise ValueError(
            f"{setting} is {list(checked)}; list them in order, each once: {sorted(set(checked), key=rank)}"
        )
    return checked


def rank(value: Value) -> float:
    """Position of a value in its natural order; NaN (neither below nor above) for a word that is not known."""
    if isinstance(value, str):
        places = [words.index(value) for words in _WORDS.values() if value in words]
        return float(places[0]) if places else math.nan
    return float(value)


def step(values: Sequence[V], value: V, direction: int) -> V:
    """One step through `values` in `direction` (+1 or -1), held at both ends.

    A value that the list does not hold (the method was switched between runs) goes to the nearest listed value on
    that side, and stays when there is none.
    """
    if value in values:
        position = list(values).index(value) + direction
        return values[min(max(position, 0), len(values) - 1)]
    beyond = [listed for listed in values if (rank(listed) - rank(value)) * direction > 0]
    return min(beyond, key=lambda listed: abs(rank(listed) - rank(value)), default=value)


def neighbour(values: Sequence[V], value: V, rng: np.random.Generator) -> V:
    """The value above or below, each with probability 1/2: one draw, and the upper one when it is below 1/2.

    So a value inside the list always changes, and one at an end, or one of a list of two, with probability 1/2.
    """
    return step(values, value, 1 if rng.random() < 0.5 else -1)
