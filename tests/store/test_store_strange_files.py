"""Links and special files in the place of everything a system is made of: nothing leads out of it, nothing hangs."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from munet.errors import MunetError
from munet.fs import folders
from munet.fs.tree import Tree
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import collect, gc
from store_tools import grown_store, layer_bytes, model_of, put_child, task_record
from strange_files import KINDS, follow_links, in_time, not_read, replace, state_of, were_read

PLACES = (
    "munet.json",
    ".lock",
    ".turn",
    ".tasks",
    "tasks.json",
    ".evolving",
    ".evolving-a",
    ".lineage",
    "layers",
    "models",
    "tasks",
    "runs",
    "layers/LAYER",
    "layers/LAYER/LAYER",
    "models/MODEL",
    "models/MODEL/MODEL",
    "tasks/a.json",
    "runs/0001",
    "runs/0002",
    "runs/0001/run.json",
    "runs/0001/b-0000-0000.json",
    "runs/0001/finished.json",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = grown_store(tmp_path_factory.mktemp("whole") / "s")
    loose = put_child(store, "b", store.root, "loose")
    store.facts.parent(loose)
    store.files.write(store.path / ".lineage", b"munet-lineage-1\n")
    return store


def path_of(store: Store, place: str) -> Path:
    model = store.models.path(model_of(store, "a"))
    layer = store.layer_path(store.get_model(model_of(store, "a"))["layers"]["head"])
    for word, file in (("MODEL", model), ("LAYER", layer)):
        place = place.replace(f"{word}/{word}", f"{file.parent.name}/{file.name}").replace(word, file.parent.name)
    return store.path / place


def uses(path: Path) -> list[Callable[[], object]]:
    """Everything that reads, writes, locks or removes, each on a store that is opened anew."""

    def reads() -> None:
        store = Store.open(path)
        for model in list(store.models.ids()):
            [store.get_layer_bytes(layer) for layer in store.get_model(model)["layers"].values()]
        store.task_records()
        [store.read_run(run, file) for run in store.runs() for file in store.run_files(run)]

    def writes() -> None:
        store = Store.open(path)
        with store.commit():
            model = put_child(store, "a", store.root, "a0")
            store.write_run("0001", "b-0000-0000", {"children": []})
            store.write_run("0001", "finished", {})
            store.write_task(task_record("a", 1, model=model))

    def evolves() -> None:
        store = Store.open(path)
        with store.evolving("a"):
            store.new_run({})
            collect(store, list(store.models.ids()))

    return [
        reads,
        writes,
        evolves,
        lambda: Store.open(path).create_task(task_record("new", 3)),
        lambda: Store.open(path).put_layer_bytes(layer_bytes("a layer that is new")),
        lambda: Store.open(path).remove_task("a"),
        lambda: fsck(Store.open(path)),
        lambda: gc(Store.open(path), dry_run=True),
        lambda: gc(Store.open(path)),
    ]


def misled(path: Path, outside: Path) -> list[str]:
    """What was read, changed, made or removed outside, or took for ever."""
    not_read(outside)
    before, wrong = state_of(outside), list[str]()
    not_read(outside)  # `state_of` reads, too
    for number, use in enumerate(uses(path)):
        try:
            with in_time():
                use()
        except MunetError as error:
            if "\n" in str(error) or str(path) not in str(error):
                wrong.append(f"use {number} says {error}")
        except Exception as error:
            wrong.append(f"use {number} ends in {error!r}")
        wrong += [f"use {number} read {file}" for file in were_read(outside)]
        if state_of(outside) != before:
            return [*wrong, f"use {number} changed what is outside"]
        not_read(outside)
    return wrong


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_leads_out_of_a_system_and_nothing_hangs(tmp_path: Path, whole: Store, place: str, kind: str):
    path = path_of(whole, place)
    copy = Path(shutil.copytree(whole.path, tmp_path / "s"))
    replace(copy / path.relative_to(whole.path), kind, tmp_path / "outside")
    assert misled(copy, tmp_path / "outside") == []


@pytest.mark.parametrize("place", ["layers/LAYER", "tasks/a.json", "runs/0001", ".lock"])
def test_this_test_catches_a_store_that_follows_links(
    tmp_path: Path, whole: Store, place: str, monkeypatch: pytest.MonkeyPatch
):
    follow_links(monkeypatch)
    path = path_of(whole, place)
    copy = Path(shutil.copytree(whole.path, tmp_path / "s"))
    kind = "dangling link" if place == ".lock" else "link to what was there"
    replace(copy / path.relative_to(whole.path), kind, tmp_path / "outside")
    assert misled(copy, tmp_path / "outside") != []


@pytest.mark.parametrize("kind", KINDS)
def test_without_dir_fd_links_that_are_there_are_refused_too(
    tmp_path: Path, whole: Store, kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(folders, "_RELATIVE", False)
    for number, place in enumerate(("layers/LAYER", "tasks/a.json", "runs/0001", ".lock")):
        copy = Path(shutil.copytree(whole.path, tmp_path / f"{number}"))
        replace(copy / path_of(whole, place).relative_to(whole.path), kind, tmp_path / f"outside {number}")
        assert misled(copy, tmp_path / f"outside {number}") == []


def test_the_system_itself_may_be_reached_through_a_link(tmp_path: Path):
    store = grown_store(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    linked = Store.open(tmp_path / "link")
    assert linked.tasks() == store.tasks()
    assert linked.put_layer_bytes(layer_bytes("new")) in store.layers.ids()
    assert fsck(linked).ok


def test_a_lock_that_has_another_name_too_is_not_written(tmp_path: Path):
    store = grown_store(tmp_path / "s")
    mine = tmp_path / "mine"
    mine.write_text("my own\n")
    (store.path / ".evolving").unlink()
    os.link(mine, store.path / ".evolving")
    with store.evolving():
        pass
    assert mine.read_text() == "my own\n"


def test_the_collection_stops_where_a_run_is_a_link(tmp_path: Path):
    """What the run's children were is not known, so nothing may go."""
    store = grown_store(tmp_path / "s")
    shutil.move(store.path / "runs" / "0001", tmp_path / "0001")
    (store.path / "runs" / "0001").symlink_to(tmp_path / "0001")
    assert [str(damage) for damage in fsck(store).damaged] == [
        "runs/0001 is a link, which munet never follows; hurts no task"
    ]
    with pytest.raises(MunetError, match="nothing was removed"):
        gc(store)


def test_no_path_leaves_a_tree(tmp_path: Path):
    tree: Any = Tree(tmp_path / "s")
    (tmp_path / "other").write_bytes(b"secret")
    for path in (tmp_path / "other", f"{tmp_path}/s/../other", f"{tmp_path}/s/./x", f"{tmp_path}/s//x"):
        with pytest.raises(ValueError, match="is not below"):
            tree.read(path)
