"""Learning rates, step by step."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.errors import InputError
from munet.training import learning_rate_at


def rates(steps: int, **changes) -> list[float]:
    settings = {
        "schedule": "cosine",
        "learning_rate": 0.02,
        "warmup_ratio": 0.2,
        "warmup_start": 0.01,
        "steps_per_cycle": 5,
        "cycles": 2,
    }
    return [learning_rate_at(step, **(settings | changes)) for step in range(steps)]


def test_constant_is_half_the_rate_without_warm_up():
    assert rates(10, schedule="constant", warmup_ratio=0.4) == [0.01] * 10


def test_cosine_warms_up_over_the_whole_child_and_falls_to_zero():
    # w = int(0.2 * 10) = 2 steps from lr/100, then half a cosine over 8
    expected = [0.0002, 0.0002 + 0.0198 / 2, 0.02]
    expected += [0.01 * (1 + math.cos(math.pi * k / 8)) for k in range(1, 8)]
    assert rates(10) == pytest.approx(expected, rel=1e-15)
    assert rates(11)[-1] == pytest.approx(0, abs=1e-18)


def test_warm_up_of_a_thousandth():
    assert rates(1, warmup_start=0.001) == pytest.approx([0.00002], rel=1e-15)


def test_restarts_repeat_the_shape_of_one_cycle():
    # w = int(0.2 * 5) = 1 step at lr/100, then half a cosine over 4
    shape = [0.0002, 0.02, 0.01 * (1 + math.cos(math.pi / 4)), 0.01, 0.01 * (1 + math.cos(3 * math.pi / 4))]
    assert rates(10, schedule="restarts") == pytest.approx(shape * 2, rel=1e-15)


@pytest.mark.parametrize("schedule", ["cosine", "restarts"])
def test_without_warm_up_steps_the_first_rate_is_the_peak(schedule):
    assert rates(1, schedule=schedule, warmup_ratio=0.0) == [0.02]
    assert rates(1, schedule=schedule, warmup_ratio=0.09) == [0.02]  # int(0.9) = 0 steps


def test_unknown_schedule_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'cosine'"):
        rates(1, schedule="cosin")


@given(
    schedule=st.sampled_from(["constant", "cosine", "restarts"]),
    ratio=st.sampled_from([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4]),
    steps=st.integers(1, 40),
    cycles=st.integers(1, 6),
)
def test_rates_lie_between_zero_and_the_peak(schedule, ratio, steps, cycles):
    found = rates(steps * cycles, schedule=schedule, warmup_ratio=ratio, steps_per_cycle=steps, cycles=cycles)
    assert all(0 <= rate <= 0.02 for rate in found)
    if schedule == "cosine":
        peak = int(ratio * (steps * cycles))
        assert found[peak] == max(found) == 0.02
        assert found[peak:] == sorted(found[peak:], reverse=True)
