"""How long runs take, and how many samples fit in a time."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import munet
from golden_ids import images
from munet.analysis import model_history
from munet.cli.evolve.agreement import parse_time
from munet.errors import InputError
from munet.evolution.estimate import Speed, estimated, within
from munet.evolution.events import Event, Notice, TrunkCycle
from munet.evolution.heads_read import as_done
from munet.evolution.work import images_of, read
from munet.search import Method, load_method
from munet.tasks.cache.splits import Splits

SPEED = Speed(images=100.0, workers=2)


@pytest.fixture
def system(tmp_path: Path) -> munet.System:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for name in ("one", "two"):
        images(tmp_path / name, 3)
        system.add_task(name, f"npz:{tmp_path / name}")
    return system


def test_an_estimate_counts_training_and_a_third_for_what_is_read(system: munet.System) -> None:
    tasks = [system.task(name) for name in system.tasks]
    method = load_method("finetune-tuned", {"cycles": 2, "samples_per_cycle": 500})
    others = sum(read(method, task) for task in tasks)
    assert others == sum(3 * t["splits"]["validation"]["examples"] + t["splits"]["test"]["examples"] for t in tasks)
    found = estimated(method, tasks, SPEED, others)
    assert found.samples == 2 * 2 * 500
    assert found.seconds == pytest.approx((found.samples + others / 2) / 200)
    assert estimated(load_method("head-only"), tasks, SPEED, others).samples == 0


def test_heads_are_counted_as_often_as_they_read(system: munet.System, tmp_path: Path) -> None:
    """Photographs four times; drawings once, and a small root makes no head after training."""
    image = np.random.default_rng(0).choice([0, 255], (60, 32, 32)).astype(np.uint8)
    (tmp_path / "ink").mkdir()
    for split in ("train", "validation", "test"):
        np.savez(tmp_path / "ink" / f"{split}.npz", image=image, label=np.arange(60) % 3)
    system.add_task("ink", f"npz:{tmp_path / 'ink'}", allow_duplicates=True)
    method = load_method("adaptive")

    def counted(name: str) -> Method:
        return as_done(system.models, Splits(), method, system.task(name), 32)

    assert (counted("one").head_views, counted("ink").head_views) == (4, 1)
    assert not counted("one").head_last, "a root of less than five million parameters"
    ink = system.task("ink")
    heads = 60 + 60 // 4  # of the first model, and the one that a trained child begins with, from the same features
    validated = (method.child_cycles + 1) * 60
    tested = 2 * (60 + 60)
    assert read(counted("ink"), ink) == 60 + heads + validated + tested, "and 60 for the evidence"
    assert read(method, ink) > 60 + heads + validated + tested


def test_an_image_of_many_classes_counts_as_more_than_one_where_the_root_is_small(system: munet.System) -> None:
    method, task = load_method("adaptive"), system.task("one")
    many = deepcopy(task)
    many["classes"] = [str(number) for number in range(1000)]
    for split in many["splits"].values():
        split["examples"] = 50_000
    small, large = system.models.root_flops(), 100 * system.models.root_flops()
    assert images_of(method, task, small).head == pytest.approx(images_of(method, task).head, rel=0.02)
    read = images_of(method, many).head
    more_on_small, more_on_large = (images_of(method, many, flops).head - read for flops in (small, large))
    assert more_on_small == pytest.approx(100 * more_on_large, rel=0.01)
    assert more_on_small > read / 10


def test_what_fits_in_a_time_is_estimated_to_take_less(system: munet.System) -> None:
    tasks, method = [system.task(name) for name in system.tasks], load_method("adaptive")
    others = sum(read(method, task) for task in tasks)
    for seconds in (30.0, 60.0, 600.0):
        fits = within(seconds, method, len(tasks), SPEED, others)
        assert 0.6 * seconds < estimated(fits, tasks, SPEED, others).seconds < seconds
        assert fits.samples_per_cycle % fits.batch_size == 0
    with pytest.raises(InputError, match=r"a time of 1 s is too short here for 2 tasks: give \d+s or more") as error:
        within(1.0, method, len(tasks), SPEED, others)
    enough = float(str(error.value).partition("give ")[2].partition("s or")[0])
    assert within(enough, method, len(tasks), SPEED, others).samples_per_cycle >= method.batch_size


class Stop(Exception):
    pass


def test_a_time_becomes_samples_that_a_run_goes_on_with(system: munet.System, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = [Speed(40.0, 1), Speed(400.0, 1)]
    monkeypatch.setattr("munet.evolution.start.measure_speed", lambda *_, **__: speeds.pop(0))
    options: dict[str, Any] = {"budget": munet.Budget(time=60.0, cycles=2), "method": "adaptive"}
    options["settings"] = {"shares": "equal"}
    notes: list[str] = []

    def stop(event: Event) -> None:
        if isinstance(event, Notice):
            notes.append(event.text)
        if isinstance(event, TrunkCycle):
            raise Stop

    where = munet.Where(threads=1, executor="local")
    with pytest.raises(Stop):
        munet.evolve(system, where=where, observer=stop, **options)
    munet.evolve(system, where=where, **options)
    assert len(speeds) == 1, "measured once: the run goes on with its samples"
    (note,) = [text for text in notes if "images a task" in text]
    each = int(note.partition(" are ")[2].partition(" images")[0].replace(",", ""))
    paths = [child for child in model_history.children(system.store) if "together" in child]
    spent, batch = sum(path["samples"] for path in paths), 64
    assert 2 * each - 2 * batch < spent <= 2 * each, "whole batches in each of two cycles"


def test_speed_is_measured_where_it_is_asked_for(system: munet.System) -> None:
    found = munet.estimate(system, method="finetune-tuned", where=munet.Where(threads=1, executor="local"))
    assert found.speed.images > 1
    assert found.seconds > 0


@pytest.mark.parametrize(("word", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400)])
def test_times_as_people_write_them(word: str, seconds: float) -> None:
    assert parse_time(word) == seconds


@pytest.mark.parametrize("word", ["", "ten", "-5m", "5 d", "m", "1e3"])
def test_other_times_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="write it as 90s, 10m, 2h, 1h30m or 7d"):
        parse_time(word)


def test_a_time_and_samples_contradict_each_other() -> None:
    with pytest.raises(InputError, match="leave one out"):
        munet.Budget(time=5.0, samples_per_task=100)
    with pytest.raises(InputError, match="leave time out"):
        munet.Budget.named("quick", time=5.0)
    with pytest.raises(InputError, match="give more than none"):
        munet.Budget(time=0.0)
