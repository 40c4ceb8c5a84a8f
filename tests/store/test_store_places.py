"""Records at the wrong place, records that are missing, and what becomes of a system until somebody says so."""

import shutil
from itertools import permutations
from pathlib import Path

import pytest

from munet.errors import DamagedError, InputError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.records import seal, unseal
from munet.store.schema import iteration_record
from munet.store.task_list import listed
from store_tools import changed, generation, grown_store, model_of, put_child, task_record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two runs: the first one, of task `a`, is over; the second, of `b`, is in its third generation."""
    store = grown_store(tmp_path / "s")
    store.write_run("0001", "finished", {"finished": "2026-01-01T00:00:00+00:00", "abandoned": True})
    store.write_task(changed(store.read_task("b"), active=None))
    with store.commit():
        run = store.new_run({})
        model = put_child(store, "a", model_of(store, "a"), "a1")
        for number, accepted in ((0, [None, model]), (1, [None])):
            store.write_run(run, f"a-0000-{number:04d}", generation(("a", 0, number), accepted))
        totals = {"mean_validation_accuracy": None, "mean_test_accuracy": None, "unique_parameters": 0}
        ended = iteration_record(
            "a", 0, order=0, model=model, validation_accuracy=None, test=None, tasks=1, finished="",
            totals={**totals, "parameters_per_task": None, "flops_per_task": None}, children={0: 2, 1: 1},  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
        store.write_run(run, "a-0000.end", ended)
        store.write_task(changed(store.read_task("a"), model=model, last={"run": run, "iteration": 0}))
        store.write_run(run, "finished", {"finished": "2026-01-01T00:00:00+00:00", "abandoned": False})
    with store.commit():
        run = store.new_run({})
        population = []
        for number in range(2):
            population.append(put_child(store, "b", store.root, f"later {number}"))
            store.write_run(run, f"b-0000-{number:04d}", generation(("b", 0, number), [population[-1]]))
        active = {"run": run, "iteration": 0, "generation": 2, "population": population}
        store.write_task(changed(store.read_task("b"), active=active))
    assert fsck(store).damaged == []
    return store


def told(store: Store) -> list[str]:
    return [str(damage) for damage in fsck(store).damaged]


def records(store: Store) -> list[Path]:
    return sorted(path for path in (store.path / "runs").rglob("*.json"))


def test_every_record_of_a_run_counts_at_its_place_alone(store: Store) -> None:
    """Whichever is copied over whichever: the copy is found, and no reader takes it."""
    paths = records(store)
    for source, target in permutations(paths, 2):
        whole = target.read_bytes()
        target.write_bytes(source.read_bytes())
        found = [damage.path for damage in fsck(store).damaged]
        assert str(target.relative_to(store.path)) in found, (source, target)
        with pytest.raises(DamagedError, match=r"is the record of |is no such record"):
            store.read_run(target.parent.name, target.name)
        target.write_bytes(whole)
    assert told(store) == []


def test_two_records_in_each_others_place(store: Store) -> None:
    one, other = (store.path / "runs" / "0002" / f"a-0000-000{number}.json" for number in (0, 1))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert told(store) == [
        "runs/0002/a-0000-0000.json is the record of 0002/a-0000-0001; hurts no task",
        "runs/0002/a-0000-0001.json is the record of 0002/a-0000-0000; hurts no task",
    ]


def test_a_copy_of_a_whole_run_is_found(store: Store) -> None:
    shutil.copytree(store.path / "runs" / "0001", store.path / "runs" / "0004")
    assert {damage.path.split("/")[1] for damage in fsck(store).damaged} == {"0004"}


def test_records_of_older_versions_are_bound_by_what_they_say(store: Store) -> None:
    """They do not name their run, but their task, iteration and generation."""
    for path in records(store):
        record = unseal(path.read_bytes())
        del record["place"]
        path.write_bytes(seal(record, "a record"))
    assert told(store) == []
    folder = store.path / "runs" / "0002"
    shutil.copy(folder / "a-0000-0000.json", folder / "a-0000-0001.json")
    (line,) = told(store)
    assert line == "runs/0002/a-0000-0001.json is the record of a, task iteration 0, generation 0; hurts no task"


@pytest.mark.parametrize(
    ("gone", "line"),
    [
        ("0001", "runs/0001 is missing, with all that was tried in it"),
        ("0002/run.json", "runs/0002/run.json is missing, and other records of its run are there"),
        ("0002/a-0000-0000.json", "runs/0002/a-0000-0000.json is missing: 2 children were in it"),
        ("0002/a-0000-0001.json", "runs/0002/a-0000-0001.json is missing: 1 children were in it"),
        ("0003/b-0000-0000.json", "runs/0003/b-0000-0001.json or one before it is missing: none tells of model"),
        ("0003", "runs/0003/run.json is missing, though task 'b' was in that run"),
    ],
)
def test_a_record_that_is_missing_is_told(store: Store, gone: str, line: str) -> None:
    path = store.path / "runs" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert any(text.startswith(line) for text in told(store)), told(store)


def test_a_generation_with_fewer_children_than_were_counted(store: Store) -> None:
    store.write_run("0002", "a-0000-0000", generation(("a", 0, 0), [None]))
    assert told(store) == ["runs/0002/a-0000-0000.json holds 1 children, and there were 2; hurts no task"]


@pytest.mark.parametrize("name", ["a", "c"], ids=["evolved", "never evolved"])
def test_a_task_that_vanished_is_missed_and_its_model_stays(store: Store, name: str) -> None:
    model = model_of(store, "a")
    store.create_task(task_record("c", 3))
    store.task_path(name).unlink()
    (line,) = [text for text in told(store) if text.startswith("tasks/")]
    assert line.startswith(f"tasks/{name}.json is missing: take it from a backup, or give the task up with `munet task")
    assert line.endswith(f"hurts task {name}")
    with pytest.raises(DamagedError, match="nothing was removed"):
        gc(store)
    assert store.has_model(model)
    with pytest.raises(DamagedError, match="is missing: take it from a backup"):
        store.read_task(name)


def test_a_task_that_was_removed_is_not_missed(store: Store) -> None:
    store.remove_task("a")
    assert not any(text.startswith("tasks/") for text in told(store))
    gc(store)
    with pytest.raises(InputError, match="has no task 'a'"):
        store.read_task("a")


def test_giving_up_a_task_that_vanished(store: Store) -> None:
    store.task_path("a").unlink()
    store.remove_task("a")
    gc(store)
    assert not any(text.startswith("tasks/") for text in told(store))


def test_the_list_of_tasks_is_itself_watched(store: Store) -> None:
    path = store.path / "tasks.json"
    path.write_bytes(path.read_bytes().replace(b'"a"', b'"x"'))
    (line,) = [text for text in told(store) if text.startswith("tasks.json does not match the checksum")]
    assert f"`munet status {store.path}` names all tasks, `rm {path}` helps" in line
    with pytest.raises(DamagedError, match="nothing was removed"):
        gc(store)
    path.unlink()  # what the line says
    assert told(store) == []
    gc(store)
    store.create_task(task_record("c", 3))
    assert listed(store) == {"a", "b", "c"}


def test_a_crash_between_record_and_list_is_no_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("munet.store.store.note_tasks", lambda store, removed=(): None)
    store.create_task(task_record("c", 3))
    assert told(store) == []
    monkeypatch.undo()
    store.create_task(task_record("d", 4))
    store.task_path("c").unlink()
    assert any(text.startswith("tasks/c.json is missing") for text in told(store))
