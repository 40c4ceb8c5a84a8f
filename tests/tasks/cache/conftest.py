"""A folder of decoded splits of a test's own, and what is done with sources meanwhile."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from munet.tasks import reopen as recorded
from munet.tasks.cache import decode as making
from munet.tasks.reopen import RecordedSplit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of decoded splits, empty; every split goes there, and files need no time to settle."""
    monkeypatch.setenv("MUNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(making, "SMALL", 0)
    monkeypatch.setattr(recorded, "_SETTLED", 0)
    return tmp_path / "cache" / "decoded"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done with sources: "decode", "hash" for all examples, "files" for their files as they are."""
    seen: list[str] = []

    def count(name: str, what: str) -> None:
        real: Callable[..., Any] = getattr(RecordedSplit, name)

        def counted(*args: Any) -> Any:
            seen.append(what)
            return real(*args)

        monkeypatch.setattr(RecordedSplit, name, counted)

    count("read", "decode")
    count("fingerprint", "hash")
    count("files_hash", "files")
    return seen


@pytest.fixture
def npz(tiny_npz: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(tiny_npz, tmp_path / "npz"))
