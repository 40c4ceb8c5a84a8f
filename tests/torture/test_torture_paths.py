"""Links and special files at every path of a system, under every command: nothing leads out of it, nothing hangs."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import munet.cli as cli
from munet.store import Store
from strange_files import KINDS, HangsError, follow_links, in_time, not_read, replace, state_of, were_read
from torture_tools import SHARES, Tally, tiny_system

COMMANDS = (
    "status",
    "show one",
    "log one",
    "evaluate one --trust-sources",
    "fsck",
    "gc --dry-run",
    "report --out OUT/page.html",
    "add again SOURCE",
    "evolve one --task-iterations 1 --generations 1 --children 1 --cycles 1 --samples-per-cycle 20 --batch-size 20 "
    "--threads 1 --method mu2net-plus --trust-sources",
    "gc",
)
PLACES = (
    *("munet.json", "tasks.json", ".lock", ".turn", ".tasks", ".evolving", ".lineage"),
    *("layers", "models", "tasks", "runs", "runs/0001", "runs/0002"),
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Path:
    return tiny_system(tmp_path_factory.mktemp("torture") / "s", tiny_npz).path


def places_of(path: Path) -> list[str]:
    """Every kind of path that docs/format.md lists, in this system."""
    store = Store.open(path)
    model = store.read_task("one")["model"] or ""
    layers = store.get_model(model)["layers"]
    files = [store.models.path(model), *(store.layer_path(layers[slot]) for slot in ("head", "embedding"))]
    records = [store.task_path("one"), *(store.run_path("0001", file) for file in store.run_files("0001"))]
    return [*PLACES, *(str(file.relative_to(path)) for file in (*files, *(f.parent for f in files), *records))]


def said(words: list[str], seconds: int) -> str | None:
    """What is wrong with how a command ended."""
    try:
        with in_time(seconds):
            cli.main(words)
    except SystemExit as ended:
        return f"exit code {ended.code}" if ended.code not in (0, 1, 2, 3, None) else None
    except HangsError:
        return "did not end"
    return None


def misled(path: Path, outside: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[str | None]:
    """Of each command, what it did outside the system, or that it did not end in a line."""
    out = path.parent / "out"
    out.mkdir(exist_ok=True)
    not_read(outside)
    before = state_of(outside)
    for command in COMMANDS:
        first, *rest = command.replace("SOURCE", f"npz:{source}").replace("OUT", str(out)).split()
        not_read(outside)
        fault = said([first, str(path), *rest], 60 if first in ("evolve", "add", "evaluate", "report") else 10)
        error = capsys.readouterr().err
        if "Traceback" in error or "internal error" in error:
            fault = error.strip().splitlines()[-1]
        if read := were_read(outside):
            fault = f"read {read}"
        if state_of(outside) != before:
            fault = "changed what is outside"
        yield fault and f"{command}: {fault}"


def matrix(system: Path, source: Path, cells: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> Tally:
    """Every kind of strange file at every place, or some of these cells."""
    tally = Tally("links and special files at every path, under every command")
    every = [(place, kind) for place in places_of(system) for kind in KINDS]
    for place, kind in random.Random(6).sample(every, min(cells, len(every))):
        shutil.rmtree(folder, ignore_errors=True)
        copy = Path(shutil.copytree(system, folder / "s"))
        replace(copy / place, kind, folder / "outside")
        for fault in misled(copy, folder / "outside", source, capsys):
            tally.judge(fault and f"{kind} at {place}: {fault}")
    return tally


@SHARES
@pytest.mark.timeout(0)
def test_nothing_leads_out_of_a_system(
    system: Path, tiny_npz: Path, tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
):
    tally = matrix(system, tiny_npz, max(6, int(200 * share)), tmp_path / "cell", capsys)
    assert tally.told().failures == []


@pytest.mark.slow
def test_a_store_that_follows_links_would_fail(
    system: Path, tiny_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    follow_links(monkeypatch)
    for number, place in enumerate(("layers", "tasks", "runs/0001")):
        copy = Path(shutil.copytree(system, tmp_path / f"{number}"))
        replace(copy / place, "link to what was there", tmp_path / f"outside {number}")
        assert any(misled(copy, tmp_path / f"outside {number}", tiny_npz, capsys))
