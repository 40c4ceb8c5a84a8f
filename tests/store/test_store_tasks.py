"""Tasks, runs and locks as users of a store see them."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from munet.errors import InputError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from store_tools import (
    changed,
    generation,
    make_store,
    put_child,
    task_record,
)


def test_tasks_in_the_order_in_which_they_were_added(tmp_path: Path):
    store = make_store(tmp_path / "s")
    for added, name in enumerate(["zebra", "ant", "m.nist-2"]):
        store.create_task(task_record(name, added))
    assert store.tasks() == ["zebra", "ant", "m.nist-2"]
    assert store.task_names() == ["ant", "m.nist-2", "zebra"]


def test_task_record_is_replaced(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a", source="npz:/data/ä"))
    store.write_task(changed(store.read_task("a"), model=store.root))
    assert Store.open(store.path).read_task("a") == task_record("a", source="npz:/data/ä", model=store.root)


def test_task_names_are_taken_once(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a", classes=["first"]))
    with pytest.raises(InputError, match="already has a task 'a'"):
        store.create_task(task_record("a", classes=["second"]))
    assert store.read_task("a")["classes"] == ["first"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "a/b", "a\\b", "../x", "a\0b", "a\nb", "a:b", "x" * 101, "ä" * 60]
)
def test_task_names_that_are_no_file_names(tmp_path: Path, name: str):
    store = make_store(tmp_path / "s")
    for call in (
        store.read_task,
        lambda n: store.create_task(task_record(n)),
        lambda n: store.write_task(task_record(n)),
    ):
        with pytest.raises(InputError, match="task name"):
            call(name)
    assert store.tasks() == []


def test_unknown_task_says_which_there_are(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("mnist"))
    for call in (store.read_task, lambda n: store.write_task(task_record(n))):
        with pytest.raises(InputError, match=r"has no task 'minst' \(did you mean 'mnist'\?\)"):
            call("minst")


def test_record_that_names_a_model_that_is_not_stored(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    run = store.new_run({})
    ghost = "5" * 64
    for record in (task_record("a", model=ghost), task_record("a", active={"population": [ghost]})):
        with pytest.raises(InputError, match="put the model before the record"):
            store.write_task(record)
    with pytest.raises(InputError, match="put the model before the record"):
        store.create_task(task_record("b", model=ghost))
    with pytest.raises(InputError, match="put the model before the record"):
        store.write_run(run, "a-0000-0000", generation(("a", 0, 0), [ghost]))
    assert store.read_task("a") == task_record("a")
    assert store.run_files(run) == ["run.json"]


def test_runs_are_numbered(tmp_path: Path):
    store = make_store(tmp_path / "s")
    names = [store.new_run({"number": number}) for number in range(3)]
    assert names == store.runs() == ["0001", "0002", "0003"]
    assert store.read_run("0002", "run.json") == {"number": 1}
    (store.path / "runs" / "9999").mkdir()  # killed before its config: it is no run, and its number stays taken
    assert store.runs() == names
    assert store.new_run({}) == "10000"
    assert store.runs()[-1] == "10000"


def test_run_records_in_order_of_counting(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    for number in (10, 9, 2):
        store.write_run(run, f"a-{number}-0", generation(("a", number, 0), []))
    store.write_run(run, "finished.json", {"ok": True})
    assert store.run_files(run) == ["a-2-0.json", "a-9-0.json", "a-10-0.json", "finished.json", "run.json"]
    assert store.read_run(run, "a-10-0") == store.read_run(run, "a-10-0.json") == generation(("a", 10, 0), [])


def test_unknown_runs_and_records(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    with pytest.raises(InputError, match=r"has no run '0007' \(did you mean '0001'\?\)"):
        store.read_run("0007", "run.json")
    for name in ("..", ".", "../runs/0001", ""):
        with pytest.raises(InputError, match="has no run"):
            store.run_files(name)
    with pytest.raises(InputError, match=r"has no record 'ran.json'"):
        store.read_run(run, "ran.json")
    for file in ("", "a/b", "../x", ".hidden"):
        with pytest.raises(InputError, match="no name for a run record"):
            store.write_run(run, file, {})


def test_commits_nest_and_go_side_by_side(tmp_path: Path):
    store = make_store(tmp_path / "s")
    with store.commit(), store.commit(), Store.open(store.path).commit():
        put_child(store, "a", store.root, "x")


@pytest.mark.parametrize("reader", ["fsck", "gc --dry-run"])
def test_readers_hold_no_lock(tmp_path: Path, reader: str):
    """A collection goes on while they read, and they read while it goes on."""
    store = make_store(tmp_path / "s")
    read = {"fsck": lambda: fsck(store), "gc --dry-run": lambda: gc(store, dry_run=True)}[reader]
    with store.collecting():
        read()
    identify, calls = store.models._identify, []

    def taken(data: bytes) -> str:
        with (store.path / ".lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        calls.append(data)
        return identify(data)

    store.models._identify = taken
    read()
    assert calls


def test_importing_the_store_needs_no_torch():
    """`munet status` runs through here and has a second; torch alone takes longer."""
    script = "import sys, munet.store, munet.store.fsck, munet.store.gc; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "munet.store.gc" in loaded
    assert not loaded & {"torch", "numpy", "safetensors", "timm", "pydantic", "rich"}
