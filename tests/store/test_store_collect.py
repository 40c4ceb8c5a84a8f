"""A local collection ends where gc would, looks at less, and may be cut off."""

import errno
import os
import random
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import munet.store.relations
from munet.errors import DamagedError, StoreError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import collect, gc
from munet.store.objects import Objects
from munet.store.relations import FILE
from store_tools import (
    Faults,
    changed,
    files_of,
    generation,
    grown_store,
    layer_bytes,
    make_store,
    manifest,
    parent_of,
    population_of,
    put_child,
    task_record,
)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parents go to their file at once, as they do in a system of hundreds of models."""
    monkeypatch.setattr(munet.store.relations, "_UNSAVED", 0)


def nothing_more_to_collect(store: Store) -> bool:
    report = gc(store, dry_run=True)
    return (report.models, report.layers) == (0, 0) and fsck(store).ok


class Life:
    """Task iterations as evolution runs them: children of living models, one of them retained, the rest let go."""

    def __init__(self, path: Path) -> None:
        self.store = make_store(path)
        self.iterations = dict.fromkeys("abc", 0)
        for added, name in enumerate(self.iterations):
            self.store.create_task(task_record(name, added))
        self.run = self.store.new_run({})

    def iterate(self, draw: random.Random) -> None:
        """One task iteration of one task, and what it let go is collected."""
        name, store = draw.choice(sorted(self.iterations)), self.store
        record = store.read_task(name)
        public = [r["model"] for r in store.task_records() if r["model"] and r["name"] != name] + [store.root]
        population = [record["model"]] if record["model"] else []
        children: list[str] = []
        iteration = self.iterations[name]
        for _ in range(draw.randrange(5)):
            with store.commit():
                child = self.put(name, draw.choice(population + public), draw)
                children.append(child)
                population.append(child)
                store.write_run(self.run, f"{name}-{iteration:04d}-0000", generation((name, iteration, 0), children))
                if draw.random() < 0.3:
                    active = {"run": self.run, "iteration": 0, "population": population}
                    store.write_task(changed(record, active=active))
        if draw.random() < 0.15:  # interrupted: what is in the run's record still waits for its verdict
            collect(store, population)
            assert all(store.has_model(model) for model in children)
        best = draw.choice(population) if population else None
        last = {"run": self.run, "iteration": iteration}
        store.write_task(changed(record, model=best, active=None, last=last))
        self.iterations[name] += 1
        given = [*population, *draw.sample(public, draw.randrange(len(public) + 1)), "0" * 64]
        draw.shuffle(given)
        collect(store, given)

    def put(self, task: str, parent: str, draw: random.Random) -> str:
        """A child that shares some of its parent's layers; few contents, so that models meet at the same layers."""
        store = self.store
        layers = dict(store.get_model(parent)["layers"])
        trained = [slot for slot in ("embedding", "block.0", "norm") if draw.random() < 0.4]
        for slot in (*trained, "head"):
            layers[slot] = store.put_layer_bytes(layer_bytes(f"{slot} {draw.randrange(4)}"))
        momentum = {slot: store.put_layer_bytes(layer_bytes(f"momentum {draw.randrange(4)}")) for slot in trained}
        return store.put_model(manifest(layers, task=task, parent=parent, momentum=momentum, draw=draw.randrange(6)))


# The fixture is set once for all examples, which is what is wanted.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), reopened=st.booleans())
@pytest.mark.usefixtures("eager")
def test_after_any_life_there_is_nothing_left_for_gc(seed: int, reopened: bool):
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="munet-store-") as folder, Faults().injected():
        life = Life(Path(folder) / "s")
        for _ in range(8):
            life.iterate(draw)
            report = gc(life.store, dry_run=True)
            assert (report.models, report.layers) == (0, 0)
            if reopened:
                life.store = Store.open(life.store.path)
            if draw.random() < 0.2:  # the cache is what its checksum says or it is nothing
                file = life.store.path / FILE
                data = bytearray(file.read_bytes())
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
                file.write_bytes(data[: draw.choice([len(data), draw.randrange(len(data))])])
        assert nothing_more_to_collect(life.store)


def test_what_is_not_given_stays(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    lost = [put_child(store, "a", store.root, f"lost {number}") for number in range(2)]
    loose = store.put_layer_bytes(layer_bytes("loose"))
    report = collect(store, lost[:1])
    assert (report.models, report.layers, report.dry_run) == (1, 2, False)
    assert [store.has_model(model) for model in lost] == [False, True]
    assert store.has_layer(loose)
    assert gc(store).layers == 3


def test_ancestors_that_only_told_the_history_of_what_goes_go_too(tmp_path: Path):
    """Iteration 1 retains b, child of a; iteration 2 replaces it by a child of the root."""
    store = make_store(tmp_path / "s")
    store.create_task(task_record("t"))
    a = put_child(store, "t", store.root, "a")
    b = put_child(store, "t", a, "b")
    store.write_task(task_record("t", model=b))
    report = collect(store, [a, b])
    assert (report.models, report.layers) == (0, 2)  # a's manifest stays, its head and momentum go
    c = put_child(store, "t", store.root, "c")
    store.write_task(task_record("t", model=c))
    report = collect(store, [b, c])
    assert (report.models, report.layers) == (2, 2)
    assert not store.has_model(a)
    assert nothing_more_to_collect(store)


def test_it_lists_nothing_and_reads_no_model_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = grown_store(tmp_path / "s")
    lost = put_child(store, "a", store.root, "lost")

    def refuse(objects: Objects) -> None:
        raise AssertionError(f"the {objects.kind}s were listed")

    monkeypatch.setattr(Objects, "_listings", refuse)
    collect(store, [])
    read: list[str] = []
    get = Objects.get
    monkeypatch.setattr(Objects, "get", lambda self, id, verify=True: (read.append(id), get(self, id, verify))[1])
    assert collect(store, [lost]).models == 1
    first = list(read)
    collect(store, [lost])
    assert len(set(first)) == len(first)
    assert read == first


@pytest.mark.usefixtures("eager")
def test_the_next_process_reads_parents_from_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("t"))
    line = [store.root]
    for number in range(9):
        line.append(put_child(store, "t", line[-1], str(number)))
    store.write_task(task_record("t", model=line[-1]))
    collect(store, line)
    reopened = Store.open(store.path)
    read: list[str] = []
    get = Objects.get
    monkeypatch.setattr(Objects, "get", lambda self, id, verify=True: (read.append(id), get(self, id, verify))[1])
    assert reopened.facts.ancestors([line[-1]]) == set(line[:-1])
    assert read == []
    (store.path / FILE).unlink()
    assert Store.open(store.path).facts.ancestors([line[-1]]) == set(line[:-1])
    assert sorted(read) == sorted(line)


def test_a_file_of_parents_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(munet.store.relations, "_UNSAVED", -1)
    store = grown_store(tmp_path / "s")
    (store.path / FILE).mkdir()
    lost = put_child(store, "a", store.root, "lost")
    assert collect(store, [lost]).models == 1
    assert nothing_more_to_collect(Store.open(store.path))


@pytest.mark.parametrize("victim", ["task", "run", "model", "ancestor", "given"])
def test_nothing_goes_while_damage_hides_what_has_to_stay(tmp_path: Path, victim: str):
    store = grown_store(tmp_path / "s")
    lost = put_child(store, "a", store.root, "lost")
    model = population_of(store, "b")[0]
    path = {
        "task": store.task_path("a"),
        "run": store.run_path("0001", "b-0000-0000"),
        "model": store.models.path(model),
        "ancestor": store.models.path(parent_of(store, model)),
        "given": store.models.path(lost),
    }[victim]
    before = files_of(store)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(DamagedError, match=r"nothing was removed, .*: `munet fsck .*` lists all damage") as e:
        collect(store, [lost])
    assert str(path) in str(e.value)
    assert files_of(store) == before
    path.write_bytes(whole)
    assert collect(store, [lost]).models == 1


def test_a_call_that_was_cut_off_is_finished_by_the_same_call(tmp_path: Path):
    """Here every k-th removal fails and all after it; a kill is the same, for each removal is one system call."""
    k, fired = 1, True
    while fired:
        store = grown_store(tmp_path / str(k))
        line = [store.root]
        for number in range(3):
            line.append(put_child(store, "a", line[-1], f"lost {number}"))
        given, faults = [line[3], line[2]], Faults(k, errno.EIO, sticky=True)
        with faults.injected():
            try:
                collect(store, given)
            except StoreError as error:
                assert os.strerror(errno.EIO) in str(error)  # noqa: PT017
        assert fsck(store).ok
        collect(Store.open(store.path), given)
        assert nothing_more_to_collect(store)
        fired, k = faults.fired, k + 1
    assert k > 8


def test_it_waits_for_a_running_commit(tmp_path: Path):
    store = make_store(tmp_path / "s")
    store.create_task(task_record("a"))
    done, model = threading.Event(), ""

    def start() -> None:
        collect(Store.open(store.path), [model])
        done.set()

    thread = threading.Thread(target=start)
    with store.commit():
        model = put_child(store, "a", store.root, "x")
        thread.start()
        assert not done.wait(0.2)
        store.write_task(task_record("a", model=model))
    thread.join(30)
    assert done.is_set()
    assert nothing_more_to_collect(store)
    assert store.has_model(model)
