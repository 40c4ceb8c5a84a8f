"""Whether a folder is as it was: by its time, once that is old enough to be trusted."""

import os
from pathlib import Path

from munet.serving.settled import Settled


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def looked_at(folder: Path, clock: Clock, age: float) -> Settled:
    os.utime(folder, (clock.now - age, clock.now - age))
    settled = Settled(folder, clock)
    assert not settled.is_so(), "nothing was seen before"
    return settled


def test_a_folder_is_as_it_was_until_a_file_is_replaced(tmp_path: Path) -> None:
    clock = Clock()
    settled = looked_at(tmp_path, clock, age=10)
    assert settled.is_so()
    (tmp_path / "new").touch()
    os.replace(tmp_path / "new", tmp_path / "old")
    assert not settled.is_so()


def test_a_young_time_is_not_trusted_and_no_time_is_for_long(tmp_path: Path) -> None:
    clock = Clock()
    settled = looked_at(tmp_path, clock, age=1)
    assert not settled.is_so()
    clock.now += 5
    assert not settled.is_so()
    assert settled.is_so()
    clock.now += 31
    assert not settled.is_so()


def test_what_cannot_be_seen_is_not_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    clock = Clock()
    settled = looked_at(tmp_path / "a", clock, age=10)
    assert settled.is_so()
    (tmp_path / "a").rename(tmp_path / "b")
    assert not settled.is_so()
    (tmp_path / "b").rename(tmp_path / "a")
    assert not settled.is_so(), "it was away"
