"""What a remote may hold that is wrong, in a folder and in an object store: the task is refused in one line with exit
code 2, all others come, and nothing here changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from munet.errors import InputError
from munet.sharing.exchange import Outcome, Refused, exchange
from munet.sharing.place import TASKS, Place
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.layer_file import id_of_bytes
from munet.store.manifests import encode, id_of_manifest
from munet.store.objects import Objects
from munet.store.records import canonical, seal
from munet.store.retained import history_of
from munet.store.schema import TaskRecord
from sharing_tools import fleet, place, retain
from store_tools import layer_bytes

Lie = Callable[[Store, TaskRecord], dict[str, Any] | bytes]


def in_folder(store: Store) -> Place:
    return place(store)


def in_objects(store: Store) -> Place:
    """The same files as objects."""
    pytest.importorskip("obstore", reason="obstore is not installed")
    import obstore
    from obstore.store import MemoryStore

    from munet.fs.bucket import Bucket
    from munet.sharing.objects import ObjectPlace

    memory = MemoryStore()
    for file in store.path.rglob("*"):
        if file.is_file() and not file.name.startswith("."):
            obstore.put(memory, str(file.relative_to(store.path)), file.read_bytes())
    made = ObjectPlace(Bucket(memory, "memory:///fleet"))
    assert made.open()
    return made


def said(**change: Any) -> Lie:
    """Another value in the record."""
    return lambda store, record: {**record, **change}


def of_model(**change: Any) -> Lie:
    """A head whose manifest says something else."""

    def lie(store: Store, record: TaskRecord) -> dict[str, Any]:
        manifest = store.get_model(str(record["model"]))
        metrics = {**manifest["metrics"], **change.get("metrics", {})}
        return head(store, record, canonical({**manifest, **change, "metrics": metrics}, "a manifest"))

    return lie


def head(store: Store, record: TaskRecord, manifest: bytes) -> dict[str, Any]:
    id = id_of_manifest(manifest)
    put(store.models, id, manifest)
    entry = {"replaces": [record["model"]], "by": ["mallory"], "test": None}
    return {**record, "model": id, "test": None, "retained": {**history_of(record), id: entry}}


def put(objects: Objects, id: str, data: bytes) -> None:
    objects.path(id).parent.mkdir(parents=True, exist_ok=True)
    objects.path(id).write_bytes(data)


def wrong_layer(data: Callable[[], bytes]) -> Lie:
    """A head with a layer whose name says something else than its bytes."""

    def lie(store: Store, record: TaskRecord) -> dict[str, Any]:
        put(store.layers, "ab" * 32, data())
        manifest = store.get_model(str(record["model"]))
        return head(store, record, encode({**manifest, "layers": {**manifest["layers"], "head": "ab" * 32}}))

    return lie


def a_test(**change: Any) -> Lie:
    def lie(store: Store, record: TaskRecord) -> dict[str, Any]:
        model = str(record["model"])
        test = {"model": model, "accuracy": 0.5, "examples": 10, **change}
        return {**record, "retained": {model: {**history_of(record)[model], "test": test}}}

    return lie


def in_a_circle(store: Store, record: TaskRecord) -> dict[str, Any]:
    """A parent that has the name of another model, as a circle would need."""
    manifest = store.get_model(str(record["model"]))
    put(store.models, "1" * 64, encode({**manifest, "parent": "1" * 64}))
    return head(store, record, encode({**manifest, "parent": "1" * 64}))


def cut(store: Store, record: TaskRecord) -> bytes:
    return seal(record, "x")[:200]


def huge(store: Store, record: TaskRecord) -> bytes:
    return b'{"active":' + b" " * (9 << 20)


LIES: dict[str, Lie] = {
    "an id that is a path": said(model="../../../etc/passwd", retained={}),
    "the name of another task": said(name="../evil"),
    "another type": said(iterations="many"),
    "less than no iterations": said(iterations=-5),
    "more iterations than anybody can do": said(iterations=10**30),
    "a newer format": said(format=2),
    "cut off": cut,
    "larger than a record": huge,
    "wrong bytes": wrong_layer(lambda: layer_bytes("something else")),
    "a huge header": wrong_layer(lambda: (2**40).to_bytes(8, "little") + b"{}"),
    "a layer that is not there": of_model(layers={"head": "cd" * 32}),
    "a layer that is a path": of_model(layers={"head": "../../x"}),
    "a circle of parents": in_a_circle,
    "700 percent": of_model(metrics={"validation_accuracy": 7.0}),
    "less than nothing right": of_model(metrics={"validation_accuracy": -0.1}),
    "more images than there are": of_model(metrics={"validation_examples": 10**30}),
    "a size of less than nothing": of_model(sizes={"head": -1}),
    "a depth of less than nothing": of_model(generation=-1),
    "a test of 700 percent": a_test(accuracy=7.0),
    "answers surer than sure": a_test(temperature=0.0),
    "answers surer than sure, negative": a_test(temperature=-1.0),
}


@pytest.mark.parametrize("there", [in_folder, in_objects])
@pytest.mark.parametrize("name", LIES)
def test_a_task_that_is_wrong_there_is_refused_and_the_others_come(
    tmp_path: Path, name: str, there: Callable[[Store], Place]
) -> None:
    remote, mine = fleet(tmp_path / "remote", "flowers", "signs"), fleet(tmp_path / "mine")
    retain(remote, "flowers", "1")
    exchange(place(remote), place(mine))
    before = mine.task_path("flowers").read_bytes()
    sign = retain(remote, "signs", "2")
    lie = LIES[name](remote, remote.read_task("flowers"))
    remote.task_path("flowers").write_bytes(lie if isinstance(lie, bytes) else seal(lie, "x"))
    with pytest.raises(Refused) as refused:
        exchange(there(remote), place(mine))
    assert (refused.value.exit_code, "\n" in str(refused.value)) == (2, False)
    assert words(refused.value.outcomes) == {"flowers": "refused", "signs": "taken"}
    assert mine.task_path("flowers").read_bytes() == before
    assert mine.read_task("signs")["model"] == sign
    assert fsck(mine).ok


def words(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.task: outcome.what for outcome in outcomes}


def test_what_descends_from_a_task_whose_record_cannot_be_read_stays_at_home(tmp_path: Path) -> None:
    """It may be a private one."""
    mine, target = fleet(tmp_path / "mine", "patients", "flowers"), fleet(tmp_path / "target")
    retain(mine, "flowers", "2", parent=retain(mine, "patients", "1"))
    mine.task_path("patients").write_bytes(b"garbage")
    with pytest.raises(Refused) as refused:
        exchange(place(mine), place(target))
    assert set(words(refused.value.outcomes).values()) == {"refused"}
    assert target.task_names() == []


def test_too_many_tasks_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote, mine = fleet(tmp_path / "remote"), fleet(tmp_path / "mine")
    monkeypatch.setattr(remote, "task_names", lambda: [f"t{number}" for number in range(TASKS + 1)])
    with pytest.raises(InputError, match=f"at most {TASKS} are read") as refused:
        exchange(place(remote), place(mine))
    assert refused.value.exit_code == 2


def test_a_manifest_larger_than_any_is_not_even_read(tmp_path: Path) -> None:
    remote, mine = fleet(tmp_path / "remote", "flowers"), fleet(tmp_path / "mine")
    model = retain(remote, "flowers", "1")
    with open(remote.models.path(model), "ab") as file:
        file.truncate(1 << 40)  # a hole: it takes no disk
    with pytest.raises(Refused, match="has more than"):
        exchange(place(remote), place(mine))


def test_the_ids_of_these_tests_are_those_of_their_bytes() -> None:
    assert id_of_bytes(layer_bytes("something else")) != "ab" * 32
