"""The same seeds give the same layers and models as ever: no refactoring may move a bit or a stored key."""

import json

import pytest

from golden_ids import FILE, RUNS, machine, measured


@pytest.mark.parametrize("name", RUNS)
def test_the_same_seeds_give_the_same_ids(name: str) -> None:
    known = json.loads(FILE.read_text())
    ids, shape = measured(name)
    assert shape == known["shapes"][name]
    if machine() not in known["ids"]:
        pytest.skip(f"ids are recorded for {', '.join(known['ids'])}; this is {machine()}")
    assert ids == known["ids"][machine()][name]
