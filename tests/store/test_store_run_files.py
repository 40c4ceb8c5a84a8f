"""Names of a run's records, and which models the records name."""

from pathlib import Path
from typing import Any

import pytest

from munet.store import run_files, run_records
from munet.store.run_files import GenerationPlace, generation_of, is_over, models_of_generation, models_of_task
from munet.store.schema import finished_record
from store_tools import generation, make_store


@pytest.mark.parametrize("task", ["mnist", "m-nist-2", "a-1-2", "ä.b"])
def test_a_file_tells_which_generation_it_holds(task: str):
    file = run_files.generation_file(task, 3, 12)
    assert file == f"{task}-0003-0012.json"
    assert generation_of(file) == generation_of(file.removesuffix(".json")) == GenerationPlace(task, 3, 12)


@pytest.mark.parametrize(
    "file", ["run.json", "finished.json", "a-0001.end.json", "-1-2.json", "a-1.json", "a-1-x.json"]
)
def test_other_files_hold_no_generation(file: str):
    assert generation_of(file) is None


def test_the_end_of_an_iteration_has_a_file_of_its_own():
    assert run_files.iteration_file("mnist", 7) == "mnist-0007.end.json"
    assert run_files.ends_iteration("mnist-0007.end.json")
    assert not run_files.ends_iteration("mnist-0007-0001.json")


def test_models_of_a_task_are_its_own_and_its_population():
    def names(**record: Any) -> list[str]:
        return models_of_task(record)  # type: ignore[arg-type]

    assert names(model="1", active={"population": ["2", "3"]}) == ["1", "2", "3"]
    assert names(model=None, active={"population": ["2"]}) == ["2"]
    assert names(model="1", active=None) == names(model="1", active={}) == ["1"]
    assert names() == []


def test_models_of_a_generation_are_the_accepted_children():
    children = [{"accepted": True, "model": "1"}, {"accepted": False, "model": "2"}, {"accepted": True}, {}]
    assert models_of_generation({"children": children}) == ["1"]
    assert models_of_generation({"format": 1}) == []


def test_an_iteration_is_over_when_the_task_says_so():
    def over(last: dict[str, Any] | None, iteration: int) -> bool:
        return is_over({"last": last}, "0002", iteration)  # type: ignore[arg-type, typeddict-item]

    last = {"run": "0002", "iteration": 5}
    assert [over(last, iteration) for iteration in (4, 5, 6)] == [True, True, False]
    assert not over({"run": "0001", "iteration": 5}, 4)
    assert not over(None, 0)


def test_records_of_a_run_are_found_by_what_they_are(tmp_path: Path):
    store = make_store(tmp_path / "s")
    run = store.new_run({"method": "test"})
    first, second = (generation(("a", 0, number), []) for number in (0, 1))
    for record in (second, first):
        run_records.write_generation(store, run, record)  # type: ignore[arg-type]
    ended: Any = {"task": "a", "iteration": 0, "model": None}
    run_records.write_iteration(store, run, ended)
    assert run_records.read_config(store, run) == {"method": "test"}
    found = [("a-0000-0000.json", ("a", 0, 0)), ("a-0000-0001.json", ("a", 0, 1))]
    assert list(run_records.generations(store, run)) == found
    assert run_records.read_generation(store, run, "a-0000-0001.json") == second
    assert run_records.iterations(store, run) == ["a-0000.end.json"]
    assert run_records.read_iteration(store, run, "a-0000.end.json") == ended


@pytest.mark.parametrize("abandoned", [False, True])
def test_a_run_that_is_over_ended_by_itself_or_was_left(tmp_path: Path, abandoned: bool):
    store = make_store(tmp_path / "s")
    run = store.new_run({})
    assert not run_records.ended_by_itself(store, run)
    record = finished_record("2026-01-01T00:00:00Z", abandoned=abandoned)
    run_records.finish(store, run, record)
    assert store.is_finished(run)
    assert run_records.read_finished(store, run) == record
    assert run_records.ended_by_itself(store, run) is not abandoned
