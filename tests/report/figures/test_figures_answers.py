"""Figures of what a model answers show the numbers that were measured."""

# pyright: reportAttributeAccessIssue=false

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from munet.analysis import History
from munet.errors import InputError
from munet.fs import opened
from munet.report.figures import Options, draw


def test_confusion_has_the_shares_of_each_row(grown: History, answered: dict[str, Any]):
    axes = draw("confusion", grown, Options(task="task-001")).axes[0]
    part = answered["test"]
    values = np.asarray(axes.get_images()[0].get_array())
    assert values.sum(axis=1) == pytest.approx(100 * np.ones(5))
    images, right, _ = part["by_class"]
    assert values.diagonal() == pytest.approx([100 * right[k] / images[k] for k in part["order"]])
    label, answer, count = part["cells"][0]
    assert values[part["order"].index(label), part["order"].index(answer)] == pytest.approx(100 * count / images[label])


def test_classes_are_bars_the_lowest_first(grown: History, answered: dict[str, Any]):
    bars = [bar.get_width() for bar in draw("classes", grown).axes[0].patches]
    images, right, _ = answered["test"]["by_class"]
    assert bars == pytest.approx(sorted(100 * r / n for r, n in zip(right, images, strict=True)))


def test_reliability_has_a_dot_for_each_bin(grown: History, answered: dict[str, Any]):
    dots = np.asarray(draw("reliability", grown).axes[0].collections[-1].get_offsets())
    assert dots == pytest.approx(100 * np.array([bin[1:] for bin in answered["test"]["reliability"]]))


def test_answers_need_images_that_are_here(grown: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MUNET_STATE", str(tmp_path))  # where another test may have trusted what this one asks for
    monkeypatch.setattr(opened, "_here", set())
    with pytest.raises(
        InputError, match="confusion needs the images of task 'task-000'; task 'task-000' was not added"
    ):
        draw("confusion", grown, Options(task="task-000"))
