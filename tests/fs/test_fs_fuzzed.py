"""A little of the fuzzing of tests/torture, in this process: what every decoder makes of inputs near to valid ones."""

import random
from pathlib import Path

import pytest

import fuzzing


@pytest.mark.parametrize("name", fuzzing.NAMES)
def test_any_input_is_a_value_or_one_of_our_errors(name: str, tmp_path: Path):
    result = fuzzing.feed(name, 150, random.Random(name), tmp_path)
    assert result["faults"] == {}
    assert result["taken"] > 0
