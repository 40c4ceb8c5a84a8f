"""The film of a network's growth: its frames show what the history says, stay in place, and can be played."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis_tools import big_system
from munet.analysis import History, history
from munet.analysis.growth import best_at, moments, paths_at
from munet.errors import InputError
from munet.report.network import animation
from munet.report.network.animation import animate, plan, render, scenes


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> History:
    return history(big_system(tmp_path_factory.mktemp("film") / "grown", tasks=2, children=24, blocks=2))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> History:
    return history(big_system(tmp_path_factory.mktemp("film") / "short", tasks=1, children=4, blocks=1))


def test_there_is_a_frame_for_each_change_and_the_end(grown: History):
    film = plan(grown)
    changes = sorted({moment.step for moment in moments(grown)})
    assert list(film.steps) == [*changes, *([23] if changes[-1] != 23 else [])]
    assert (film.total, film.changes) == (24, len(changes))
    assert list(plan(grown, every=8).steps) == [0, 8, 16, 23]


def test_each_scene_shows_the_network_then_and_whose_model_was_sampled(grown: History):
    film = plan(grown, every=1)
    shown = list(scenes(grown, film))
    assert len(shown) == len(film.steps) + 1
    for scene in shown:
        known, best = paths_at(grown, scene.step), best_at(grown, scene.step)
        for path in scene.paths:
            layers = known.get(path.task, {})
            assert {s: one.identity for s, one in path.layers.items()} == {s: one.id for s, one in layers.items()}
            assert path.accuracy == (best[path.task].accuracy if path.task in best else None)
    tasks = grown.children["task"].tolist()
    assert [scene.highlight for scene in shown] == [*(tasks[step] for step in film.steps), None]
    accuracies = [path.accuracy for path in shown[-1].paths if path.accuracy is not None]
    mean = 100 * sum(accuracies) / len(accuracies)
    assert shown[-1].title == f"step 23 of 23  ·  2 tasks  ·  mean validation accuracy {mean:.1f} %"
    first = grown.children.iloc[0]
    assert (
        shown[0].caption[0] == f"Sampled for task-000, from the root: the best so far, {100 * first['accuracy']:.1f} %."
    )


def test_all_frames_are_of_one_even_size_and_names_stay_in_place(grown: History):
    frames = list(render(grown, plan(grown), width=401))
    assert {frame.size for frame in frames} == {(400, frames[0].height)}
    assert frames[0].height % 2 == 0
    left = [frame.crop((0, 100, 60, frame.height - 30)).tobytes() for frame in frames[-2:]]
    assert left[0] == left[1], "the names of the slots do not move"


def test_a_gif_holds_its_last_frame_and_is_the_same_twice(short: History, tmp_path: Path):
    calls: list[tuple[int, int]] = []
    film = animate(short, tmp_path / "a.gif", width=320, seconds=0.3, hold=2, progress=lambda *done: calls.append(done))
    count = len(film.steps) + 1
    assert calls == [(done, count) for done in range(count + 1)]
    with Image.open(tmp_path / "a.gif") as image:
        times = []
        for number in range(image.n_frames):  # pyright: ignore[reportAttributeAccessIssue]
            image.seek(number)
            times.append(image.info["duration"])
        assert image.info["loop"] == 0
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255), "paper stays white"
    assert times == [300] * (count - 1) + [2000]
    animate(short, tmp_path / "b.GIF", width=320, seconds=0.3, hold=2)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.GIF").read_bytes()


def test_a_video_plays_as_long_as_it_should(short: History, tmp_path: Path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    film = animate(short, tmp_path / "a.mp4", width=320, seconds=0.5, hold=1)
    frames, seconds = ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4"))
    assert frames == 5 * len(film.steps) + 10
    assert seconds == pytest.approx(0.5 * len(film.steps) + 1)
    calls = subprocess.run([ffmpeg.get_ffmpeg_exe(), "-i", tmp_path / "a.mp4"], capture_output=True, text=True).stderr
    assert re.search(r"Video: h264.*yuv420p.* 320x\d+", calls)
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_too_many_changes_are_thinned_evenly(grown: History, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(animation, "MOST_FRAMES", 4)
    film = plan(grown)
    changes = sorted({moment.step for moment in moments(grown)})
    assert film.changes == len(changes) > 5
    assert len(film.steps) <= 5
    assert film.steps[0] == changes[0]  # pyright: ignore[reportGeneralTypeIssues]
    assert film.steps[-1] == 23  # pyright: ignore[reportGeneralTypeIssues]


def test_what_cannot_be_written_is_one_line(grown: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match=r"a\.avi: an animation ends in \.gif, \.mp4"):
        animate(grown, tmp_path / "a.avi")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"pip install 'munet-ml\[video\]', or write a \.gif"):
        animate(grown, tmp_path / "a.mp4")
    for tasks in (0, 1):
        nothing = history(big_system(tmp_path / str(tasks), tasks=tasks, children=0, blocks=1))
        with pytest.raises(InputError, match="an animation needs sampled children"):
            animate(nothing, tmp_path / "a.gif")
    assert not [file for file in tmp_path.iterdir() if file.is_file()]


def test_what_is_interrupted_leaves_no_file(grown: History, tmp_path: Path):
    def stop(done: int, total: int) -> Any:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate(grown, tmp_path / "a.gif", width=320, progress=stop)
    assert not list(tmp_path.iterdir())
