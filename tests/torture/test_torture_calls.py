"""Each command that writes, with a system call that fails: one line, nothing half written, and it works afterwards."""

import errno
import os
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import munet
import munet.cli as cli
from growing import evolve
from munet.errors import MunetError
from munet.evolution.events import CycleFinished, Event
from munet.fs.tree import Tree
from munet.importing import import_published
from munet.sharing.remotes import add_remote
from munet.store import Store
from munet.store.fsck import fsck
from published_tools import small_system, write_mu2net
from run_tools import digits_run
from store_tools import Faults, layer_bytes
from torture_tools import SHARES, Tally, tiny_system

CASES = 5_000
BUDGET = (
    "--task-iterations 1 --generations 1 --children 1 --cycles 1 --samples-per-cycle 20 --batch-size 20 --threads 1"
)
COMMANDS = {
    "init": "init {fresh} --root random:vit_tiny_patch16_224 --depth 1 --image-size 32",
    "add": "add {system} again npz:{images}",
    "evolve": f"evolve {{system}} one --method mu2net-plus --executor local {BUDGET}",
    "task move": "task move {system} new npz:{elsewhere}",
    "task rename": "task rename {system} new newer",
    "task remove": "task remove {system} new",
    "resume": "resume {interrupted}",
    "gc": "gc {system}",
    "export": "export {system} one {out}/one.safetensors",
    "report": "report {system} --out {out}/page.html",
    "allocation train": "allocation train synthetic --preset smoke --rounds 4 --evaluate-every 2 --out {out}/run",
    "allocation export": "allocation export {run} {fresh}",
    "import": "import mu2net {published} {fresh}",
    "attach": "attach {imported} mnist npz:{ten}",
    "push": "push {ahead}",
    "pull": "pull {behind}",
    "clone": "clone {shared} {fresh}",
    "merge": "merge {behind} {ahead}",
}
HOW: dict[str, dict[str, Any]] = {
    "EIO once": {"error": errno.EIO},
    "EINTR once": {"error": errno.EINTR},
    "ENOSPC from then on": {"error": errno.ENOSPC, "sticky": True},
    "EROFS from then on": {"error": errno.EROFS, "sticky": True},
}


ONE: dict[str, Any] = {
    "task_iterations": 1,
    "generations": 1,
    "children": 1,
    "cycles": 1,
    "samples_per_cycle": 20,
    "batch_size": 20,
    "threads": 1,
    "executor": "local",
}


class Stop(Exception):
    pass


def stop_at_a_child(event: Event) -> None:
    if isinstance(event, CycleFinished):
        raise Stop


@dataclass(frozen=True)
class Bench:
    """What each case begins with a copy of, by name, and what it only reads."""

    copied: Mapping[str, Path]
    read: Mapping[str, Path]

    SYSTEMS: ClassVar = ("system", "behind", "ahead", "shared", "interrupted", "imported")

    def case(self, folder: Path, command: str) -> Mapping[str, Path]:
        """Where a command finds what it names, and the remote that may be meant."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "out").mkdir(parents=True)
        places = {name: folder / name for name in self.copied}
        for name, source in self.copied.items():
            if name == "shared" or f"{{{name}}}" in command:
                shutil.copytree(source, places[name])
        for name in ("ahead", "behind"):
            if places[name].exists():
                add_remote(Store.open(places[name]), "origin", str(places["shared"]))
        if places["system"].exists():
            Store.open(places["system"]).put_layer_bytes(layer_bytes("garbage"))
        return {**places, "fresh": folder / "fresh", "out": folder / "out", **self.read}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, tiny_npz: Path) -> Bench:
    place = tmp_path_factory.mktemp("calls")
    shutil.copytree(tiny_npz, place / "elsewhere")
    system = tiny_system(place / "system", tiny_npz)
    shutil.copytree(system.path, place / "behind")
    shutil.copytree(system.path, place / "interrupted")
    with pytest.raises(Stop):
        evolve(munet.System.open(place / "interrupted"), ["one"], observer=stop_at_a_child, **ONE)
    shutil.copytree(system.path, place / "shared")
    shutil.copytree(system.path, place / "ahead")
    evolve(munet.System.open(place / "ahead"), ["one"], **ONE)
    write_mu2net(small_system(), place / "published")
    import_published(place / "published", place / "imported")
    numbers = np.arange(60)
    (place / "ten").mkdir()
    for split in ("train", "validation", "test"):
        images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
        np.savez(place / "ten" / f"{split}.npz", image=images, label=numbers % 10)
    digits_run(place, rounds=2)
    copied = {name: place / name for name in Bench.SYSTEMS}
    read = {name: place / name for name in ("elsewhere", "published", "ten", "run")}
    return Bench(copied, {**read, "images": tiny_npz})


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """(exit code, last line of standard error)"""
    try:
        cli.main(words)
    except SystemExit as ended:
        lines = capsys.readouterr().err.strip().splitlines()
        return int(ended.code or 0), lines[-1] if lines else ""


def fault_of(places: Mapping[str, Path], code: int, line: str) -> str | None:
    """What is wrong after a command was cut off."""
    if code not in (0, 2, 3) or "internal error" in line or "Traceback" in line:
        return f"exit code {code}: {line}"
    if code and not line.startswith("munet: error: "):
        return f"no error told: {line}"
    for name in (*Bench.SYSTEMS, "fresh"):
        if (places[name] / "munet.json").exists():
            try:
                report = fsck(Store.open(places[name]))
            except MunetError as error:
                return f"does not open: {error}"
            if report.damaged:
                return f"is damaged: {report.damaged[0]}"
    return None


def cut_off(
    bench: Bench, name: str, how: str, k: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[bool, str | None]:
    """Whether the k-th call came, and what is wrong: with how the command ended, or when it is given again."""
    places = bench.case(folder, COMMANDS[name])
    words = COMMANDS[name].format_map(places).split()
    if how == "short writes":
        with Faults().injected() as faults:
            os.write, before = _shortened(os.write), os.write
            try:
                code, line = said(words, capsys)
            finally:
                os.write = before
        if code:
            return True, f"failed: {line}"
    else:
        faults = Faults(k, **HOW[how])
        with faults.injected():
            code, line = said(words, capsys)
    fault = fault_of(places, code, line)
    if fault is None and code:
        again, line = said(words, capsys)
        done = ("already", "has no task", "is not empty", "every run is finished")  # it came after what counts
        fault = f"again: {line}" if again and not any(word in line for word in done) else fault_of(places, again, line)
    return faults.fired, fault


def _shortened(write: Callable[..., int]) -> Any:
    return lambda descriptor, data: write(descriptor, memoryview(data)[: max(1, len(data) // 3)])


def calls_of(bench: Bench, name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """System calls of a command that nothing disturbs."""
    with Faults().injected() as faults:
        code, line = said(COMMANDS[name].format_map(bench.case(folder, COMMANDS[name])).split(), capsys)
    assert code == 0, (name, line)
    return faults.calls


def campaign(
    bench: Bench, cases: int, folder: Path, capsys: pytest.CaptureFixture[str], names: list[str], seed: int = 7
) -> Tally:
    draw, tally = random.Random(seed), Tally("a failing system call in every command that writes")
    calls = {name: calls_of(bench, name, folder, capsys) for name in names}
    for number in range(cases):
        name, how = names[number % len(names)], draw.choice([*HOW, "short writes"])
        k = draw.randint(1, calls[name])
        _, fault = cut_off(bench, name, how, k, folder, capsys)
        tally.judge(fault and f"{name}, {how} at call {k} of {calls[name]}: {fault}")
    return tally


@SHARES
@pytest.mark.timeout(0)
def test_a_call_that_fails_leaves_nothing_half_written(
    bench: Bench, tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
):
    tally = campaign(bench, int(CASES * share), tmp_path / "case", capsys, list(COMMANDS))
    assert tally.told().failures == []


@pytest.mark.slow
def test_a_writer_without_care_would_fail(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def write(files: Tree, path: Path | str, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.write(descriptor, data)
        os.close(descriptor)

    monkeypatch.setattr(Tree, "write", write)
    assert campaign(bench, 20, tmp_path / "case", capsys, ["init", "task move", "evolve"]).failures
