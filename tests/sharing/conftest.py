"""Commands in this process."""

from pathlib import Path

import pytest

import munet.cli as cli
from cli_tools import Run


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
