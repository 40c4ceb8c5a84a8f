"""Power cuts: every prefix of what was written is replayed with whatever was not flushed lost in part."""

import os
from pathlib import Path

import pytest

import munet.fs.atomic
from munet.fs.folders import Folder as OpenFolder
from munet.fs.tree import Tree
from munet.store import Store
from munet.store.fsck import fsck
from power_cuts import cut_everywhere


def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path):
    cuts, wrong = cut_everywhere(tmp_path)
    assert wrong == []
    assert cuts > 300
    assert fsck(Store.open(tmp_path / "s")).ok


@pytest.mark.parametrize("forgotten", ["file", "folder", "folder above"])
def test_this_test_catches_a_missing_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: str):
    if forgotten == "file":
        real = munet.fs.atomic._write_temporary

        def careless(folder: OpenFolder, data: bytes) -> str:
            fsync, os.fsync = os.fsync, lambda descriptor: None
            try:
                return real(folder, data)
            finally:
                os.fsync = fsync

        monkeypatch.setattr(munet.fs.atomic, "_write_temporary", careless)
    elif forgotten == "folder":
        monkeypatch.setattr(OpenFolder, "flush", lambda self: None)
    else:
        monkeypatch.setattr(Tree, "make_folder", lambda self, path, *, new=False: path.mkdir(exist_ok=not new))
    _, wrong = cut_everywhere(tmp_path, mixtures=0)
    assert wrong != []
