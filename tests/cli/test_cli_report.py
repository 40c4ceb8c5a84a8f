"""munet report: one file is written, and one line says what it holds."""

from pathlib import Path

import pytest

from analysis_tools import big_system
from cli_tools import Run


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return big_system(tmp_path_factory.mktemp("report") / "fleet", tasks=2, children=24, blocks=2).path


def test_a_report_is_written(run: Run, grown: Path, tmp_path: Path):
    target = tmp_path / "fleet.html"
    code, out, err = run("report", grown, "--out", target, "--title", "A & <B>", "--no-images")
    assert (code, err) == (0, "")
    assert out.startswith(f"{target}: 2 tasks, 24 sampled children, ")
    text = target.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "<title>A &amp; &lt;B&gt;</title>" in text
    assert run("report", grown, "--out", target)[0] == 0, "it may be written again"
    assert "<title>fleet</title>" in target.read_text("utf-8")


def test_the_file_stands_here_unless_named(run: Run, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("report", grown)
    assert code == 0
    assert out.startswith("report.html: ")
    assert (tmp_path / "report.html").is_file()


def test_images_that_cannot_be_opened_are_told(run: Run, grown: Path, tmp_path: Path):
    code, _, err = run("report", grown, "--out", tmp_path / "fleet.html")
    assert code == 0
    assert "task 'task-000' was not added on this machine" in err
    assert "for the task came from elsewhere" in (tmp_path / "fleet.html").read_text("utf-8")
    code, _, err = run("report", grown, "--out", tmp_path / "fleet.html", "--trust-sources")
    assert code == 0
    assert "npz:/data/task-000" in err, "it is not there"


def test_what_is_missing_is_said(run: Run, grown: Path, tmp_path: Path):
    import shutil

    shutil.copytree(grown, tmp_path / "hurt")
    next((tmp_path / "hurt" / "runs").glob("*/*-0000-0000.json")).write_text("?")
    code, out, err = run("report", tmp_path / "hurt", "--out", tmp_path / "hurt.html")
    assert code == 0
    assert out.startswith(f"{tmp_path / 'hurt.html'}: 2 tasks")
    assert err.startswith("note: ")
    assert "-0000-0000.json" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "report.pdf"), "report.pdf: a report ends in .html, for instance report.html"),
        (("--out", "nowhere/report.html"), "cannot write nowhere/report.html"),
    ],
)
def test_bad_names(run: Run, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words, said: str):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("report", grown, *words)
    assert code == 2
    assert out == ""
    assert err.startswith(f"munet: error: {said}")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_system_there(run: Run, tmp_path: Path):
    code, _, err = run("report", tmp_path / "none", "--out", tmp_path / "x.html")
    assert code == 2
    assert "none" in err
