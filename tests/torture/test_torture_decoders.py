"""Every decoder of outside bytes on inputs near to valid ones: one of our errors, in 10 seconds and 300 MB."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fuzzing
from repo import SOURCES
from torture_tools import SHARES, Tally

CASES = 180_000  # of each decoder: two million


def fuzzed(name: str, cases: int, *words: str) -> dict[str, Any]:
    """What came of it in a process of its own, which has little memory."""
    command = [sys.executable, "-W", "ignore", fuzzing.__file__, name, str(cases), *words]
    path = os.pathsep.join([str(SOURCES), str(Path(fuzzing.__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)


@SHARES
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", fuzzing.NAMES)
def test_any_input_is_a_value_or_one_of_our_errors(name: str, share: float):
    result = fuzzed(name, int(CASES * share))
    tally = Tally(f"fuzzed inputs: {name}", result["cases"], [*map(str, result["faults"].items())]).told()
    assert tally.failures == []
    assert 0 < result["taken"] <= result["cases"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["record", "generation"])
def test_a_reader_that_trusts_the_types_would_fail(name: str):
    assert fuzzed(name, 500, "naive")["faults"]


@pytest.mark.slow
def test_a_reader_of_arrays_that_believes_their_shapes_would_fail():
    assert any("Memory" in fault for fault in fuzzed("npz", 1500, "naive")["faults"])
