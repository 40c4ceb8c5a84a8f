"""Each task beside its head alone, fine-tuning and other systems: the numbers of the children that were sampled."""

# pandas carries no types of its own:
# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import pytest

import munet
from growing import evolve
from munet.analysis import history
from munet.analysis.alternatives import HEAD, RETAINED, TUNED, alternatives


def test_head_alone_and_what_is_retained(together: munet.System):
    made = together.history()
    found = dict(zip(made.tasks["task"], alternatives(made.one()), strict=True))
    assert found["waiting"] == []
    for task in ("three", "four"):
        mine = made.children[made.children["task"] == task]
        ways = {way["way"]: way for way in found[task]}
        head = mine[mine["samples"] == 0].iloc[0]
        assert ways[HEAD]["validation_accuracy"] == head["accuracy"]
        assert ways[HEAD]["trained"] == head["trainable_parameters"] < 10_000
        last = mine[mine["model"] == together.task(task)["model"]].iloc[0]
        assert ways[RETAINED]["validation_accuracy"] == last["accuracy"]
        test = together.task(task)["test"]
        assert test is not None
        assert ways[RETAINED]["test_accuracy"] == test["accuracy"]
        spent = mine[["train_seconds", "validation_seconds", "other_seconds"]].sum().sum()
        assert ways[RETAINED]["seconds"] == pytest.approx(spent)
        assert ways[RETAINED]["seconds"] > ways[HEAD]["seconds"] > 0


def test_another_system_stands_beside_it_where_it_has_the_same_images(together: munet.System, tmp_path: Path):
    other = munet.System.create(tmp_path / "tuned", root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    other.add_task("three", together.task("three")["source"])
    other.add_task("four", together.task("three")["source"])  # the name of one, the images of another
    evolve(other, method="finetune-full", cycles=1, children=1, samples_per_cycle=32, threads=1, executor="local")
    made = history(together, other)
    three, four, _ = alternatives(made.one(made.systems[0]), [made.one(made.systems[1])])
    assert [way["way"] for way in three][-1] == "finetune-full"
    assert "finetune-full" not in [way["way"] for way in four]
    (tuned,) = (way for way in three if way["way"] == "finetune-full")
    itself = {way["way"]: way for way in alternatives(other.history().one())[0]}
    assert itself[TUNED]["trained"] == tuned["trained"] == sum(other.manifest("three")["sizes"].values())
