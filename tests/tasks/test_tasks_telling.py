"""What a person is told of a new task."""

from pathlib import Path

import numpy as np
import pytest

from munet.tasks import telling
from munet.tasks.sources import open_source


@pytest.mark.parametrize(("train", "offered"), [([0, 0, 1], False), ([0, 0, 1, 1], True)])
def test_a_cut_class_by_class_is_offered_where_it_would_help(tmp_path: Path, train: list[int], offered: bool) -> None:
    np.savez(tmp_path / "set.npz", image=np.zeros((6, 4, 4), np.uint8), label=np.array(["a", "b", "c"] * 2))
    source = open_source(f"npz:{tmp_path / 'set.npz'}")
    labels = {"train": np.array(train), "validation": np.array([0]), "test": np.array([0, 1])}
    lacking = next(sentence for sentence in telling.told(source, {}, labels) if sentence.startswith("validation"))
    assert "no image of 2 classes" in lacking
    assert ("?order=stratified" in lacking) == offered
