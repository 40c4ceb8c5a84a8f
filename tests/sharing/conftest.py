"""Two systems of one root, and commands in this process."""

from pathlib import Path

import pytest

import munet.cli as cli
from cli_tools import Run
from munet.store import Store
from sharing_tools import fleet


@pytest.fixture
def mine(tmp_path: Path) -> Store:
    return fleet(tmp_path / "mine", "flowers")


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    return fleet(tmp_path / "theirs", "flowers")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `munet` with these words: (exit code, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "120")

    def go(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return go
