"""`munet plot` and `munet animate`, through the command line."""

from pathlib import Path

import pytest
from cli_tools import munet

import munet.cli as cli
from analysis_tools import big_system
from munet.report.figures import FIGURES

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


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_without_a_name_the_figures_are_listed(fleet: Path, capsys) -> None:
    code, out, _ = run(capsys, "plot", fleet)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(FIGURES)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("timelin",), "did you mean 'timeline'"),
        (("timeline", "--write", "x.jpg"), "x.jpg"),
        (("timeline", "--column", "score"), "--column goes with schedule, histogram, not with timeline"),
        (("timeline",), "timeline needs"),
        (("timeline", "--with", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(words: tuple[str, ...], said: str, fleet: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(fleet.parent)
    code, _, err = run(capsys, "plot", fleet, *words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not list(fleet.parent.glob("*.png"))


def test_a_system_without_children_has_no_growth(fleet: Path, tmp_path: Path, capsys) -> None:
    code, _, err = run(capsys, "animate", fleet, "--out", tmp_path / "a.gif")
    assert (code, err.count("\n"), list(tmp_path.iterdir())) == (2, 1, [])
    code, _, err = run(capsys, "animate", fleet, "--out", tmp_path / "a.avi")
    assert (code, err.count("\n")) == (2, 1)
    assert "a.avi" in err


def test_figures_and_a_film_of_a_system(grown: Path, tmp_path: Path, capsys) -> None:
    for name, suffix in (("timeline", ".png"), ("network", ".svg"), ("sharing", ".pdf")):
        file = tmp_path / f"{name}{suffix}"
        code, _, err = run(capsys, "plot", grown, name, "--write", file)
        assert (code, err) == (0, f"note: wrote {file}\n")
        assert file.read_bytes().startswith(MAGIC[suffix])
    code, out, _ = run(capsys, "animate", grown, "--out", tmp_path / "growth.gif", "--width", "320")
    assert code == 0
    assert "sampled children" in out
    assert (tmp_path / "growth.gif").read_bytes().startswith(MAGIC[".gif"])
