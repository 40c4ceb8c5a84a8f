"""Clones without weights: manifests come at once, layers when they are used, and what is missing is said to be."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import munet
from cli_tools import Run
from golden_ids import images
from growing import evolve
from munet.errors import DamagedError, InputError, StoreError
from munet.fs import opened
from munet.sharing.copying import Copied, copy_root
from munet.sharing.exchange import exchange
from munet.sharing.folder import FolderPlace
from munet.sharing.remotes import add_remote
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from munet.store.manifests import layers_of
from sharing_tools import fleet, place, retain
from store_tools import layer_bytes


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    store = fleet(tmp_path / "theirs", "flowers")
    retain(store, "flowers", "1")
    return store


def partial(source: Store, path: Path) -> Store:
    """A system that takes manifests from another one, and layers when they are used."""

    def from_there(made: Store) -> FolderPlace:
        return FolderPlace(made, check=None, on_use_from=str(source.path))

    store = Store.create(path, lambda made: copy_root(place(source), from_there(made), Copied()))
    exchange(place(source), from_there(store))
    return store


@pytest.fixture
def mine(theirs: Store, tmp_path: Path) -> Store:
    return partial(theirs, tmp_path / "mine")


def head_of(store: Store) -> str:
    model = store.read_task("flowers")["model"]
    return store.get_model(str(model))["layers"]["head"]


def test_a_place_that_nobody_here_has_named_is_not_asked(
    mine: Store, theirs: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNET_STATE", str(tmp_path / "of another machine"))
    monkeypatch.setattr(opened, "_here", set())
    with pytest.raises(StoreError, match=f"nobody on this machine has asked for: `munet remote add {mine.path} NAME"):
        mine.get_layer_bytes(head_of(mine))
    add_remote(mine, "origin", str(theirs.path))
    assert mine.get_layer_bytes(head_of(mine))


def test_layers_come_when_they_are_used_and_then_stay(mine: Store, theirs: Store) -> None:
    assert list(mine.layers.ids()) == []
    head, layers = head_of(mine), len(list(theirs.layers.ids()))
    assert mine.has_layer(head)
    report = fsck(mine)
    assert (report.ok, report.elsewhere, report.strays) == (True, layers, [])
    assert mine.get_layer_bytes(head) == theirs.get_layer_bytes(head)
    assert mine.layer_header(head) == theirs.layer_header(head)
    assert list(mine.layers.ids()) == [head]
    shutil.rmtree(theirs.path)
    assert mine.get_layer_bytes(head)
    assert fsck(mine).elsewhere == layers - 1


def test_what_cannot_be_had_is_one_line_that_says_where_it_is(mine: Store, theirs: Store) -> None:
    head = head_of(mine)
    theirs.path.rename(theirs.path.with_name("away"))
    with pytest.raises(StoreError, match=rf"layer {head[:10]} of {mine.path} .* at {theirs.path}") as error:
        mine.get_layer_bytes(head)
    assert (error.value.kind, "\n" in str(error.value)) == ("remote", False)
    with pytest.raises(StoreError, match="is not here"):
        mine.layer_header(head)
    theirs.path.with_name("away").rename(theirs.path)
    theirs.layer_path(head).unlink()
    with pytest.raises(DamagedError, match="is missing"):
        mine.get_layer_bytes(head)


def test_what_comes_is_checked(mine: Store, theirs: Store) -> None:
    path = theirs.layer_path(head_of(mine))
    for data, fault in (
        (layer_bytes("another"), "other content"),
        (b"\xff" * 40, "is no layer"),
        (bytes(1 << 21), "has more than|is no layer"),
    ):
        path.write_bytes(data)
        with pytest.raises(DamagedError, match=fault):
            mine.get_layer_bytes(head_of(mine))
        assert list(mine.layers.ids()) == []


def test_a_collection_forgets_what_is_no_longer_counted_on(mine: Store, theirs: Store) -> None:
    old = head_of(mine)
    mine.get_layer_bytes(old)
    retain(mine, "flowers", "2")
    gc(mine, dry_run=True)
    assert old in mine.promises
    gc(mine)
    assert old not in mine.promises
    assert not mine.has_layer(old)
    assert set(mine.promises.layers()) == {layer for _, layer in layers_of(mine.get_model(mine.root))}
    assert fsck(mine).ok


def test_what_is_not_promised_is_damage_as_everywhere(mine: Store) -> None:
    mine.promises.keep(())
    report = fsck(mine)
    assert {damage.reason for damage in report.damaged} == {"is missing"}
    with pytest.raises(DamagedError, match="is missing"):
        mine.get_layer_bytes(head_of(mine))


def test_it_can_push_and_be_pulled_from(mine: Store, theirs: Store, tmp_path: Path) -> None:
    model = retain(mine, "flowers", "2", by="bob")
    assert exchange(place(mine), place(theirs))[0].model == model
    whole = fleet(tmp_path / "whole")
    exchange(place(mine), place(whole))
    assert fsck(whole).elsewhere == 0
    assert fsck(whole).ok


# -- whole systems ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system with one task and its model. Only read it."""
    folder = tmp_path_factory.mktemp("weights")
    system = munet.System.create(folder / "alice", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    images(folder / "bars", 3)
    system.add_task("bars", f"npz:{folder / 'bars'}")
    evolve(system, method="head-only", threads=1, executor="local")
    return folder


def test_a_person_predicts_and_evolves_in_a_clone_without_weights(grown: Path, tmp_path: Path, run: Run) -> None:
    alice, bob = munet.System.open(grown / "alice"), tmp_path / "bob"
    assert run("clone", grown / "alice", bob, "--no-weights")[0] == 0
    system = munet.System.open(bob)
    assert not list(system.store.layers.ids())
    assert "will come when used" in run("fsck", bob)[1]
    for words in (("status", bob), ("show", bob, "bars"), ("log", bob, "bars")):
        assert run(*words)[0] == 0
    assert not list(system.store.layers.ids()), "what is said of models needs no weights"
    picture = np.load(grown / "bars" / "test.npz")["image"][:4, ..., None]
    assert (system.predict("bars", picture).probabilities == alice.predict("bars", picture).probabilities).all()
    system.move_task("bars", f"npz:{grown / 'bars'}")
    evolve(system, method="head-only", threads=1, executor="local", seed=3)
    assert run("fetch", bob, "--weights")[1].endswith("came\n")
    assert system.fsck().elsewhere == 0


def test_of_a_clone_without_weights_there_is_none(grown: Path, tmp_path: Path) -> None:
    bob = munet.System.clone(str(grown / "alice"), tmp_path / "bob", weights=False)
    with pytest.raises(StoreError, match=f"they lie at {grown / 'alice'}: clone that"):
        munet.System.clone(str(bob.path), tmp_path / "carol", weights=False)
    assert not (tmp_path / "carol").exists()


def test_pulls_of_such_a_clone_leave_layers_where_they_are(grown: Path, tmp_path: Path) -> None:
    alice = munet.System.open(shutil.copytree(grown / "alice", tmp_path / "alice"))
    bob = munet.System.clone(str(alice.path), tmp_path / "bob", weights=False)
    images(tmp_path / "more", 4)
    alice.add_task("more", f"npz:{tmp_path / 'more'}", allow_duplicates=True)
    evolve(alice, method="head-only", threads=1, executor="local")
    bob.pull()
    assert bob.task("more")["model"] == alice.task("more")["model"]
    assert not list(bob.store.layers.ids())
    assert bob.fetch_weights() > 0
    assert bob.fsck().ok
    shutil.rmtree(alice.path)
    picture = np.load(grown / "bars" / "test.npz")["image"][:4, ..., None]
    assert bob.predict("bars", picture).classes
    with pytest.raises((StoreError, InputError)):
        bob.pull()
