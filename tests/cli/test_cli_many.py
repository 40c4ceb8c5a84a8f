"""Many tasks added with one command: by folders, by a list; what fails, and how the same command goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import munet
from cli_tools import Run
from munet.tasks import load
from munet.tasks.many import is_same, tasks_of


def images(folder: Path, seed: int, counts: dict[str, int]) -> None:
    rng = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(folder / name / f"{number}.png")


@pytest.fixture
def fleet(tmp_path: Path, tiny_npz: Path) -> Path:
    """An empty system beside `data`: two class folders, one `npz`, one table, one that cannot be read."""
    munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(tmp_path / "data" / "cats & dogs", 1, {"cat": 20, "dog": 20})
    images(tmp_path / "data" / "fruit", 2, {"fig": 20, "plum": 20})
    images(tmp_path / "data" / "signs" / "images", 3, {"": 40})
    rows = "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(40))
    (tmp_path / "data" / "signs" / "labels.csv").write_text("file,label\n" + rows)
    shutil.copytree(tiny_npz, tmp_path / "data" / "shapes")
    images(tmp_path / "data" / "torn", 4, {"one": 20, "two": 20})
    (tmp_path / "data" / "torn" / "one" / "5.png").write_bytes(b"")
    return tmp_path / "fleet"


def test_each_sub_folder_is_a_task_and_the_same_command_goes_on(fleet: Path, run: Run) -> None:
    data = fleet.parent / "data"
    code, out, err = run("add", fleet, "--all", data)
    assert code == 2
    assert "torn was not added" in err
    assert "5.png: the file is empty" in err
    assert "1 of 5 tasks could not be added (torn)" in err
    assert "4 tasks added" in out
    assert "signs: images from column 'file', labels from column 'label'" in err
    assert "classes:" not in err
    system = munet.System.open(fleet)
    schemes = {name: system.task(name)["source"].partition(":")[0] for name in system.tasks}
    assert schemes == {"cats_dogs": "folder", "fruit": "folder", "shapes": "npz", "signs": "csv"}
    before = [system.task(name) for name in system.tasks]
    code, out, err = run("add", fleet, "--all", data, "--json")
    found = json.loads(out)
    assert (code, found["added"], len(found["present"])) == (2, [], 4)
    assert [(one["task"], one["kind"]) for one in found["failed"]] == [("torn", "input")]
    assert [system.task(name) for name in system.tasks] == before
    code, out, _ = run("add", fleet, "--all", data, "--skip-bad")
    assert (code, "1 task added, 4 already there" in out) == (0, True)
    assert system.task("torn")["skipped"] == 1


def test_a_list_names_tasks_with_their_options(fleet: Path, run: Run) -> None:
    listed = fleet.parent / "tasks.toml"
    listed.write_text(
        '[fruits]\nsource = "folder:data/fruit"\nvalidation = "train[:25%]"\nprivate = true\n'
        '[numbers]\nsource = "npz:data/shapes"\n'
    )
    code, out, _ = run("add", fleet, "--list", listed)
    assert (code, "2 tasks added" in out) == (0, True)
    record = munet.System.open(fleet).task("fruits")
    assert record["private"]
    assert record["splits"]["validation"]["examples"] == 10
    assert record["source"].startswith(f"folder:{fleet.parent / 'data' / 'fruit'}")
    assert "2 already there" in run("add", fleet, "--list", listed)[1]
    listed.write_text('[fruits]\nsource = "folder:data/torn"\n')
    code, _, err = run("add", fleet, "--list", listed)
    assert (code, "there is a task 'fruits' of other images" in err) == (2, True)


@pytest.mark.parametrize(
    ("source", "means"),
    [
        ("folder:pets", "folder:{}/pets"),
        ("wds:shards", "wds:{}/shards"),
        ("idx:/mnt/mnist", "idx:/mnt/mnist"),
        ("npz:s3://lab/x.npz", "npz:s3://lab/x.npz"),
        ("hf:org/pets", "hf:org/pets"),
    ],
)
def test_paths_of_a_list_are_seen_from_it(tmp_path: Path, source: str, means: str) -> None:
    (tmp_path / "tasks.toml").write_text(f'[pets]\nsource = "{source}"\n')
    (wanted,) = tasks_of(tmp_path / "tasks.toml")
    assert wanted.source == means.format(tmp_path)
    assert is_same(wanted.source, f"{wanted.source}?order=stratified")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no task is in it"),
        ("[a", "not a TOML file"),
        ('source = "x"', "'source' stands outside a task"),
        ("[a]\nprivate = true", "[a] has no source"),
        ('[a]\nsorce = "folder:x"', "did you mean 'source'?"),
        ("[a]\nsource = 3", "a text in quotes"),
        ('[a]\nsource = "folder:x"\nprivate = 1', "true or false"),
        ('[a]\nsource = "folder:x"\nrare = "maybe"', "write keep or drop"),
    ],
)
def test_what_is_wrong_with_a_list(fleet: Path, run: Run, text: str, words: str) -> None:
    listed = fleet.parent / "tasks.toml"
    listed.write_text(text)
    code, _, err = run("add", fleet, "--list", listed)
    assert code == 2
    assert words in err
    assert str(listed) in err
    assert munet.System.open(fleet).tasks == []


def test_what_cannot_be_said_together(fleet: Path, run: Run) -> None:
    data = fleet.parent / "data"
    for words in (("x", "folder:y", "--all", data), ("--all", data, "--list", data), ("--all", data / "torn" / "one")):
        assert run("add", fleet, *words)[0] == 2
    assert run("add", fleet, "--all", data / "none")[0] == 2
    assert run("add", fleet, "--list", data / "none.toml")[0] == 2
    assert run("add", fleet, "--catalog", "mccb-local", "--all", data)[0] == 2
    assert "--rare sometimes" in run("add", fleet, "x", f"folder:{data}", "--rare", "sometimes")[2]
    assert munet.System.open(fleet).tasks == []


def test_classes_of_very_few_images(fleet: Path, run: Run) -> None:
    folder = fleet.parent / "few"
    images(folder, 9, {"ant": 30, "bee": 30, "cicada": 1, "dragonfly": 2})
    code, _, err = run("add", fleet, "insects", f"folder:{folder}")
    assert (code, "class 'cicada' has one usable image only" in err, "--rare keep" in err) == (2, True, True)
    code, out, _ = run("add", fleet, "kept", f"folder:{folder}", "--rare", "keep")
    assert code == 0
    assert "train has 1 (cicada)" in out
    system = munet.System.open(fleet)
    assert len(system.task("kept")["classes"]) == 4
    code, out, _ = run("add", fleet, "dropped", f"folder:{folder}", "--rare", "drop")
    assert (code, "left out 2 classes with fewer than 3 images: cicada (1), dragonfly (2)" in out) == (0, True)
    record = system.task("dropped")
    assert (record["classes"], "least=3" in record["source"]) == (["ant", "bee"], True)
    assert sum(split["examples"] for split in record["splits"].values()) == 60
    assert load(record, "train").labels.max() == 1
    images(fleet.parent / "single", 5, {"a": 5, "b": 2})
    assert "a task needs two" in run("add", fleet, "x", f"folder:{fleet.parent / 'single'}", "--rare", "drop")[2]
    assert "as a whole number" in run("add", fleet, "x", f"folder:{folder}?least=some")[2]
