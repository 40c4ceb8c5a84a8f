"""One payload for all who watch: made when files changed, not too often, and kept when the system cannot be read."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from munet.errors import DamagedError
from munet.report.watch import activity
from munet.report.watch.changes import Files
from munet.report.watch.feed import Feed
from watch_tools import counted, fake_system, put


class Stage:
    """A system, a clock that stands still, and a feed that says how often it made a payload."""

    def __init__(self, path: Path, **pace: Any) -> None:
        self.path, self.now, self.made, self.took = path, 1000.0, 0, 0.0
        self.error: Exception | None = None
        self.count = counted(path)
        self.feed = Feed(Files(path), self.make, clock=lambda: self.now, cost=lambda: self.now, **pace)

    def make(self) -> dict[str, Any]:
        self.made += 1
        self.now += self.took
        if self.error:
            raise self.error
        return self.count()

    def child(self, number: int) -> None:
        put(self.path / "runs" / "0001" / f"a-0000-{number:04d}.json")

    def after(self, seconds: float) -> int:
        """How many payloads have been made once `seconds` have passed."""
        self.now += seconds
        self.feed.refresh()
        return self.made


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(fake_system(tmp_path / "fleet"))


def test_a_payload_is_made_when_something_changed(stage: Stage):
    assert stage.after(0) == 1
    assert stage.feed.shown
    assert stage.feed.shown.payload == {"children": 0}
    assert stage.after(5) == 1
    stage.child(0)
    assert stage.after(5) == 2
    assert stage.feed.shown.payload == {"children": 1}
    assert stage.feed.state.version == stage.feed.shown.version


def test_changes_within_a_second_are_one(stage: Stage):
    stage.after(0)
    for number in range(10):
        stage.child(number)
        stage.after(0.05)
    assert stage.made == 1
    assert stage.after(1) == 2
    assert stage.feed.shown
    assert stage.feed.shown.payload == {"children": 10}


def test_slow_payloads_leave_the_processor_to_the_evolution(stage: Stage):
    stage.took = 4.0
    stage.after(0)
    stage.child(0)
    assert stage.after(11.9) == 1, "three times as long as it took"
    assert stage.after(1) == 2


def test_equal_payloads_have_one_version_and_push_nothing(stage: Stage):
    stage.after(0)
    before = stage.feed.state
    put(stage.path / "tasks" / "a.json")
    stage.after(5)
    assert stage.made == 2
    assert stage.feed.state.version == before.version
    assert stage.feed.state.changed > before.changed
    number = stage.feed.state.number
    stage.after(5)
    assert stage.feed.state.number == number


def test_what_cannot_be_read_leaves_the_last_good_payload_and_a_note(stage: Stage):
    stage.after(0)
    version = stage.feed.state.version
    stage.error = DamagedError("tasks/a.json is cut short")
    stage.child(0)
    stage.after(5)
    assert (stage.feed.state.version, stage.feed.state.note) == (version, "tasks/a.json is cut short")
    stage.error = None
    assert stage.after(1) == 2, "what just failed is not tried at once"
    assert stage.after(1) == 3, "it is tried again although no file changed"
    assert stage.feed.state.note is None
    assert stage.feed.state.version != version


def test_failures_are_tried_again_ever_more_seldom(stage: Stage):
    stage.error = ValueError()
    stage.after(0)
    assert stage.feed.state.note == "the system cannot be read (ValueError)"
    for _ in range(600):
        stage.after(1)
    assert 10 < stage.made < 18
    stage.child(0)
    made = stage.made
    assert stage.after(2) == made + 1, "a change is reason to try at once"


def test_numbers_that_json_lacks_are_a_failure_too(stage: Stage):
    stage.count = lambda: {"score": float("nan")}
    stage.after(0)
    assert stage.feed.shown is None
    assert "ValueError" in (stage.feed.state.note or "")


def test_a_system_that_goes_away_and_comes_back(stage: Stage):
    stage.after(0)
    version, away = stage.feed.state.version, stage.path.with_name("away")
    stage.path.rename(away)
    stage.after(2)
    assert stage.feed.state.version == version
    assert "no munet system any more" in (stage.feed.state.note or "")
    away.rename(stage.path)
    assert stage.after(2) == 1
    assert stage.feed.state.note is None


def test_what_gc_removed_is_seen_once_it_is_quiet(stage: Stage):
    layer = stage.path / "layers" / "ab" / "cd.safetensors"
    put(layer)
    stage.after(0)
    layer.unlink()
    assert stage.after(2) == 1, "a child on its way looks the same, and its record follows"
    assert stage.after(6) == 2
    assert stage.after(60) == 2


def test_where_a_run_is_is_asked_when_files_changed_while_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = 0

    def tell() -> str:
        nonlocal asked
        asked += 1
        return f"digits, told {asked} times"

    stage = Stage(fake_system(tmp_path / "fleet"), tell_progress=tell)
    stage.after(0)
    assert (stage.feed.state.progress, asked) == (None, 0), "nothing evolves"
    monkeypatch.setattr(activity, "is_held", lambda _path: True)
    stage.after(2)
    assert stage.feed.state.to_json()["progress"] == "digits, told 1 times"
    number = stage.feed.state.number
    stage.after(2)
    assert (stage.feed.state.number, asked) == (number, 1), "nothing was recorded since"
    stage.child(0)
    stage.after(2)
    assert stage.feed.state.progress == "digits, told 2 times"
    stage.after(5)
    assert stage.feed.state.progress == "digits, told 3 times", "time has passed"
    monkeypatch.undo()
    stage.after(2)
    assert stage.feed.state.progress is None


def test_nobody_watches_so_nothing_is_looked_at(tmp_path: Path):
    stage = Stage(fake_system(tmp_path / "fleet"), pause=0.02)
    stage.feed._clock = time.monotonic
    time.sleep(0.1)
    assert stage.made == 0
    heard = threading.Event()
    with stage.feed.watching(heard.set):
        assert heard.wait(10)
        while stage.made == 0:
            time.sleep(0.01)
    time.sleep(0.1)
    stage.child(0)
    time.sleep(0.2)
    assert stage.made == 1


def test_one_payload_for_many(tmp_path: Path):
    stage = Stage(fake_system(tmp_path / "fleet"), pause=0.02)
    stage.feed._clock = time.monotonic
    news: list[object] = []

    def client() -> None:
        heard = threading.Event()
        with stage.feed.watching(heard.set):
            while stage.feed.shown is None and heard.wait(10):
                heard.clear()
            news.append(stage.feed.shown)

    threads = [threading.Thread(target=client) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(news) == 20
    assert None not in news
    assert stage.made == 1
