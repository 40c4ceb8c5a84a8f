"""SIGKILL at random moments, many times, with the check that the test can fail; and processes side by side."""

from pathlib import Path

import pytest

from munet.store import Store
from munet.store.fsck import fsck
from store_kills import result_of, start
from store_tools import make_store, task_record, temporary_files_in


@pytest.mark.parametrize(("kills", "size"), [(100, 500), (30, 200_000)], ids=["small", "large"])
def test_killed_writers_lose_nothing(tmp_path: Path, kills: int, size: int):
    result = result_of(start("kill", tmp_path, kills, size, "whole", 17))
    assert result["kills"] >= kills
    assert result["damaged"] == result["lost"] == 0
    assert result["acknowledged"] > kills  # they were cut off while working
    assert result["strays"] > 0  # some in the middle of a write
    assert fsck(Store.open(tmp_path / "s")).ok


def test_this_test_catches_a_naive_writer(tmp_path: Path):
    """Without temporary files and renames the same kills do leave damage."""
    result = result_of(start("kill", tmp_path, 30, 200_000, "naive", 17))
    assert result["damaged"] + result["lost"] > 0


@pytest.mark.parametrize("way", ["collect", "release"], ids=["gc", "local"])
def test_processes_that_commit_while_another_collects(tmp_path: Path, way: str):
    """No collection takes what a commit refers to; the same objects are put, retained, let go and collected again."""
    store = make_store(tmp_path / "s")
    names = ["a", "b", "c"]
    for added, name in enumerate(names):
        store.create_task(task_record(name, added))
    writers = [start("commit", store.path, name, 3, seed) for seed, name in enumerate(names)]
    collector = start(way, store.path, 3)
    results = [result_of(writer) for writer in writers]
    collected = result_of(collector)
    assert all(result["commits"] > 5 for result in results)
    assert collected["rounds"] > 2
    assert collected["removed"] > 2
    report = fsck(store)
    assert report.ok, report.damaged
    assert {name: store.read_task(name)["model"] for name in names} == {
        name: result["model"] for name, result in zip(names, results, strict=True)
    }
    assert temporary_files_in(store.path) == []
