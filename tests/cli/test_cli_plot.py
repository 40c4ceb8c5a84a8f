"""`munet plot` and `munet animate`, through the command line."""

import shutil
from pathlib import Path

import pytest

from analysis_tools import big_system
from cli_tools import Run, munet
from experiment_tools import result, write
from munet.report.figures import FIGURES
from munet.report.figures.tables import TABLES

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".gif": b"GIF89a"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system without tasks."""
    folder = tmp_path_factory.mktemp("plot")
    words = ("init", "fleet", "--root", "random:vit_tiny_patch16_224", "--depth", "1", "--image-size", "32")
    assert munet(*words, cwd=folder).returncode == 0
    return folder / "fleet"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks with 24 children, written without training."""
    return big_system(tmp_path_factory.mktemp("plot") / "grown", tasks=2, children=24, blocks=2).path


def test_without_a_name_the_figures_are_listed(fleet: Path, run: Run) -> None:
    code, out, _ = run("plot", fleet)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [*FIGURES, *TABLES]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("timelin",), "did you mean 'timeline'"),
        (("timeline", "--write", "x.jpg"), "x.jpg"),
        (("timeline", "--column", "score"), "--column goes with schedule, histogram, not with timeline"),
        (("timeline",), "timeline needs"),
        (("flow", "--with", "nowhere"), "nowhere"),
        (("timeline", "--with", "nowhere"), "timeline shows one system; several go with growth"),
        (("timeline", "--write", "no/x.png"), "--write no/x.png: there is no folder no"),
        (("models", "--write", "x.png"), "--write x.png: the name should end in .md, .csv, .tex"),
        (("models",), "models needs tasks"),
        (("network", "--step", "0"), "network needs sampled children"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    words: tuple[str, ...], said: str, fleet: Path, run: Run, monkeypatch
) -> None:
    monkeypatch.chdir(fleet.parent)
    code, _, err = run("plot", fleet, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not list(fleet.parent.glob("*.png"))


def test_a_system_without_children_has_no_growth(fleet: Path, tmp_path: Path, run: Run) -> None:
    code, _, err = run("animate", fleet, "--out", tmp_path / "a.gif")
    assert (code, err.count("\n"), list(tmp_path.iterdir())) == (2, 1, [])
    code, _, err = run("animate", fleet, "--out", tmp_path / "a.avi")
    assert (code, err.count("\n")) == (2, 1)
    assert "a.avi" in err


def test_figures_and_a_film_of_a_system(grown: Path, tmp_path: Path, run: Run) -> None:
    for name, suffix in (("timeline", ".png"), ("network", ".svg"), ("sharing", ".pdf")):
        file = tmp_path / f"{name}{suffix}"
        code, _, err = run("plot", grown, name, "--write", file)
        assert (code, err) == (0, f"note: wrote {file}\n")
        assert file.read_bytes().startswith(MAGIC[suffix])
    code, out, _ = run("animate", grown, "--out", tmp_path / "growth.gif", "--width", "320")
    assert code == 0
    assert "sampled models" in out
    assert (tmp_path / "growth.gif").read_bytes().startswith(MAGIC[".gif"])


def test_a_table_is_shown_and_written(grown: Path, tmp_path: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    files = [tmp_path / f"board{suffix}" for suffix in (".md", ".csv", ".tex")]
    code, out, err = run("plot", grown, "leaderboard", *(word for file in files for word in ("--write", file)))
    assert code == 0
    assert "task-000" in out
    assert err.count("note: wrote") == 3
    assert all("task-000" in file.read_text() for file in files)
    assert r"\toprule" in files[2].read_text()
    code, out, _ = run("plot", grown, "ancestry", "--task", "task-001")
    assert "Layers of task-001" in out


def test_the_default_file_is_named_after_the_figure_and_several_may_be_written(
    grown: Path, tmp_path: Path, run: Run, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("plot", grown, "histogram", "--column", "learning_rate", "--task", "task-000")[0] == 0
    assert run("plot", grown, "sharing", "--write", "a.svg", "--write", "b.svg")[0] == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.svg", "b.svg", "histogram.png"]
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_film_of_every_so_many_children(grown: Path, tmp_path: Path, run: Run, monkeypatch) -> None:
    target = tmp_path / "growth.gif"
    code, out, _ = run("animate", grown, "--out", target, "--width", 200, "--every", 12)
    assert (code, out) == (0, f"{target}: 4 frames of 24 sampled models\n")  # steps 0, 12, 23, and the end
    code, _, err = run("animate", grown, "--out", tmp_path / "no" / "growth.gif")
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no folder" in err


def test_learning_curves_of_an_experiment(tmp_path: Path, run: Run) -> None:
    for method, seed in (("munet", 0), ("munet", 1), ("finetune-full", 0)):
        folder = write(tmp_path, result(method, seed, {"task-000": 0.5, "task-001": 0.6}))
        (folder / "system").rmdir()
        big_system(folder / "system", tasks=2, children=16, blocks=1, seed=seed)
    target = tmp_path / "curves.svg"
    words = ("experiment", "plot", "toy", "--out", tmp_path, "--kind", "learning", "--write", target)
    code, _, err = run(*words)
    assert (code, err) == (0, f"note: wrote {target}\n")
    whole = target.read_bytes()
    assert run(*words, "--without", "task-001")[0] == 0
    assert len(target.read_bytes()) < len(whole)
    for system in tmp_path.glob("toy/*/*/*/system"):
        shutil.rmtree(system)
    code, _, err = run(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert "--kind learning reads the systems of runs" in err
