"""Commands that read a system while a task iteration ends in another process: no damage, and one model throughout."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import munet.system
from cli_tools import Run
from moving import TASK, Moving, moved_at, two_states
from munet.analysis import snapshot
from munet.inference import evaluate, exporting, handed, labelled, stream
from munet.report.page import payload
from munet.store.consistent import consistent

READERS = {
    "status": ("status", "{system}", "--json"),
    "log": ("log", "{system}", TASK, "--json"),
    "show": ("show", "{system}", TASK, "--json"),
    "diff": ("diff", "{system}", TASK, "root", "--json"),
    "explain": ("explain", "{system}", TASK, "--json"),
    "export": ("export", "{system}", TASK, "{out}.safetensors", "--json"),
    "predict": ("predict", "{system}", TASK, "{image}", "--json"),
    "evaluate": ("evaluate", "{system}", "--json"),
    "evaluate --data": ("evaluate", "{system}", TASK, "--data", "npz:{images}", "--split", "test", "--json"),
    "fsck": ("fsck", "{system}", "--json"),
    "gc --dry-run": ("gc", "{system}", "--dry-run", "--json"),
    "report": ("report", "{system}", "--out", "{out}.html"),
}


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Moving:
    return two_states(tmp_path_factory.mktemp("moving"), tiny_npz)


@pytest.fixture(scope="module")
def image(tiny_folder: Path) -> Path:
    return next(tiny_folder.rglob("*.png"))


@pytest.fixture
def at_every_reading(
    moving: Moving, tiny_npz: Path, image: Path, tmp_path: Path, run: Run
) -> Callable[[str], list[tuple[int, str, str]]]:
    """What a command gives when the system moves on after its first, second, … reading of a task's record."""

    def go(reader: str) -> list[tuple[int, str, str]]:
        found = list[tuple[int, str, str]]()
        came = True
        while came:
            mine = moving.fresh(tmp_path / f"{len(found)}")
            values = {"system": mine.path, "images": tiny_npz, "image": image, "out": tmp_path / f"out{len(found)}"}
            with moved_at(len(found) + 1, mine) as moved:
                found.append(run(*(word.format_map(values) for word in READERS[reader])))
                came = moved()
        return found

    return go


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_takes_the_end_of_a_task_iteration_for_damage(
    reader: str, at_every_reading: Callable[[str], list[tuple[int, str, str]]], moving: Moving
) -> None:
    found = at_every_reading(reader)
    assert len(found) > 1
    for code, out, err in found:
        assert (code, err) == (0, "")
        # one model throughout, not the layers of one with the measures of the other
        assert not all(model in out for model in moving.models), out


@pytest.mark.parametrize("reader", ["predict", "status", "log", "show", "export", "report", "evaluate"])
def test_this_test_catches_a_reader_that_reads_once(
    reader: str, at_every_reading: Callable[[str], list[tuple[int, str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (munet.system, snapshot, evaluate, exporting, handed, labelled, stream):
        monkeypatch.setattr(module, "consistent", lambda store, read, lacking=None: read())
    found = at_every_reading(reader)
    assert any(code == 3 or "missing" in err or "cannot be read" in err for code, _, err in found)


def test_watch_shows_no_damage(moving: Moving, tmp_path: Path) -> None:
    k, came = 1, True
    while came:
        mine = moving.fresh(tmp_path / f"{k}")
        with moved_at(k, mine) as moved:
            assert payload(munet.System.open(mine.path).history())["notes"] == []
            came = moved()
        k += 1
    assert k > 2


def test_what_refs_still_name_is_damage(moving: Moving, tmp_path: Path, run: Run) -> None:
    mine = moving.fresh(tmp_path / "s")
    system = munet.System.open(mine.path)
    system.store.layers.path(system.manifest(TASK)["layers"]["head"]).unlink()
    code, _, err = run("export", mine.path, TASK, tmp_path / "x.safetensors", "--json")
    assert (code, json.loads(err)["error"]["kind"]) == (3, "damaged")
    system.store.models.path(system.resolve(TASK)).unlink()
    assert run("show", mine.path, TASK)[0] == 3
    assert any("cannot be read" in note for note in payload(system.history())["notes"])


def test_weights_that_were_let_go_are_no_damage(moving: Moving, tmp_path: Path, run: Run) -> None:
    """A model by its id is not read again for ever."""
    mine = moving.fresh(tmp_path / "s")
    first = mine.models[0]
    mine_store = munet.System.open(mine.path).store
    manifest = mine_store.models.path(first).read_bytes()
    mine.move()
    mine_store.models.path(first).parent.mkdir(exist_ok=True)
    mine_store.models.path(first).write_bytes(manifest)  # as that of an ancestor is kept
    code, _, err = run("export", mine.path, first[:12], tmp_path / "x.safetensors")
    assert code == 2
    assert "only its history is kept" in err


def test_reads_again_only_while_refs_move(moving: Moving) -> None:
    store, calls = munet.System.open(moving.path).store, []

    def read() -> list[int]:
        calls.append(1)
        return calls

    assert consistent(store, read, lambda found: ["f" * 64]) == [1, 1]
