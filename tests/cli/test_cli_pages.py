"""Pages that tests run or tools write: the README, the tutorials, the gallery, the quickstart."""

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_tools import Run
from munet.report.figures import FIGURES
from repo import DOCS, REPO

pytest.importorskip("sklearn", reason="the digits come with scikit-learn: pip install 'munet-ml[quickstart]'")

_FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE = re.compile(r"cat > (\S+) <<'END'\n(.*?)^END$", re.MULTILINE | re.DOTALL)
_INSTALLS = ("git clone", "python3 -m venv", ". munet/.venv", ". .venv", "pip install", "make ")
_WAITS = ("munet serve", "munet watch", "curl ")  # tests/serving asks a server


def fenced(page: str) -> str:
    """The commands of a tutorial: its blocks of `sh`."""
    return "\n".join(_FENCED.findall((DOCS / "tutorials" / page).read_text(encoding="utf-8")))


def indented(page: str, heading: str) -> str:
    """The commands of a section of a page: its indented lines."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


@pytest.fixture
def play(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Runs commands in an empty folder; returns the lines that were run."""
    monkeypatch.chdir(tmp_path)

    def go(commands: str) -> list[str]:
        for name, content in _HERE.findall(commands):
            Path(name).write_text(content, encoding="utf-8")
        lines = [line for line in _HERE.sub("", commands).splitlines() if line.strip()]
        return [line for line in lines if not line.startswith((*_INSTALLS, *_WAITS)) and done(line)]

    def done(line: str) -> bool:
        words = shlex.split(line, comments=True)
        if words[0] == "munet":
            code, _, err = run(*words[1:])
            assert code == 0, f"{line}\n{err}"
        else:
            assert words[0] == "python", line
            subprocess.run([sys.executable, *words[1:]], check=True)
        return True

    return go


@pytest.fixture
def demo(tmp_path: Path) -> None:
    """What the demo of the README leaves: images, and the clone's own files."""
    from munet.quickstart.data import write_tasks

    write_tasks(tmp_path / "munet-quickstart" / "data")
    write_tasks(tmp_path / "data")
    (tmp_path / "docs").symlink_to(DOCS)


def test_the_readme_can_be_copied_from_top_to_bottom(play: Callable[[str], list[str]], demo: None):
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    assert "…" not in indented(readme, "Four minutes")
    commands = indented(readme, "Step by step").replace("--budget quick", "--method head-only")
    played = play(commands)
    assert len(played) > 15
    code = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[0]
    assert 'system.predict("digits", ["docs/seven.png"])' in code
    quick = code.replace('budget=munet.Budget.named("quick")', 'method="head-only"')
    exec(
        compile(
            quick + '\nassert "7" == system.predict("digits", ["docs/seven.png"]).top(1)[0][0][0]', "README", "exec"
        )
    )


def test_many_people_grow_one_system(play: Callable[[str], list[str]]):
    commands = fenced("together.md").replace("--samples-per-task 2000", "--samples-per-task 640")
    assert commands.count("--rounds 2") == 3
    played = play(commands.replace("--method rounds.toml", "--method head-only").replace("--rounds 2", "--rounds 1"))
    assert played[-2:] == ["munet plot alice people --write people.png", "munet report alice"]


def test_a_method_of_ones_own(play: Callable[[str], list[str]], demo: None):
    commands = fenced("method.md")
    for setting, value, less in (("generations", 3, 1), ("children", 4, 2), ("samples_per_cycle", 512, 64)):
        assert f"{setting} = {value}" in commands
        commands = commands.replace(f"{setting} = {value}", f"{setting} = {less}")
    assert "munet methods small.toml" in play(commands)


@pytest.mark.real_data
def test_photos_from_folders_to_answers(play: Callable[[str], list[str]], photos: Path, tmp_path: Path):
    for task, folder in (("flowers", "tf_flowers"), ("bees", "pollen_bees")):
        for split, count in (("train", 12), ("validation", 3), ("test", 3)):
            for kind in (photos / folder / split).iterdir():
                (tmp_path / task / split / kind.name).mkdir(parents=True)
                for image in sorted(kind.iterdir())[:count]:
                    (tmp_path / task / split / kind.name / image.name).symlink_to(image)
    commands = fenced("photos.md")
    root = "--root timm:vit_small_patch14_dinov2.lvd142m --depth 6 --image-size 98"
    assert root in commands
    played = play(commands.replace(root, "--root random:vit_tiny_patch16_224 --depth 2 --image-size 32"))
    assert "munet evolve photos --method head-only" in played


def test_every_picture_of_the_gallery_has_its_command():
    gallery = runpy.run_path(str(REPO / "tools" / "gallery.py"))
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    run, pictures = gallery["commands"](page)
    assert subprocess.run(["bash", "-n", "-c", run]).returncode == 0
    assert "munet evolve seed$seed" in run
    shown = set(re.findall(r"!\[.*?\]\((gallery/.*?)\)", page))
    assert (
        {target for _, target in pictures} == shown == {f"gallery/{path.name}" for path in (DOCS / "gallery").iterdir()}
    )
    figures = {command.split()[3] for command, _ in pictures if command.startswith("munet plot")}
    assert len(figures) > 10
    assert figures <= set(FIGURES)


def test_the_quickstart_page_says_what_a_run_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(REPO / "tools"))
    renewed = runpy.run_path(str(REPO / "tools" / "quickstart_page.py"))["renewed"]
    page = (DOCS / "quickstart.md").read_text(encoding="utf-8")
    measured = {
        "test_accuracy": {"a": 0.5, "b": 0.25},
        "mean_test_accuracy": 0.375,
        "parameters_per_task": 1234.5,
        "training_samples": {"a": 64, "b": 128},
    }
    result = {
        "tasks": [{"name": "a", "classes": 3}, {"name": "b", "classes": 4}],
        "later_task": "b",
        "methods": dict.fromkeys(("head_only", "fine_tuning", "tuned", "system"), measured),
        "proof": {
            "tasks": ["a"],
            "logits": 6,
            "images": 2,
            "unchanged": True,
            "sha256_before": "f",
            "sha256_after": "f",
        },
        "seconds": dict.fromkeys(("head_only", "fine_tuning", "tuned", "system"), 60.0),
        "total_seconds": 240.0,
        "sessions": 1,
        "threads": 1,
        "seed": 0,
    }
    new = renewed(page, result)
    assert "| b (added later) | 4 | 25.0 | 25.0 | 25.0 | 25.0 |" in new
    assert "| training images per task | | 64 to 128 |".replace("| |", "|  |") in new
    assert renewed(new, result) == new
    assert renewed(new, {**result, "seed": 1}) != new
    with pytest.raises(SystemExit, match="no place"):
        renewed("nothing", result)
