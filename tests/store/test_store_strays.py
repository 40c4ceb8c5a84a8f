"""Files that others leave in a system stop nothing; what may be left of a record is told as damage."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from munet.errors import DamagedError, InputError, MunetError
from munet.store import Store
from munet.store.fsck import fsck
from munet.store.gc import gc
from store_tools import grown_store, task_record

NOTES = (b"a line of text\n", b'{"note": "buy milk"}', b"[1, 2]", b'{\n  "tasks": ["a"]\n}\n', b"42", "zwölf".encode())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Tasks a and b, evolved, and c, of which only its record and the list tell."""
    store = grown_store(tmp_path_factory.mktemp("whole") / "s")
    store.create_task(task_record("c", 3))
    return store


@pytest.fixture
def store(whole: Store, tmp_path: Path) -> Store:
    return Store.open(shutil.copytree(whole.path, tmp_path / "s"))


@pytest.mark.parametrize("text", NOTES)
def test_notes_among_the_records_are_strays(store: Store, text: bytes):
    (store.path / "tasks" / "notes.json").write_bytes(text)
    assert store.tasks() == ["a", "b", "c"]
    with pytest.raises(InputError, match="has no task 'notes'"):
        store.read_task("notes")
    report = fsck(store)
    assert (report.ok, report.strays, report.tasks) == (True, ["tasks/notes.json"], 3)
    gc(store)
    assert (store.path / "tasks" / "notes.json").read_bytes() == text


@pytest.mark.parametrize("name", ["a-copy", "a.bak", "old_c"])
def test_copies_of_records_are_strays(store: Store, name: str):
    shutil.copy(store.task_path(name[0] if name[0] == "a" else "c"), store.path / "tasks" / f"{name}.json")
    assert store.tasks() == ["a", "b", "c"]
    assert (fsck(store).ok, fsck(store).strays) == (True, [f"tasks/{name}.json"])


def test_strays_are_found_everywhere(store: Store):
    strays = ["README.txt", "layers/notes", "models/ab.txt", "runs/notes.txt", "runs/0001/plot.png", "tasks/.DS_Store"]
    for name in strays:
        (store.path / name).write_bytes(b"x")
    (store.path / "backup").mkdir()
    report = fsck(store)
    assert (report.ok, report.strays) == (True, sorted([*strays, "backup"]))


@pytest.mark.parametrize("name", ["a", "b", "c"])
@pytest.mark.parametrize("data", [*NOTES, b"", b"\0" * 300, b"\xff" * 300])
def test_what_is_left_of_a_record_is_damage(store: Store, name: str, data: bytes):
    store.task_path(name).write_bytes(data)
    assert [damage.path for damage in fsck(store).damaged] == [f"tasks/{name}.json"]
    with pytest.raises(DamagedError):
        store.read_task(name)
    with pytest.raises(DamagedError, match="nothing was removed"):
        gc(store)


@given(st.data())
def test_no_cut_or_flipped_record_is_a_stray_even_without_the_list(whole: Store, data: st.DataObject):
    """Only its bytes tell that it was one."""
    path, listed = whole.task_path("c"), whole.path / "tasks.json"
    before, names = path.read_bytes(), listed.read_bytes()
    cut = data.draw(st.integers(0, len(before) - 1))
    flip = data.draw(st.integers(0, len(before) - 1))
    listed.unlink()
    try:
        for changed in (before[:cut], before[:flip] + bytes([before[flip] ^ 8]) + before[flip + 1 :]):
            path.write_bytes(changed)
            assert "c" in whole.task_names()
            with pytest.raises(MunetError):
                whole.read_task("c")
    finally:
        path.write_bytes(before)
        listed.write_bytes(names)


def test_records_that_were_swapped_or_put_over_one_another_are_damage(store: Store):
    b, c = store.task_path("b").read_bytes(), store.task_path("c").read_bytes()
    store.task_path("c").write_bytes(b)
    assert [damage.path for damage in fsck(store).damaged] == ["tasks/c.json"]
    store.task_path("b").write_bytes(c)
    assert [damage.path for damage in fsck(store).damaged] == ["tasks/b.json", "tasks/c.json"]
