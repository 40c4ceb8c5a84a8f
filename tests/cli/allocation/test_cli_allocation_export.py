"""munet allocation export: what it says, what a system of it answers, what cannot be is one line."""

import json
from pathlib import Path

import numpy as np
import pytest

from cli_tools import Run
from run_tools import digits_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of mnist4, `run`, and its images, `data`."""
    folder = tmp_path_factory.mktemp("export")
    digits_run(folder, rounds=4)
    return folder


def test_a_system_of_a_run_answers_every_command(run: Run, place: Path, tmp_path: Path) -> None:
    system = tmp_path / "fleet"
    code, out, err = run("allocation", "export", place / "run", system, "--data", place / "data")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"{system}: 4 tasks of round ")
    assert "parameters are shared" in lines[1]
    assert lines[2].startswith("mean accuracy: validation ")
    assert lines[-2:] == [
        "2 tasks without images: they predict, but cannot be evaluated.",
        f"Next: munet attach {system} mnist-rot SOURCE",
    ]
    for words in (("status",), ("show", "mnist"), ("show", "root"), ("log", "mnist"), ("diff", "mnist", "mnist-rot")):
        code, out, err = run(words[0], system, *words[1:])
        assert (code, err) == (0, ""), words
    assert "trained jointly, round" in run("log", system, "mnist")[1]
    assert " layers, 28 px, " in run("show", system, "mnist")[1]
    assert run("fsck", system)[0] == run("gc", system)[0] == 0

    printed = json.loads(run("evaluate", system, "--task", "mnist", "--json")[1])
    shown = json.loads(run("status", system, "--json")[1])
    assert printed["mnist"]["accuracy"] == pytest.approx(shown["tasks"][0]["test_accuracy"])
    picture = tmp_path / "digit.png"
    from PIL import Image

    Image.fromarray(np.full((28, 28, 3), 200, np.uint8)).save(picture)
    assert run("predict", system, "mnist-rot", picture, "--top", "2")[0] == 0


def test_json_says_what_was_exported(run: Run, place: Path, tmp_path: Path) -> None:
    code, out, _ = run("allocation", "export", place / "run", tmp_path / "fleet", "--checkpoint", "last", "--json")
    printed = json.loads(out)
    assert code == 0
    assert (printed["round"], printed["tasks"], len(printed["without_data"])) == (4, 4, 4)
    assert printed.keys() >= {"system", "root", "layers", "unique_parameters", "unused_components", "notes"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["allocation", "export", "RUN", "SYSTEM"], "SYSTEM is already a munet system: choose another path"),
        (["allocation", "export", "nothing", "other"], "nothing: no run of munet allocation there"),
        (["allocation", "export", "RUN", "other", "--checkpoint", "3"], "--checkpoint 3: give best, last or a round"),
        (["allocation", "export", "RUN", "other", "--data", "nowhere"], "--data nowhere: there is no such folder"),
        (["add", "SYSTEM", "more", "npz:DATA/mnist"], "it takes no new tasks"),
        (["evolve", "SYSTEM"], "does not evolve"),
        (["export", "SYSTEM", "mnist", "mnist.safetensors"], "has no timm form"),
        (["evaluate", "SYSTEM"], "was imported without images: `munet attach"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line(
    words: list[str], line: str, run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    if not (place / "system").exists():
        assert run("allocation", "export", "run", "system")[0] == 0
    names = {"RUN": "run", "SYSTEM": str(place / "system"), "DATA": str(place / "data")}
    for word, name in names.items():
        words, line = [each.replace(word, name) for each in words], line.replace(word, name)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert not (place / "other").exists()
