"""Any method at a given number of samples, with or without augmentation at the start."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.errors import InputError
from munet.search import load_method, preset_names, starting_preprocessing, with_samples_per_task
from munet.training.recipe import Recipe


@pytest.mark.parametrize("name", preset_names())
def test_without_augmentation_nothing_is_random_at_the_start(name: str):
    plain = load_method(name, starting_preprocessing("none"))
    defaults = plain.defaults
    assert (defaults["crop_area_min"], defaults["crop_aspect_min"], defaults["flip"]) == (1.0, 1.0, False)
    assert not any(defaults[key] for key in ("brightness", "contrast", "saturation", "hue"))
    assert plain.space == load_method(name).space  # what is tuned may still be switched on
    assert load_method(name, starting_preprocessing("published")) == load_method(name)


def test_another_word_is_refused():
    with pytest.raises(InputError, match="choose published or none"):
        starting_preprocessing("no")


@given(st.sampled_from(preset_names()), st.integers(1, 3), st.integers(1, 3), st.integers(32, 999))
def test_every_method_gets_exactly_the_samples(name: str, generations: int, children: int, each: int):
    shape = {"generations": generations, "children": children, "cycles": 2, "task_iterations": 2, "batch_size": 32}
    method = load_method(name, shape)
    samples = 4 * generations * children * each
    chosen = with_samples_per_task(method, samples)
    assert chosen.child_cycles * chosen.samples_per_cycle == samples
    assert chosen.child_cycles == method.child_cycles
    assert not chosen.at_most_epoch  # small tasks get as many


@pytest.mark.parametrize(("samples", "said"), [(20_479, "less than a batch of 512"), (640 * 512 + 1, "do not divide")])
def test_samples_that_cannot_be(samples: int, said: str):
    with pytest.raises(InputError, match=said):
        with_samples_per_task(load_method("munet"), samples)


def test_samples_that_cannot_be_are_told_which_could():
    method = load_method("munet", {"generations": 2, "children": 3, "cycles": 5, "task_iterations": 1, "batch_size": 8})
    shape = "30 cycles (1 task iterations x 2 generations x 3 children x 5 cycles) of munet"
    with pytest.raises(InputError) as caught:
        with_samples_per_task(method, 239)
    assert str(caught.value) == (
        f"239 samples a task over {shape} leave 7 for a cycle, less than a batch of 8: "
        "give at least 240, or fewer cycles"
    )
    with pytest.raises(InputError) as caught:
        with_samples_per_task(method, 250)
    assert str(caught.value) == f"250 samples a task do not divide into {shape}: give 240 or 270"
    assert [with_samples_per_task(method, samples).samples_per_cycle for samples in (240, 270)] == [8, 9]


def test_a_cycle_longer_than_an_epoch():
    common = {"learning_rate": 0.1, "preprocessing": None, "cycles": 1, "samples_per_cycle": 100, "batch_size": 32}
    assert Recipe(**common).samples(70) == 70  # type: ignore[arg-type]
    longer = Recipe(**common, at_most_epoch=False)  # type: ignore[arg-type]
    assert (longer.samples(70), longer.steps(70)) == (100, 4)
