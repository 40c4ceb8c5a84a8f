"""Sealed records and manifests whose values are of the wrong type are damage, for readers and for fsck alike."""

import shutil
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.errors import DamagedError, InputError, StoreError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.manifests import encode
from munet.store.records import canonical, seal
from munet.store.run_records import read_config
from munet.store.typed import wrong_type
from store_tools import changed, grown_store, manifest, model_of

WRONG = (None, True, 3, 2.5, "x", [], [None], {}, {"a": []}, [[1]])


class Inner(TypedDict):
    name: str
    sides: list[int] | None


class Outer(TypedDict):
    inner: Inner
    more: NotRequired[dict[str, float]]
    of: list[Inner]
    flag: bool


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"inner": {"name": "x", "sides": None}, "more": {"a": 1, "b": 2.5}, "of": [], "flag": True, "new": 7}, None),
        ({}, None),
        ([], "'' should be an object, not a list"),
        ({"flag": 1}, "'flag' should be true or false, not a whole number"),
        ({"inner": {"name": None}}, "'inner.name' should be a text, not null"),
        ({"inner": {"sides": [1, 2.5]}}, "'inner.sides.1' should be a whole number, not a number"),
        ({"inner": {"sides": [True]}}, "'inner.sides.0' should be a whole number, not true or false"),
        ({"inner": {"sides": "x"}}, "'inner.sides' should be a list or null, not a text"),
        ({"more": {"a": "x"}}, "'more.a' should be a number, not a text"),
        ({"of": [{"name": "x"}, {"name": 3}]}, "'of.1.name' should be a text, not a whole number"),
        ({"of": {}}, "'of' should be a list, not an object"),
    ],
)
def test_a_fault_is_named_by_its_place(value: Any, says: str | None):
    assert wrong_type(value, Outer) == says


NESTED = st.recursive(
    st.sampled_from(WRONG), lambda inner: st.dictionaries(st.text(max_size=3), inner) | st.lists(inner)
)


@given(NESTED)
def test_what_passes_has_the_types_that_were_asked_for(value: Any):
    if wrong_type({"inner": value, "of": value}, Outer) is None:  # no value is an object and a list
        raise AssertionError(value)
    if wrong_type(value, Inner) is None:
        assert isinstance(value.get("name", ""), str)
        assert isinstance(value.get("sides"), list | None)


KEYS = [
    ("tasks/b.json", key)
    for key in ("name", "source", "private", "classes", "splits", "added", "model", "active", "last", "selections")
]
KEYS += [("runs/0001/run.json", key) for key in ("request", "threads", "started", "versions", "machine")]
KEYS += [("runs/0001/b-0000-0000.json", key) for key in ("task", "iteration", "children")]
KEYS += [("runs/0001/finished.json", "abandoned"), ("runs/0001/b-0000.end.json", "system")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = grown_store(tmp_path_factory.mktemp("whole") / "s")
    store.write_run("0001", "finished", {"finished": "now", "abandoned": False})
    store.write_run("0001", "b-0000.end", {"task": "b", "iteration": 0})
    return store


def said_of(store: Store, file: str) -> str:
    """What a reader of a record complains of."""
    try:
        store.read_task("b") if "tasks" in file else store.read_run("0001", Path(file).name)
    except DamagedError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("file", "key"), KEYS)
def test_wrong_types_in_sealed_records_are_damage(tmp_path: Path, whole: Store, file: str, key: str):
    """What a reader complains of is found by fsck, which no value breaks."""
    store = Store.open(shutil.copytree(whole.path, tmp_path / "s"))
    path = store.path / file
    record = store.read_task("b") if "tasks" in file else store.read_run("0001", path.name)
    found = 0
    for value in WRONG:
        path.write_bytes(seal({**record, key: value}, "it"))
        said = said_of(store, file)
        if said:
            assert any(words in said for words in ("should be", "is missing", "is the record of", "names the model"))
            found += 1
        listed = [damage.path for damage in fsck(store).damaged]  # more than what a reader of this record can tell
        assert not said or file in listed
    assert found >= 5


def test_what_a_record_lacks_is_named_when_it_is_needed(whole: Store):
    record = whole.read_task("b")
    with pytest.raises(StoreError, match=r"tasks/b\.json lacks 'splits', which is needed here"):
        record["splits"]
    assert record.get("splits") is None
    assert {**record} == record | {}
    with pytest.raises(StoreError, match=r"models/.*\.json lacks 'hyperparameters', which is needed here"):
        whole.get_model(whole.root)["hyperparameters"]


def test_a_manifest_of_wrong_types_is_neither_put_nor_read(whole: Store):
    good = whole.get_model(model_of(whole, "a"))
    for key in ("architecture", "layers", "sizes", "hyperparameters", "mutations", "generation", "stream", "metrics"):
        for value in (None, 2.5, "x", [None]):
            bad = changed(good, **{key: value})
            with pytest.raises(InputError):
                encode(bad)
            id = whole.models.put(canonical(bad, "it"))
            with pytest.raises(DamagedError, match="is no model manifest"):
                whole.get_model(id)
            whole.models.path(id).unlink()


def test_a_run_that_is_no_run_is_told(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    store.files.write(store.path / "runs" / "0001" / "run.json", seal({"request": [1]}, "it"))
    with pytest.raises(DamagedError, match=r"'request' should be an object, not a list"):
        read_config(store, "0001")


def test_what_could_not_be_read_again_is_not_written():
    deep: Any = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(InputError, match="nested more than"):
        encode(manifest({}, hyperparameters={"deep": deep}))
    with pytest.raises(InputError, match="bytes: a record may have at most"):
        canonical({"x": "y" * (9 << 20)}, "it")
