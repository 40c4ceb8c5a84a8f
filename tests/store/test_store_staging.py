"""A system that is made beside its place: it is there whole, or not at all."""

from pathlib import Path

import pytest

from munet.errors import StoreError
from munet.store import Store
from munet.store.staging import refuse_taken, staged
from store_tools import make_store


def test_it_is_in_its_place_at_the_end_and_not_before(tmp_path: Path):
    target = tmp_path / "s"
    with staged(target) as stage:
        assert stage.parent == target.parent
        assert stage.name == ".s.importing"
        root = make_store(stage).root
        assert not target.exists()
    assert Store.open(target).root == root
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_an_empty_folder_may_be_the_place(tmp_path: Path):
    (tmp_path / "s").mkdir()
    with staged(tmp_path / "s") as stage:
        make_store(stage)
    assert Store.open(tmp_path / "s").tasks() == []


def test_nothing_is_left_when_making_it_fails(tmp_path: Path):
    def fail() -> None:
        with staged(tmp_path / "s") as stage:
            make_store(stage)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_system_yet_is_not_removed(tmp_path: Path):
    def fail() -> None:
        with staged(tmp_path / "s") as stage:
            stage.mkdir()
            (stage / "mine").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / ".s.importing" / "mine").exists()


def test_what_a_killed_attempt_left_is_cleared(tmp_path: Path):
    make_store(tmp_path / ".s.importing")
    with staged(tmp_path / "s") as stage:
        assert not stage.exists()
        make_store(stage)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_another_process_that_makes_it_is_not_disturbed(tmp_path: Path):
    other = make_store(tmp_path / ".s.importing")
    with other.evolving(), pytest.raises(StoreError, match="is already importing"), staged(tmp_path / "s"):
        pytest.fail("must not begin")
    assert Store.open(other.path).root == other.root


def test_a_taken_place_is_refused(tmp_path: Path):
    system = make_store(tmp_path / "s").path
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    said = {
        system: f"{system} is already a munet system: choose another path",
        tmp_path / "file": f"{tmp_path / 'file'} is not empty: choose another path",
        tmp_path / "full": f"{tmp_path / 'full'} is not empty: choose another path",
    }
    for place, words in said.items():
        with pytest.raises(StoreError) as caught:
            refuse_taken(place)
        assert (str(caught.value), caught.value.kind) == (words, "exists")
    refuse_taken(tmp_path / "free")
