"""The engine changes how fast an evolution is, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

import munet
from growing import evolve
from munet.analysis import model_history
from munet.errors import InputError
from munet.evolution.events import Event, GenerationStarted, RunStarted
from munet.evolution.jobs import group_jobs
from munet.training import train_together
from store_tools import task_record

BUDGET: dict[str, Any] = {"generations": 2, "children": 4, "cycles": 2, "samples_per_cycle": 60, "batch_size": 16}
SMALL: dict[str, Any] = {**BUDGET, "task_iterations": 1, "threads": 1, "executor": "local"}
AUGMENTED = {"preprocessing_scope": "generation", "defaults.flip": "true", "defaults.brightness": "0.1"}


def grown(folder: Path, data: Path, settings: dict[str, Any] | None = None, **options: Any) -> dict[str, bytes]:
    """Every object and ref of a system after a task iteration."""
    system = munet.System.create(folder, root="random:vit_tiny_patch16_224", depth=2, image_size=32)
    for task in ("shapes", "again"):
        system.add_task(task, f"npz:{data}")
    evolve(system, settings=settings, **{**SMALL, **options})
    assert system.fsck().ok
    files = [file for part in ("layers", "models", "tasks") for file in (system.path / part).rglob("*.*")]
    return {str(file.relative_to(system.path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("settings", [None, AUGMENTED], ids=["plain", "augmented"])
def test_the_fast_path_grows_the_same_population_bit_for_bit(
    settings: dict[str, str] | None, tmp_path: Path, tiny_npz: Path
) -> None:
    fast = grown(tmp_path / "fast", tiny_npz, settings)
    assert len(fast) > 10
    assert grown(tmp_path / "slow", tiny_npz, settings, reuse=False) == fast
    assert grown(tmp_path / "none", tiny_npz, settings, cache_memory=0) == fast
    assert grown(tmp_path / "tight", tiny_npz, settings, cache_memory=200_000) == fast


def test_siblings_with_the_same_augmentation_train_together(
    tmp_path: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def watched(items: Any, *args: Any, **options: Any) -> Any:
        sizes.append(len(items))
        return train_together(items, *args, **options)

    monkeypatch.setattr("munet.evolution.child_trainer.train_together", watched)
    grown(tmp_path / "fleet", tiny_npz, AUGMENTED)
    assert sum(sizes) == 2 * 2 * 4
    assert max(sizes) == 4
    sizes.clear()
    grown(tmp_path / "slow", tiny_npz, AUGMENTED, reuse=False)
    assert sizes == [1] * 16


def test_replicas_of_a_baseline_see_their_samples_in_other_orders(tmp_path: Path, tiny_npz: Path) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")
    evolve(system, method="finetune-full", **SMALL)
    children = list(model_history.children(system.store))
    assert len({child["model"] for child in children if child["model"]}) > 1


def test_precision_is_recorded_in_each_model(tmp_path: Path, tiny_npz: Path) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")
    evolve(system, precision="bf16", **SMALL)
    assert system.manifest("shapes")["precision"] == "bf16"
    evolve(system, **{**SMALL, "device": "cpu"})
    assert {child["stream"][2] for child in model_history.children(system.store)} == {0, 1}
    assert system.store.read_run("0002", "run.json")["request"]["precision"] == "fp32"  # auto, on a CPU
    with pytest.raises(InputError, match=r"fp64.*known: auto, fp32, bf16"):
        evolve(system, precision="fp64", **SMALL)


def test_a_resumed_generation_says_whose_work_is_done(tmp_path: Path, tiny_npz: Path) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")

    class Stop(Exception):
        pass

    events: list[Event] = []

    def stop(event: Event) -> None:
        events.append(event)
        if type(event).__name__ == "ChildFinished":
            raise Stop

    with pytest.raises(Stop):
        evolve(system, observer=stop, **SMALL)
    done = [event.child for event in events if type(event).__name__ == "ChildFinished"]  # pyright: ignore
    evolve(system, observer=events.append, **SMALL)
    resumed = events[[isinstance(event, RunStarted) for event in events].index(True, 1) :]
    first = next(event for event in resumed if isinstance(event, GenerationStarted))
    assert first.finished == tuple(done)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": "locl"}, "did you mean 'local'"),
        ({"cache_memory": -1}, "cache memory is -1 bytes"),
        ({"executor": "local", "workers": 3}, "local executor has 1 worker"),
        ({"executor": "local", "address": "auto"}, "--executor ray"),
        ({"device": "gpu"}, "device 'gpu'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    options: dict[str, Any], message: str, tmp_path: Path, tiny_npz: Path
) -> None:
    system = munet.System.create(tmp_path / "fleet", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    system.add_task("shapes", f"npz:{tiny_npz}")
    with pytest.raises(InputError, match=message):
        evolve(system, **{**SMALL, **options})
    assert system.store.runs() == []


def test_job_groups_are_no_larger_than_a_workers_part_or_the_memory() -> None:
    from munet.evolution.inheritance import ChildSpec
    from munet.evolution.jobs import Job
    from munet.evolution.origins import LayerOrigin
    from munet.training import Preprocessing, Recipe

    def job(number: int, pre: Preprocessing, *trained: str) -> Job:
        slots = ("embedding", "block.0", "head")
        child = ChildSpec(
            {slot: LayerOrigin("head", 1) for slot in slots}, trainable=set(trained), sizes=dict.fromkeys(slots, 10)
        )
        return Job(number, (0, number), child, Recipe(0.1, pre, 1, 1, 1), 8, True)

    def numbers(order: Any = (0,), **options: Any) -> list[list[int]]:
        settings = {"together": True, "validation_cap": 1, "workers": 1, "memory": 10**6} | options
        return [
            [one.number for one in group.jobs] for group in group_jobs(task_record("a"), jobs, order=order, **settings)
        ]

    flipped, plain = Preprocessing(8, flip=True), Preprocessing(8)
    jobs = [job(0, plain, "head"), job(1, flipped, "head"), job(2, flipped, "head"), job(3, plain, "embedding", "head")]
    jobs.append(job(4, flipped, "block.0", "head"))
    assert numbers() == [[3], [1, 2, 4], [0]]  # lowest cut first
    assert numbers(workers=3) == [[1, 2], [3], [4], [0]]  # most work first
    assert numbers(memory=10 * 18) == [[3], [4], [0], [1, 2]]
    assert numbers(memory=0) == [[3], [4], [0], [1], [2]]
    assert numbers(together=False) == [[0], [1], [2], [3], [4]]
    assert numbers(order=None) == [[0], [1], [2], [3], [4]]
