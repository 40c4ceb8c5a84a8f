"""Numbers, ids and mutations as text."""

import json

import numpy as np
import pytest

from munet.cli.text import formatting as f


def test_accuracies_are_percent():
    assert (f.percent(0.83456), f.percent(0.83456, 1), f.percent(None), f.percent(float("nan"))) == (
        "83.46",
        "83.5",
        "-",
        "-",
    )
    assert (f.points(0.8, 0.8412), f.points(0.9, 0.8), f.points(None, 0.8)) == ("+4.12", "-10.00", "-")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0"), (999, "999"), (1525006, "1.53M"), (999_600, "1000k"), (4.485e9, "4.49G"), (592.4, "592")],
)
def test_compact_numbers(value: float | None, text: str):
    assert f.compact(value) == text


def test_whole_numbers_and_plurals():
    assert (f.number(1525006.4), f.number(None)) == ("1,525,006", "-")
    assert (f.bytes_text(1), f.bytes_text(2_400), f.bytes_text(3_100_000)) == ("1 byte", "2.4 kB", "3.1 MB")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (75, "1:15"), (3675, "1:01:15"), (None, "-"), (float("inf"), "-")]
)
def test_durations(seconds: float | None, text: str):
    assert f.duration(seconds) == text


def test_ids_are_short():
    assert (f.short("0123456789abcdef"), f.short(None)) == ("0123456789", "-")


def test_mutations_read_as_one_line():
    mutations = [
        {"kind": "clone", "slot": "block.0"},
        {"kind": "clone", "slot": "block.1"},
        {"kind": "clone", "slot": "norm"},
        {"kind": "set", "name": "learning_rate", "old": 0.01, "new": 0.02},
        {"kind": "set", "name": "flip", "old": False, "new": True},
        {"kind": "insert_adapter", "slot": "adapter.1"},
        {"kind": "remove_block", "slot": "block.2"},
    ]
    text = "clone block.0-1 norm, learning_rate 0.01→0.02, flip false→true, +adapter.1, -block.2"
    assert f.mutations_text(mutations) == text
    assert f.mutations_text([]) == "trained further"


def test_a_kind_of_mutation_that_is_not_known_is_shown_all_the_same():
    assert f.mutations_text([{"kind": "swap", "slot": "head"}]) == "swap head"


def test_only_neighbours_of_one_kind_are_joined():
    assert f.slots_text(["block.0", "block.2", "block.3", "adapter.4", "head"]) == "block.0 block.2-3 adapter.4 head"


def test_sparkline_spans_low_to_high():
    assert f.sparkline([0.0, 0.5, 1.0], 0.0, 1.0) == "▁▅█"
    assert f.sparkline([0.5, 0.5], 0.5, 0.5) == "██"
    assert len(f.sparkline([0.1] * 40, 0.0, 1.0, width=6)) == 6
    assert f.sparkline([float("nan")], 0.0, 1.0) == "!"


def test_json_is_valid_whatever_comes():
    value = {"a": float("nan"), "b": (1, np.float32(0.5)), "c": {"x"}, "d": "বাংলা", "e": True, "f": np.int64(3)}
    assert json.loads(f.json_text(value)) == {"a": None, "b": [1, 0.5], "c": ["x"], "d": "বাংলা", "e": True, "f": 3}
    assert "\n" not in f.json_text(value, indent=None)
