"""Power cuts at every moment of every kind of commit, each with many mixtures of what was not flushed."""

from pathlib import Path

import pytest

from munet.fs.folders import Folder
from power_cuts import cut_everywhere
from torture_tools import SHARES, Tally

MIXTURES = 50  # of what was not flushed, at each of about 50 moments


@SHARES
@pytest.mark.timeout(0)
def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path, share: float):
    cuts, wrong = cut_everywhere(tmp_path, max(3, int(MIXTURES * share)))
    tally = Tally("power cuts of every commit", cuts, wrong).told()
    assert cuts > 300
    assert tally.failures == []


@pytest.mark.slow
def test_a_store_that_does_not_flush_would_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Folder, "flush", lambda self: None)
    _, wrong = cut_everywhere(tmp_path, mixtures=0)
    assert wrong != []
