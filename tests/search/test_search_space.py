"""The neighbour rule and what a hyperparameter may be."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from munet.search.space import DOMAINS, PREPROCESSING_KEYS, check_value, check_values, neighbour, step

DRAWS = 4000
TOLERANCE = 4 * (0.25 / DRAWS) ** 0.5  # four standard deviations of a share near 1/2


def shares(values, value, seed=0):
    rng = np.random.default_rng(seed)
    counts = Counter(neighbour(values, value, rng) for _ in range(DRAWS))
    return {drawn: count / DRAWS for drawn, count in counts.items()}


def test_value_inside_the_list_always_moves_one_step_either_way():
    drawn = shares((0.01, 0.02, 0.05, 0.1), 0.02)
    assert set(drawn) == {0.01, 0.05}
    assert drawn[0.05] == pytest.approx(0.5, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("values", "value", "other"),
    [
        ((0.01, 0.02, 0.05), 0.01, 0.02),
        ((0.01, 0.02, 0.05), 0.05, 0.02),
        ((False, True), False, True),
        ((False, True), True, False),
        ((224, 384), 384, 224),
        (("constant", "cosine", "restarts"), "restarts", "cosine"),
    ],
)
def test_value_at_an_end_changes_with_probability_one_half(values, value, other):
    drawn = shares(values, value, seed=1)
    assert set(drawn) == {value, other}
    assert drawn[other] == pytest.approx(0.5, abs=TOLERANCE)


def test_a_single_value_stays():
    assert shares((0.9,), 0.9) == {0.9: 1.0}


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(0.3, 0.5, 0.2), (0.05, 0.1, 0.05), (0.7, 0.7, 0.5)],
)
def test_unlisted_value_goes_to_the_nearest_listed_one_on_that_side(value, up, down):
    values = (0.1, 0.2, 0.5)
    assert (step(values, value, 1), step(values, value, -1)) == (up, down)


def test_unlisted_schedule_uses_the_order_of_the_schedules():
    values = ("constant", "cosine")
    assert step(values, "restarts", -1) == "cosine"
    assert step(values, "restarts", 1) == "restarts"


def test_unknown_word_is_kept():
    assert {step(("constant", "cosine"), "linear", direction) for direction in (1, -1)} == {"linear"}


def test_the_draw_below_one_half_is_the_step_up():
    class Scripted:
        def __init__(self, draw):
            self.draw = draw

        def random(self):
            return self.draw

    low: Any = Scripted(0.49)
    middle: Any = Scripted(0.5)
    assert neighbour((1, 2, 3), 2, low) == 3
    assert neighbour((1, 2, 3), 2, middle) == 1


def test_values_take_the_type_of_their_key():
    assert repr(check_value("momentum", 0, "x")) == "0.0"
    assert repr(check_value("image_size", 32.0, "x")) == "32"
    assert check_value("nesterov", True, "x") is True


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", True),
        ("schedule", "linear"),
        ("warmup_ratio", 1.0),
        ("momentum", None),
        ("momentum", 1.0),
        ("nesterov", 1),
        ("crop_area_min", 0.0),
        ("hue", 0.6),
        ("jpeg_quality", 1.0),
        ("image_size", 32.5),
        ("adapter_dim", 0),
    ],
)
def test_wrong_value_is_told_with_its_setting_and_what_is_allowed(key, value):
    with pytest.raises(ValueError, match=rf"^defaults\.{key} is .*; it must be ") as caught:
        check_value(key, value, f"defaults.{key}")
    assert DOMAINS[key].allowed in str(caught.value)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("learning_rate", (1e-9, 5), (0, -1)),
        *((key, (0, 0.999), (-0.001, 1)) for key in ("warmup_ratio", "momentum", "jpeg_quality")),
        *((key, (0, 7), (-0.001,)) for key in ("weight_decay", "margin")),
        *((key, (0.001, 1), (0, 1.001)) for key in ("layer_decay", "crop_area_min", "crop_aspect_min")),
        *((key, (0, 1), (-0.001, 1.001)) for key in ("brightness", "contrast", "saturation")),
        ("hue", (0, 0.5), (-0.001, 0.501)),
        *((key, (1, 384), (0, -1)) for key in ("image_size", "adapter_dim")),
    ],
)
def test_the_ends_of_each_range(key, good, bad):
    assert tuple(check_value(key, value, "x") for value in good) == good
    for value in bad:
        with pytest.raises(ValueError, match="it must be"):
            check_value(key, value, "x")


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("brightness", "a number from 0 (off) to 1"),
        ("learning_rate", "a number above 0"),
        ("hue", "a number from 0 (off) to 0.5"),
        ("crop_area_min", "a number above 0, up to 1 (off)"),
        ("image_size", "a whole number of pixels above 0"),
        ("schedule", "one of constant, cosine, restarts"),
        ("nesterov", "true or false"),
    ],
)
def test_what_is_allowed_is_said_in_words(key, allowed):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        check_value(key, None, "defaults.it")
    assert str(caught.value) == f"defaults.it is None; it must be {allowed}"


def test_an_unknown_hyperparameter_is_told_its_neighbour():
    with pytest.raises(
        ValueError, match=r"^space\.x: there is no hyperparameter 'momentun' \(did you mean 'momentum'\?\)$"
    ):
        check_value("momentun", 1, "space.x")


def test_lists_are_ascending_without_repeats():
    assert check_values("momentum", [0.5, 0.9], "space.momentum") == (0.5, 0.9)
    with pytest.raises(ValueError, match=r"space\.momentum .* \[0\.5, 0\.9\]$"):
        check_values("momentum", [0.9, 0.5, 0.9], "space.momentum")
    with pytest.raises(ValueError, match="empty"):
        check_values("momentum", [], "space.momentum")


def test_every_preprocessing_key_is_a_hyperparameter():
    assert set(DOMAINS) > PREPROCESSING_KEYS
    assert len(PREPROCESSING_KEYS) == 11, "the ten of the papers, and ours of drawings"
