"""`munet task`: one task of a system is looked at, pointed to moved images, renamed, removed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import munet
import munet.cli as cli
from cli_tools import Run
from munet.analysis import model_history
from munet.tasks.sources import open_source

BUDGET = (
    "--task-iterations 1 --generations 1 --children 2 --cycles 1 --samples-per-cycle 32 --batch-size 32 --threads 1"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path, tiny_folder: Path) -> Path:
    """A folder with the system `fleet`: `shapes` and `again` evolved, `fresh` of a folder `images` beside it not."""
    folder = tmp_path_factory.mktemp("task")
    shutil.copytree(tiny_folder, folder / "images")

    def go(*words: str | Path) -> None:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        assert not ended.value.code

    go("init", folder / "fleet", "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    for name in ("shapes", "again"):
        go("add", folder / "fleet", name, f"npz:{tiny_npz}")
    go("evolve", folder / "fleet", *BUDGET.split(), "--set", "validation_cap=30")
    go("add", folder / "fleet", "fresh", f"folder:{folder / 'images'}?order=shuffled")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_show(folder: Path, run: Run) -> None:
    code, out, _ = run("task", "show", folder / "fleet", "shapes")
    assert code == 0
    for word in (
        "shapes: 3 classes",
        "images: npz:/",
        "train 90 (train), validation 30 (validation), test 30 (test)",
        "classes: 0, 1, 2",
        ", test accuracy",
    ):
        assert word in out, out
    assert "no model yet" in run("task", "show", folder / "fleet", "fresh")[1]
    assert json.loads(run("task", "show", folder / "fleet", "fresh", "--json")[1])["name"] == "fresh"
    assert run("task", "show", folder / "fleet", "frish")[0] == 2


def test_move_to_the_same_images_elsewhere(folder: Path, made: Path, run: Run) -> None:
    shutil.copytree(folder / "images", folder / "there")
    before = munet.System.open(folder / "fleet").task("fresh")
    code, out, _ = run("task", "move", folder / "fleet", "fresh", folder / "there")
    assert (code, f"folder:{folder / 'there'}?order=shuffled" in out) == (0, True)
    after = munet.System.open(folder / "fleet").task("fresh")
    assert after == {**before, "source": f"folder:{folder / 'there'}?order=shuffled"}


def test_move_refuses_other_images(folder: Path, run: Run) -> None:
    shutil.copytree(folder / "images", folder / "there")
    first, *_, last = sorted((folder / "there").rglob("*.png"))
    first.write_bytes(last.read_bytes())
    code, _, err = run("task", "move", folder / "fleet", "fresh", f"folder:{folder / 'there'}")
    assert code == 2
    assert "these are not the images of task 'fresh'" in err
    assert run("task", "move", folder / "fleet", "fresh", folder / "none")[0] == 2
    first.unlink()
    assert run("task", "move", folder / "fleet", "fresh", folder / "there")[0] == 2
    assert str(folder / "there") not in munet.System.open(folder / "fleet").task("fresh")["source"]


def test_move_to_another_scheme(folder: Path, run: Run) -> None:
    fresh = munet.System.open(folder / "fleet").task("fresh")
    source = open_source(fresh["source"])
    names = [source.name("train", index) for index in range(source.counts()["train"])]
    rows = [f"{name},{Path(name).parent.name}" for name in names]
    for table, lines in (("same.csv", rows), ("other.csv", rows[::-1])):
        (folder / table).write_text("\n".join(["file,label", *lines]))
    code, _, err = run("task", "move", folder / "fleet", "fresh", f"csv:{folder / 'other.csv'}?order=stored")
    assert (code, err.count("\n")) == (2, 1)
    assert "the task reads folder:, and csv: may order the same images otherwise, so say folder:PATH, find those" in err
    assert run("task", "move", folder / "fleet", "fresh", f"csv:{folder / 'same.csv'}?order=stored")[0] == 0
    moved = munet.System.open(folder / "fleet").task("fresh")
    assert moved["source"].startswith(f"csv:{folder / 'same.csv'}?order=stored")
    assert {**moved, "source": fresh["source"]} == fresh


def test_a_task_whose_images_are_gone_says_how_to_move_it(folder: Path, run: Run) -> None:
    run("task", "move", folder / "fleet", "fresh", shutil.copytree(folder / "images", folder / "there"))
    (folder / "there").rename(folder / "elsewhere")
    code, _, err = run("evolve", folder / "fleet", "fresh", *BUDGET.split())
    assert code == 2
    assert "munet task move SYSTEM fresh SOURCE" in err
    assert run("task", "move", folder / "fleet", "fresh", folder / "elsewhere")[0] == 0


def test_rename_before_there_is_a_model(folder: Path, run: Run) -> None:
    assert run("task", "rename", folder / "fleet", "fresh", "new")[0] == 0
    system = munet.System.open(folder / "fleet")
    assert set(system.tasks) == {"shapes", "again", "new"}
    assert run("task", "rename", folder / "fleet", "new", "shapes")[0] == 2
    assert run("task", "rename", folder / "fleet", "new", "a/b")[0] == 2
    assert set(system.tasks) == {"shapes", "again", "new"}


def test_a_task_that_was_evolved_keeps_its_models_under_another_name_and_goes_on(folder: Path, run: Run) -> None:
    fleet = folder / "fleet"
    run("remote", "add", fleet, "origin", folder / "hub")
    run("push", fleet)
    before = munet.System.open(fleet)
    model, answers = before.task("shapes")["model"], before.evaluate(["shapes"])["shapes"]["accuracy"]
    assert run("task", "rename", fleet, "shapes", "forms")[0] == 0
    system = munet.System.open(fleet)
    assert set(system.tasks) == {"forms", "again", "fresh"}
    assert (system.task("forms")["model"], system.evaluate(["forms"])["forms"]["accuracy"]) == (model, answers)
    assert {child["task"] for child in model_history.children(system.store)} == {"forms", "again"}
    assert {end["task"] for end in model_history.iterations(system.store)} == {"forms", "again"}
    assert run("add", fleet, "shapes", f"folder:{folder / 'images'}?order=shuffled")[0] == 0, (
        "the name is free for another task"
    )
    assert run("evolve", fleet, "forms", "shapes", *BUDGET.split())[0] == 0
    for task in ("forms", "shapes"):
        assert {entry["task"] for entry in system.log(task)} == {task, None}
    history = system.history()
    assert set(history.children["task"]) == {"forms", "again", "shapes"}
    assert system.fsck().ok
    code, out, _ = run("push", fleet, "forms")
    assert (code, "forms as shapes" in out) == (0, True), "there it is called as it was"
    assert set(munet.System.open(folder / "hub").tasks) == {"shapes", "again", "fresh"}


def test_remove_keeps_what_others_need(folder: Path, run: Run) -> None:
    system = munet.System.open(folder / "fleet")
    kept = system.task("again")["model"]
    assert kept is not None
    code, _, err = run("task", "remove", folder / "fleet", "shapes")
    assert (code, "say --yes" in err) == (2, True)
    assert run("task", "remove", folder / "fleet", "shapes", "--yes")[0] == 0
    assert run("task", "remove", folder / "fleet", "fresh")[0] == 0
    assert run("gc", folder / "fleet")[0] == 0
    assert system.fsck().ok
    assert system.tasks == ["again"]
    for words in (("status",), ("log", "again"), ("show", "again"), ("report", "--out", folder / "page.html")):
        code, _, err = run(words[0], folder / "fleet", *words[1:])
        assert code == 0, (words, err)
    assert run("evolve", folder / "fleet", "again", *BUDGET.split(), "--set", "validation_cap=30")[0] == 0
    assert run("task", "remove", folder / "fleet", "shapes")[0] == 2


def test_remove_waits_for_an_unfinished_run(folder: Path, run: Run) -> None:
    run_folder = max((folder / "fleet" / "runs").iterdir())
    finished = next(path for path in run_folder.rglob("*") if path.name.startswith("finished"))
    finished.unlink()
    code, _, err = run("task", "remove", folder / "fleet", "fresh")
    assert code == 2
    assert "is not finished" in err
    assert f"`munet evolve {folder / 'fleet'} --abandon {run_folder.name}` leaves it behind" in err


def grow(folder: Path, count: int, name: str = "disc") -> None:
    """More images of a class, of which there may be none yet."""
    (folder / "images" / name).mkdir(exist_ok=True)
    for number in range(count):
        pixels = np.random.default_rng([len(name), number]).integers(0, 255, (24, 24), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name / f"more-{number}.png")


def test_update_takes_new_images_and_new_classes(folder: Path, run: Run) -> None:
    assert run("evolve", folder / "fleet", "fresh", *BUDGET.split(), "--set", "validation_cap=30")[0] == 0
    run("task", "move", folder / "fleet", "fresh", folder / "images")
    grow(folder, 20)
    code, out, _ = run("update", folder / "fleet", "fresh")
    assert code == 0
    for text in ("20 new images: 18 in train, 2 in validation", "it is of older data (135 training images,"):
        assert text in out, out
    assert "older data" in run("status", folder / "fleet")[1]
    assert "it is of older data" in run("task", "show", folder / "fleet", "fresh")[1]
    grow(folder, 10, "circle")
    code, _, err = run("update", folder / "fleet", "fresh")
    assert (code, "1 class that task 'fresh' does not have (circle): say --extend" in err) == (2, True)
    code, out, _ = run("update", folder / "fleet", "fresh", "--extend", "--json")
    assert (code, json.loads(out)["classes"][-1]) == (0, "circle")
    image = next((folder / "images" / "circle").iterdir())
    code, _, err = run("predict", folder / "fleet", "fresh", image)
    assert (code, "the model knows 3 of the 4 classes" in err) == (0, True)
    assert run("update", folder / "fleet", "none")[0] == 2


def test_allow_changed_says_what_is_new(folder: Path, run: Run) -> None:
    run("task", "move", folder / "fleet", "fresh", folder / "images")
    grow(folder, 20)
    words = ("evolve", folder / "fleet", "fresh", *BUDGET.split(), "--set", "validation_cap=30")
    assert run(*words)[0] == 2
    code, out, err = run(*words, "--allow-changed")
    assert code == 0
    assert "fresh: 20 images new, " in out + err
    assert "of the others in another split than before; `munet update" in out + err


def test_update_waits_for_an_unfinished_run_of_its_task(folder: Path, run: Run) -> None:
    next(path for path in (folder / "fleet" / "runs").rglob("finished*")).unlink()
    code, _, err = run("update", folder / "fleet", "shapes")
    assert (code, "is not finished" in err) == (2, True)
    assert run("update", folder / "fleet", "fresh")[0] == 0  # it was of other tasks
