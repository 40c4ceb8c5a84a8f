"""What counts as a change, and how little is looked at where there is none."""

import os
import time
from pathlib import Path

import pytest

from munet.report.watch.changes import Files
from watch_tools import fake_system, put


@pytest.fixture
def system(tmp_path: Path) -> Path:
    return fake_system(tmp_path / "fleet")


def test_nothing_changes_by_itself(system: Path):
    files = Files(system)
    assert files.look() == files.look()
    assert files.look().newest == 0


@pytest.mark.parametrize("name", ["tasks/mnist.json", "runs/0001/run.json", "runs/0001/mnist-0000-0000.json"])
def test_records_that_come_or_are_replaced_are_changes(system: Path, name: str):
    files = Files(system)
    before = files.look()
    put(system / name)
    came = files.look()
    put(system / name, "{ }")
    replaced = files.look()
    assert before != came != replaced
    assert replaced == files.look()
    assert came.newest == pytest.approx(time.time(), abs=60)


def test_two_changes_within_one_tick_of_the_clock_are_both_seen(system: Path):
    files, folder = Files(system), system / "tasks"
    put(folder / "a.json")
    own = os.stat(folder)
    before = files.look()
    put(folder / "b.json")
    os.utime(folder, ns=(own.st_atime_ns, own.st_mtime_ns))
    assert files.look() != before


def test_what_a_writer_has_not_named_yet_is_no_change(system: Path):
    files = Files(system)
    before = files.look()
    (system / "tasks" / ".tmp-1-ab").write_text("half")
    (system / "runs" / ".hidden").mkdir()
    assert files.look() == before


def test_folders_that_rest_are_not_listed_again(system: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(5):
        put(system / "runs" / f"{number:04d}" / "run.json")
    now = [time.time() + 10]
    files = Files(system, clock=lambda: now[0])
    before = files.look()
    listed: list[Path] = []
    listing = Files._listing
    monkeypatch.setattr(Files, "_listing", lambda self, folder: (listed.append(folder), listing(self, folder))[1])
    assert files.look() == before
    assert listed == []
    put(system / "runs" / "0003" / "a-0000-0000.json")
    assert files.look() != before
    assert [folder.name for folder in listed] == ["0003"]


def test_damage_in_place_is_seen_later(system: Path):
    file = system / "tasks" / "a.json"
    put(file)
    now = [time.time() + 10]
    files = Files(system, clock=lambda: now[0])
    before = files.look()
    file.write_text('{"cut"')
    assert files.look() == before
    now[0] += 31
    assert files.look() != before


def test_runs_count_upwards(system: Path):
    for name in ("9", "10", "0002", "notes"):
        (system / "runs" / name).mkdir()
    assert [name for name, _ in Files(system).look().runs] == ["0002", "9", "10"]


def test_objects_are_told_apart_from_records(system: Path):
    files = Files(system)
    before = files.look()
    put(system / "layers" / "ab" / "cd.safetensors")
    after = files.look()
    assert after == before
    assert after.objects != before.objects


def test_a_system_that_is_gone_is_looked_at_all_the_same(system: Path):
    files = Files(system)
    assert files.look().marker
    system.rename(system.with_name("away"))
    look = files.look()
    assert (look.marker, look.tasks, look.runs, look.objects) == (None, {}, (), ())
