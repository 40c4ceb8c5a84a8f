"""The k-th system call fails, for every k: the system opens, is whole, and holds all that was acknowledged."""

import errno
import shutil
from pathlib import Path

import pytest

from munet.errors import StoreError
from munet.store import Store
from munet.store.fsck import fsck
from store_driver import check_steps, finish_after, one_of_each
from store_kills import result_of, start
from store_tools import Faults, layer_bytes, make_store, manifest, task_record

# A disk that is full stays full; a read error or a permission may come and go.
FAILURES = pytest.mark.parametrize(
    ("error", "sticky"),
    [(errno.EIO, False), (errno.EACCES, False), (errno.ENOSPC, True)],
    ids=["EIO once", "EACCES once", "ENOSPC from then on"],
)


@FAILURES
def test_every_call_fails(tmp_path: Path, error: int, sticky: bool):
    make_store(tmp_path / "template").create_task(task_record("a"))
    path = tmp_path / "s"
    k, finished = 1, False
    while not finished:
        shutil.copytree(tmp_path / "template", path)
        lines: list[str] = []
        with Faults(k, error, sticky).injected() as faults:
            try:
                one_of_each(path, lines.append)
            except StoreError as failure:
                failed = str(failure)
            else:
                failed = ""
        said = [line.split() for line in lines]
        # Clearing a temporary file away may fail in peace; nothing else may.
        assert bool(failed) == (["gc", "done"] not in said)
        assert str(path) in failed or not failed
        assert check_steps(path, said) == [], k
        assert finish_after(path) == [], k
        shutil.rmtree(path)
        finished, k = not faults.fired, k + 1
    assert k > 60


def test_the_process_ends_at_every_call(tmp_path: Path):
    result = result_of(start("exit", tmp_path))
    assert result["wrong"] == []
    assert result["cases"] > 60


@FAILURES
def test_every_call_of_create_fails(tmp_path: Path, error: int, sticky: bool):
    """It is a whole system or none, and none can be made into one by the same call."""

    def write_small_root(store: Store) -> str:
        return store.put_model(manifest({"norm": store.put_layer_bytes(layer_bytes("x"))}))

    k, fired = 1, True
    while fired:
        path = tmp_path / str(k) / "s"
        path.parent.mkdir()
        faults = Faults(k, error, sticky)
        with faults.injected():
            try:
                Store.create(path, write_small_root)
            except StoreError as failure:
                failed = str(failure)
            else:
                failed = ""
        if not (path / "munet.json").exists():
            assert failed
            if not sticky:
                assert not path.exists() or list(path.iterdir()) == []
            with Faults().injected():
                Store.create(path, write_small_root)
        assert fsck(Store.open(path)).ok
        assert Store.open(path).root
        shutil.rmtree(path.parent)
        fired, k = faults.fired, k + 1
    assert k > 40
