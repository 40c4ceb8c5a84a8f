"""Who evolved a model: by the record of its task."""

from pathlib import Path

import pytest

from munet.analysis import model_history
from munet.analysis.authors import author_of, authors
from munet.store import Store
from munet.store.derived import lineage
from sharing_tools import fleet, retain
from store_tools import changed, manifest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return fleet(tmp_path / "s", "flowers", "signs")


def people(store: Store, model: str) -> list[list[str]]:
    return authors(store, lineage(store, model))


def test_each_model_of_a_lineage_has_who_evolved_it_and_the_root_nobody(store: Store) -> None:
    first = retain(store, "flowers", "1", by="alice")
    second = retain(store, "signs", "2", by="bob", parent=first)
    assert people(store, second) == [["bob"], ["alice"], []]
    assert author_of(store.read_task("signs")) == "bob"
    origins = model_history.origins(store, second)
    assert origins["head"] == ("signs", ["bob"])
    assert {origin for slot, (origin, _) in origins.items() if slot != "head"} == {"root"}


def test_a_model_that_was_not_retained_is_of_whoever_retained_the_next_one_of_its_task(store: Store) -> None:
    with store.commit():
        layers = store.get_model(store.root)["layers"]
        between = store.put_model(manifest(layers, task="flowers", parent=store.root))
        last = retain(store, "flowers", "1", by="alice", parent=between)
    assert people(store, last) == [["alice"], ["alice"], []]
    assert people(store, between) == [[], []]
    other = retain(store, "signs", "2", by="bob", parent=between)
    assert people(store, other) == [["bob"], [], []]


def test_nobody_is_named_where_records_name_nobody(store: Store) -> None:
    model = retain(store, "flowers", "1")
    record = store.read_task("flowers")
    store.write_task(changed(record, retained={}))
    assert people(store, model) == [[], []]
    assert author_of(store.read_task("flowers")) is None
    assert author_of(store.read_task("signs")) is None
