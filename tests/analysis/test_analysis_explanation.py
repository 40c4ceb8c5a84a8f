"""`munet explain`: what decided, in plain words and in numbers that agree with the records."""

from pathlib import Path

import pytest

import munet
from golden_ids import images
from growing import evolve
from munet.analysis.explanation import explain, sentences
from munet.errors import InputError


def test_it_says_what_was_known_what_was_trained_and_what_it_gained(together: munet.System) -> None:
    found = explain(together.store, "four")
    record = together.manifest("four")
    assert found["validation_accuracy"] == record["metrics"].get("validation_accuracy")
    assert found["evidence"]["classes"] == 4
    assert found["head_only_accuracy"] is not None
    text = " ".join(sentences(found))
    assert "60 training images of 4 classes" in text
    assert "A closed-form head on the root's features is wrong on" in text
    if found["together"]:
        assert "a trunk that was trained on this task and 1 other together" in text
        assert "192 training samples" in text or "training samples" in text


def test_methods_that_draw_say_so(together: munet.System, tmp_path: Path) -> None:
    made = munet.System.create(tmp_path / "drawn", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(tmp_path / "data", 3)
    made.add_task("bars", f"npz:{tmp_path / 'data'}")
    evolve(made, generations=1, children=1, cycles=1, task_iterations=1, samples_per_cycle=32, batch_size=16)
    assert sentences(explain(made.store, "bars"))[0].startswith("Its parent, its layers and its settings were drawn")


def test_a_task_without_a_model_is_one_line(together: munet.System) -> None:
    with pytest.raises(InputError, match="task 'waiting' has no model yet"):
        explain(together.store, "waiting")


def test_an_imported_model_does_not_tell_what_was_trained() -> None:
    found = {"evidence": None, "trained": None, "head_only_accuracy": None, "steps": [], "rejected": 0}
    assert "What was trained is not known: the model was imported." in sentences(found)
