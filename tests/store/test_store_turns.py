"""Whose turn it is to evolve a task: one process at a time, named to whoever comes second."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from munet.errors import StoreError
from munet.fs import locks
from munet.store import Store
from munet.store.strays import strays
from store_tools import make_store, put_child


def test_one_evolver(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with store.evolving("a"):
        with (
            pytest.raises(
                StoreError, match=rf"process {os.getpid()} of .* is already evolving .*: wait for it or stop it first"
            ),
            Store.open(store.path).evolving("a"),
        ):
            pytest.fail("two evolvers")
        with store.commit():  # others may still commit
            pass
    with store.evolving("a"):
        pass


def test_tasks_are_evolved_side_by_side_and_several_are_had_together_or_not_at_all(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with store.evolving("b"):
        with pytest.raises(StoreError, match="is already evolving task 'b' of"), store.evolving("c", "b", "a"):
            pytest.fail("two evolvers of b")
        with store.evolving("c", "a"):  # nothing of the attempt is left
            pass
        with pytest.raises(StoreError, match="is already evolving"), locks.alone(store.path / ".evolving", "evolving"):
            pytest.fail("an older version, which knows one lock for all tasks, came in")
    older = locks.alone(store.path / ".evolving", "evolving")
    with older, pytest.raises(StoreError, match="is already evolving"), store.evolving("a"):
        pytest.fail("beside an older version")
    assert not strays(store)


def test_more_tasks_than_a_process_may_usually_have_files_open(tmp_path: Path):
    store = make_store(tmp_path / "s")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        with store.evolving(*(f"task{number}" for number in range(300))):
            put_child(store, "a", store.root, "x")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_evolver_of_another_process_is_named_and_forgotten_when_it_dies(tmp_path: Path):
    store = make_store(tmp_path / "s")
    script = f"""
import sys, time
from munet.store import Store
with Store.open({str(store.path)!r}).evolving('a'):
    print("evolving", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "evolving\n"
        with pytest.raises(StoreError, match=f"process {process.pid} of .* is already evolving"), store.evolving("a"):
            pytest.fail("two evolvers")
    finally:
        process.kill()
        process.communicate()
    with store.evolving("a"):
        assert int((store.path / ".evolving-a").read_bytes()[:32]) == os.getpid()
