"""munet serve: what cannot be served is said in one line, before anything is made."""

from pathlib import Path

import pytest

from cli_tools import Run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--remote", "nowhere", "--every", "0s"], "--every 0s: give at least a second"),
        (["--remote", "nowhere", "--every", "soon"], "--every soon: write it as 90s"),
        (["--remote", "nowhere"], "nowhere holds no munet system yet"),
        (["--remote", "ftp://x"], "ftp://x: an address begins with"),
        ([], "is no munet system"),
    ],
)
def test_what_cannot_be_followed(run: Run, tmp_path: Path, words: list[str], said: str):
    code, out, err = run("serve", tmp_path / "here", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "here").exists()
