"""munet predict on files, folders and standard input, in all its forms."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli_tools import Run
from growing import evolve
from munet import System
from munet.inference import stream


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Path:
    system = System.create(
        tmp_path_factory.mktemp("predict") / "fleet", "random:vit_tiny_patch16_224", depth=1, image_size=32
    )
    system.add_task("shapes", f"npz:{tiny_npz}")
    evolve(system, method="multi-head", task_iterations=1, cycles=1, samples_per_cycle=32, batch_size=32, threads=1)
    return system.path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three images, one of them deeper, a text, a hidden image and one that is damaged, last by name."""
    place = tmp_path / "photos"
    (place / "deep").mkdir(parents=True)
    for seed, name in enumerate(("b.png", "deep/c.png", "a.png", ".hidden.png")):
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (20, 30, 3), np.uint8)).save(place / name)
    (place / "notes.txt").write_text("no image")
    (place / "z.png").write_bytes((place / "a.png").read_bytes()[:200])
    return place


def test_a_folder_stands_for_its_images_in_the_order_of_their_names(grown: Path, photos: Path, run: Run) -> None:
    code, out, err = run("predict", grown, "shapes", photos, "--json", "--skip-bad", "--device", "cpu")
    rows = json.loads(out)["images"]
    assert code == 0
    assert [Path(row["file"]).name for row in rows] == ["a.png", "b.png", "c.png", "z.png"]
    assert "z.png" in rows[-1]["error"]
    assert err.count("note: skipped") == 1


def test_what_a_library_warns_of_is_not_among_the_answers(
    grown: Path, photos: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)  # Pillow warns of 600, and refuses 800
    code, out, err = run("predict", grown, "shapes", photos / "a.png", "--csv", "--device", "cpu")
    assert (code, len(out.splitlines()), err) == (0, 2, "")


def test_lines_and_csv_say_what_json_says(grown: Path, photos: Path, run: Run) -> None:
    asked = ("predict", grown, "shapes", photos / "a.png", photos / "deep", "--top", "2", "--device", "cpu")
    whole = json.loads(run(*asked, "--json")[1])["images"]
    lines = [json.loads(line) for line in run(*asked, "--jsonl")[1].splitlines()]
    assert lines == whole
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--csv")[1])))
    flat = [
        (row["file"], str(rank), one["class"], str(one["probability"]))
        for row in whole
        for rank, one in enumerate(row["top"], 1)
    ]
    assert [tuple(row.values()) for row in rows] == flat
    assert list(rows[0]) == ["file", "rank", "class", "probability"]


def test_paths_come_from_standard_input(grown: Path, photos: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{photos / 'b.png'}\n\n{photos / 'a.png'}\n"))
    _, out, _ = run("predict", grown, "shapes", "-", "--jsonl", "--device", "cpu")
    assert [json.loads(line)["file"] for line in out.splitlines()] == [str(photos / "b.png"), str(photos / "a.png")]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, _, err = run("predict", grown, "shapes", "-")
    assert (code, "standard input holds no path" in err) == (2, True)
    code, _, err = run("predict", grown, "shapes", "-", photos / "a.png")
    assert (code, "give it alone" in err) == (2, True)


def test_what_cannot_be_read_is_named_with_a_way_out(grown: Path, photos: Path, tmp_path: Path, run: Run) -> None:
    code, out, err = run("predict", grown, "shapes", photos, "--device", "cpu")
    assert (code, out) == (2, "")
    assert "z.png" in err
    assert "--skip-bad" in err
    (tmp_path / "empty").mkdir()
    assert "no image file is in this folder" in run("predict", grown, "shapes", tmp_path / "empty")[2]
    code, _, err = run("predict", grown, "shapes", photos / "z.png", "--skip-bad")
    assert (code, "none of the files can be read" in err) == (2, True)
    assert "give one" in run("predict", grown, "shapes", photos, "--jsonl", "--csv")[2]


def test_files_are_read_batch_by_batch(grown: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a batch is asked for before its answers are out: memory stays flat over any number."""
    asked = 0

    def paths() -> Iterator[Path]:
        nonlocal asked
        for _ in range(40):
            asked += 1
            yield photos / "a.png"

    system = System.open(grown)
    answers = stream.answers(system.models, [system.resolve("shapes")], paths(), device="cpu", batch_size=8)
    seen = [asked for _ in answers]
    assert seen == [8 * (1 + index // 8) for index in range(40)]


def test_several_tasks_answer_at_once_what_each_answers_alone(
    grown: Path, photos: Path, run: Run, tmp_path: Path
) -> None:
    """Also tasks of another form: images of one size, where the other's are of several."""
    system = System.open(grown)
    if "noise" not in system.tasks:
        rng = np.random.default_rng(0)
        for number, name in enumerate(("dark", "light")):
            (tmp_path / "noise" / name).mkdir(parents=True)
            for row in range(30):
                pixels = rng.integers(120 * number, 120 * number + 100, (10 + row % 3, 12, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / "noise" / name / f"{row}.png")
        system.add_task("noise", f"folder:{tmp_path / 'noise'}")
        evolve(system, ["noise"], method="head-only", threads=1)
    files = [photos / "a.png", photos / "b.png"]
    alone = {
        task: json.loads(run("predict", grown, task, *files, "--json", "--device", "cpu")[1])["images"]
        for task in ("shapes", "noise")
    }
    asked = ("predict", grown, "shapes,noise", *files, photos / "z.png", "--device", "cpu", "--skip-bad")
    code, out, _ = run(*asked, "--json")
    found = json.loads(out)
    assert code == 0
    assert {word: one["task"] for word, one in found["models"].items()} == {"shapes": "shapes", "noise": "noise"}
    for task, rows in alone.items():
        assert [row["answers"][task] for row in found["images"][:2]] == [row["top"] for row in rows]
    assert "z.png" in found["images"][2]["error"]
    assert [json.loads(line) for line in run(*asked, "--jsonl")[1].splitlines()] == found["images"]
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--csv")[1])))
    assert [(Path(row["file"]).name, row["task"]) for row in rows] == [
        (name, task) for name in ("a.png", "b.png") for task in ("shapes", "noise")
    ]
    table = run(*asked)[1]
    assert "task" in table.splitlines()[0]
    assert "noise" in table
    assert run("predict", grown, "shapes,none", *files)[0] == 2


def test_layers_that_tasks_share_compute_once(grown: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from munet.inference.predict import FixedRows

    system = System.open(grown)
    if "again" not in system.tasks:
        system.add_task("again", system.task("shapes")["source"])
        evolve(system, ["again"], method="multi-head", task_iterations=1, cycles=1, samples_per_cycle=32, threads=1)
    calls: list[object] = []
    plain = FixedRows.__call__
    monkeypatch.setattr(FixedRows, "__call__", lambda self, step, x: calls.append(step) or plain(self, step, x))
    list(system.predict_files("shapes", [photos / "a.png"], device="cpu"))
    alone = len(calls)
    (answer,) = system.predict_files(["shapes", "again"], [photos / "a.png"], device="cpu")
    assert len(answer.tops) == 2
    assert len(calls) - alone < 2 * alone, "at least the embedding is shared"


@pytest.mark.parametrize(("bits", "divided"), [(10, 4), (12, 16), (14, 64), (16, None)])
def test_files_of_few_bits_in_many_are_told_to_be_dark(
    grown: Path, tmp_path: Path, run: Run, bits: int, divided: int | None
) -> None:
    values = np.random.default_rng(0).integers(0, 1 << bits, (2, 20, 20)).astype(np.uint16)
    values[:, 0, 0] = (1 << bits) - 1
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for file, image in zip(files, values, strict=True):
        Image.fromarray(image).save(file)
    code, _, err = run("predict", grown, "shapes", *files, "--csv", "--device", "cpu")
    assert code == 0
    told = [line for line in err.splitlines() if "dark" in line]
    if divided is None:
        assert told == []
        return
    (note,) = told
    assert note.startswith("note: ")
    assert str(files[0]) in note
    assert f"{bits} bits in 16" in note
    assert f"divided by {divided})" in note
    with pytest.warns(UserWarning, match="images are dark"):
        System.open(grown).predict("shapes", files, device="cpu")
    with pytest.warns(UserWarning, match="such as image 0"):
        System.open(grown).predict("shapes", [Image.open(files[0])], device="cpu")


def test_dark_images_of_8_bits_are_what_they_are(grown: Path, tmp_path: Path, run: Run) -> None:
    Image.fromarray(np.full((20, 20), 9, np.uint8)).save(tmp_path / "night.png")
    code, _, err = run("predict", grown, "shapes", tmp_path / "night.png", "--csv", "--device", "cpu")
    assert (code, err) == (0, "")
