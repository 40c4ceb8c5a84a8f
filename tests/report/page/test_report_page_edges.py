"""Systems with next to nothing in them, and damaged ones: there is a page, and it says what is missing."""

import json
from pathlib import Path
from typing import Any

import pytest

import munet
import published_tools
from analysis_tools import big_system
from munet.analysis import model_history
from munet.importing import import_published
from munet.report.page import build_page, payload


def page_of(system: munet.System) -> dict[str, Any]:
    """The payload of a system anew; that a page can be made of it is checked on the way."""
    made = payload(munet.System.open(system.path).history())
    json.dumps(made, allow_nan=False)
    assert "<section" in build_page(made)
    return made


@pytest.fixture
def bare(tmp_path: Path) -> munet.System:
    return big_system(tmp_path / "bare", tasks=0, children=0, blocks=2)


def test_a_system_without_tasks(bare: munet.System):
    made = page_of(bare)
    assert made["tasks"] == made["order"] == made["learning"] == made["progress"] == []
    assert made["children"]["task"] == []
    assert made["totals"]["mean_test_accuracy"] is None
    assert len(made["paths"]) == 1, "the root's"
    assert made["notes"] == []


def test_a_task_that_was_never_evolved(bare: munet.System, tiny_npz: Path):
    bare.add_task("بعد", f"npz:{tiny_npz}")
    made = page_of(bare)
    assert [task["name"] for task in made["tasks"]] == ["بعد"]
    assert made["tasks"][0]["model"] is None
    assert made["retained"] == [-1]
    assert made["lineages"] == [[]]


def test_one_task(tmp_path: Path):
    made = page_of(big_system(tmp_path / "one", tasks=1, children=9, blocks=2))
    assert made["order"] == [0]
    assert made["flow"][0][0] >= 0
    assert made["totals"]["evolved_tasks"] == 1


def test_no_child_was_accepted(bare: munet.System, eight: munet.System, tiny_npz: Path):
    bare.add_task("shapes", f"npz:{tiny_npz}")
    child = next(child for child in model_history.children(eight.store) if not child["accepted"])
    facts = {"accepted": False, "model": None, "score": None, "accuracy": None, "reason": "non-finite loss in cycle 0"}
    record = child | facts | {"parent": bare.root, "parent_task": None, "accuracies": []}
    run = bare.store.new_run({"format": 1, "request": {"tasks": ["shapes"]}, "started": "2026-01-01T00:00:00+00:00"})
    place = {"task": "shapes", "iteration": 0, "generation": 0}
    bare.store.write_run(run, "shapes-0000-0000.json", {"format": 1, **place, "children": [record]})
    made = page_of(bare)
    assert made["children"]["state"] == [0]
    assert made["words"]["reasons"] == ["non-finite loss"]
    assert made["moments"]["step"] == []
    assert made["totals"]["accepted"] == 0


def test_a_layer_is_missing(copied: munet.System):
    name = copied.tasks[0]
    layer = copied.show(name)["layers"][-1]["layer"]
    (copied.path / "layers" / layer[:2] / f"{layer[2:]}.safetensors").unlink()
    made = page_of(copied)
    assert any(name in note and "missing" in note for note in made["notes"])
    assert made["retained"][0] >= 0, "the manifest still tells which layers it was made of"
    assert not made["lineages"][0][0]["alive"]


def test_the_manifest_of_a_model_is_damaged(copied: munet.System):
    name = copied.tasks[3]
    model = copied.show(name)["model"]
    (copied.path / "models" / model[:2] / f"{model[2:]}.json").write_text("{")
    made = page_of(copied)
    assert any(name in note for note in made["notes"])
    assert made["tasks"][3]["validation_accuracy"] is None
    assert len(made["tasks"]) == 8


def test_a_task_record_is_damaged(copied: munet.System):
    file = sorted((copied.path / "tasks").glob("*.json"))[2]
    file.write_text(file.read_text().replace("classes", "glasses"))
    made = page_of(copied)
    assert len(made["tasks"]) == 7
    assert any(file.name in note for note in made["notes"])
    assert -2 in made["layers"]["by"] or -2 in made["children"]["task"], "of a task that is not there"


def test_a_run_record_is_damaged(copied: munet.System):
    file = sorted((copied.path / "runs").glob("*/*-0000-0000.json"))[0]
    file.write_text("nonsense")
    made = page_of(copied)
    assert any(file.name in note for note in made["notes"])
    assert 0 < len(made["children"]["task"]) < 256


def test_the_root_is_damaged(copied: munet.System):
    root = copied.root
    (copied.path / "models" / root[:2] / f"{root[2:]}.json").write_text("{")
    made = page_of(copied)
    assert made["root"]["source"] == "cannot be read"
    assert made["notes"]


@pytest.mark.parametrize("form", ["munet", "mu2net", "mu3net"])
def test_a_published_system(form: str, tmp_path: Path):
    write = getattr(published_tools, f"write_{form}")
    write(published_tools.small_system(), tmp_path / "published")
    import_published(tmp_path / "published", tmp_path / "fleet")
    system = munet.System.open(tmp_path / "fleet")
    made = page_of(system)
    assert [row["score"] for row in made["tasks"]] == [row["score"] for row in system.status()["tasks"]]
    assert all(path > 0 for path in made["retained"])
    assert any("not known any more" in note for note in made["notes"])
    assert made["runs"][0]["imported"]


def test_marks_that_turn_text_around_are_made_visible(made: dict[str, Any], eight: munet.System):
    assert payload(eight.history(), "a\u202eb\nc")["title"] == "a\u25a1b\u25a1c"
