"""No pickle that others wrote is run: the places that unpickle are known, and each reader is given one that tries."""

import io
import pickle
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import munet
from munet.allocation.data.archives import read_arrays
from munet.allocation.data.pickled import read_pickled
from munet.allocation.runs.folder import RunFolder
from munet.errors import MunetError
from munet.importing import import_published
from munet.roots import load_root
from munet.store import Store
from munet.store.fsck import fsck
from repo import DOCS, SOURCES
from store_tools import files_of, grown_store

RUNS_CODE = re.compile(
    r"(?<![\w.])(?:pickle|cPickle|dill|cloudpickle|marshal|shelve|joblib)\.(?:loads?|Unpickler|open)\b"
    r"|torch\.load\(|allow_pickle=True|(?<![\w.])(?:eval|exec)\(|yaml\.load\("
)
KNOWN = {
    "evolution/executors/worker.py": "pickle.loads",
    "evolution/executors/failures.py": "pickle.loads",
    "allocation/data/pickled.py": "pickle.Unpickler",
    "allocation/runs/sealed.py": "torch.load(",  # with weights_only
    "roots/files.py": "torch.load(",  # in the line that a person may run to convert a file
}


def test_the_places_that_unpickle_are_known():
    package = SOURCES / "munet"
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    found = {str(path.relative_to(package)): RUNS_CODE.findall(text) for path, text in texts.items()}
    assert {file: calls for file, calls in found.items() if calls} == {file: [call] for file, call in KNOWN.items()}
    assert texts[package / "allocation/runs/sealed.py"].count("weights_only=True") == 1


@pytest.mark.parametrize(
    "line", ["pickle.load(f)", "x = torch.load(p)", "np.load(f, allow_pickle=True)", "eval(text)", "marshal.loads(b)"]
)
def test_this_test_sees_a_new_place(line: str):
    assert RUNS_CODE.search(line)


class Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return _spring, (str(self.trace),)


def _spring(trace: str) -> None:
    Path(trace).write_text("it was run")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def trap(trace: Path) -> bytes:
    return pickle.dumps({"data": Trap(trace), b"data": Trap(trace)}, protocol=2)


def test_the_trap_is_one(trap: bytes, trace: Path):
    pickle.loads(trap)  # noqa: S301
    assert trace.exists()


def test_no_file_of_a_system_is_unpickled(tmp_path: Path, trap: bytes, trace: Path):
    whole = grown_store(tmp_path / "whole")
    path = tmp_path / "s"
    for file in files_of(whole):
        shutil.copytree(whole.path, path)
        (path / file.relative_to(whole.path)).write_bytes(trap)
        with suppress(MunetError):
            fsck(Store.open(path))
        with suppress(MunetError):
            munet.System.open(path).history()
        shutil.rmtree(path)
        assert not trace.exists(), file


def readers(folder: Path) -> list[Callable[[], Any]]:
    """Everything that opens files which others wrote, on files of all their names."""
    return [
        lambda: load_root("random:vit_tiny_patch16_224", weights=folder / "a.pth"),
        lambda: load_root("random:vit_tiny_patch16_224", weights=folder / "a.bin"),
        lambda: load_root("random:vit_tiny_patch16_224", weights=folder / "a.safetensors"),
        lambda: load_root(f"npz:{folder / 'a.npz'}"),
        lambda: read_arrays(folder / "train.npz", ("image", "label")),
        lambda: read_pickled(folder / "a.pth"),
        lambda: RunFolder(folder).state(),
        lambda: RunFolder(folder).checkpoint(1),
        lambda: import_published(folder, folder / "fleet"),
    ]


def test_no_outside_file_is_unpickled(tmp_path: Path, trap: bytes, trace: Path):
    with_torch, arrays = io.BytesIO(), io.BytesIO()
    torch.save({"model": Trap(trace)}, with_torch)
    np.savez(arrays, image=np.array([Trap(trace)], dtype=object), label=np.array([0]))
    for name, data in (("bare", trap), ("torch", with_torch.getvalue()), ("npz", arrays.getvalue())):
        folder = tmp_path / name
        (folder / "checkpoints").mkdir(parents=True)
        for file in ("a.pth", "a.bin", "a.npz", "a.safetensors", "train.npz", "state.pt", "checkpoints/round-1.pt"):
            (folder / file).write_bytes(data)
        (folder / "checkpoint").write_bytes(data)
        for number, read in enumerate(readers(folder)):
            with pytest.raises(MunetError):
                read()
            assert not trace.exists(), (name, number)


def test_the_page_names_each_place():
    page = (DOCS / "security.md").read_text(encoding="utf-8")
    table = page.partition("munet unpickles in four places")[2].partition("\n\n")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == 2 + 4
